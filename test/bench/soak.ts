/**
 * soak - `npm run bench -- soak`: many sessions for a long time. What Postern holds must not grow: neither memory nor
 * descriptors.
 *
 * Of the sessions most stand idle; the active ones send a message, wait, and after some messages make way for a new
 * session. Exit 1 where memory or descriptors grew, or where a message was not taken.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { Sandbox } from '../e2e/sandbox.ts';
import { figuresOf, type ProcessFigures } from './process-figures.ts';
import { spread } from './quantile.ts';
import { endSession, expect, openSession, portOf, sendMessage, startChain } from './sessions.ts';

export interface SoakOptions {
  readonly minutes: number;
}

const SESSIONS = 1_000;
const ACTIVE = 200;
/** Milliseconds between the messages of a session, on average. */
const BETWEEN = 500;
const MESSAGES_A_SESSION = 20;
/** Milliseconds between the signs of life of an idle session. */
const SIGN_OF_LIFE = 60_000;
/** The most that the last third may hold, as a ratio to the first. */
const MOST_GROWTH = 1.1;
/** Descriptors that come and go with the downstream's pool. */
const POOL = 40;

const CONTENTS = [4, 4, 4, 4, 4, 4, 4, 40, 40, 400].map((kilobytes) => {
  const line = `${'x'.repeat(76)}\r\n`;
  const lines = Math.ceil((kilobytes * 1024) / line.length);
  return Buffer.from(`From: ann@example.net\r\nSubject: soak\r\n\r\n${line.repeat(lines)}.\r\n`);
});

/** Exit code 0 or 1. */
export async function soak({ minutes }: SoakOptions): Promise<number> {
  const sandbox = new Sandbox('soak');
  try {
    return await run(sandbox, minutes);
  } finally {
    await sandbox.close();
  }
}

async function run(sandbox: Sandbox, minutes: number): Promise<number> {
  const postern = await startChain(sandbox, { more: 'limits: { connections: 2000, connections_per_peer: 2000 }\n' });
  const port = portOf(postern);
  const before = figuresOf(postern.pid);
  const end = Date.now() + minutes * 60_000;
  const idle = Array.from({ length: SESSIONS - ACTIVE }, () => stayIdle(port, end));
  let messages = 0;
  const active = Array.from({ length: ACTIVE }, () =>
    stayActive(port, end, () => {
      messages += 1;
    }),
  );
  const samples: ProcessFigures[] = [];
  const sampling = (async () => {
    while (Date.now() < end) {
      await pause(1_000);
      samples.push(figuresOf(postern.pid));
      if (samples.length % 30 === 0) {
        const { resident, descriptors } = samples.at(-1) ?? before;
        process.stderr.write(
          `${samples.length} s: ${messages} messages, ${resident.toFixed(0)} MB, ${descriptors} descriptors\n`,
        );
      }
    }
  })();
  await Promise.all([...idle, ...active, sampling]);
  // Idle connections to the downstream are kept for some seconds.
  await pause(10_000);
  const after = figuresOf(postern.pid);

  const third = Math.floor(samples.length / 3);
  const [first, last] = [samples.slice(0, third), samples.slice(-third)];
  const memory = [first, last].map((part) => spread(part.map(({ resident }) => resident)).median);
  const descriptors = [first, last].map((part) => Math.max(...part.map((one) => one.descriptors)));
  const growth = (memory[1] ?? 0) / (memory[0] ?? 0);
  const more = (descriptors[1] ?? 0) - (descriptors[0] ?? 0);
  process.stdout.write(
    `${minutes} minutes, ${SESSIONS} sessions, ${ACTIVE} active: ${messages} messages\n` +
      `resident, median: first third ${memory[0]?.toFixed(0)} MB, last third ${memory[1]?.toFixed(0)} MB (x ${growth.toFixed(2)}, at most ${MOST_GROWTH})\n` +
      `resident at most ${after.mostResident.toFixed(0)} MB\n` +
      `descriptors: ${before.descriptors} before, at most ${descriptors[0]} in the first third and ${descriptors[1]} in the last, ${after.descriptors} after\n`,
  );
  return growth <= MOST_GROWTH && more <= POOL && after.descriptors <= before.descriptors ? 0 : 1;
}

async function stayIdle(port: number, end: number): Promise<void> {
  const peer = await openSession(port);
  while (Date.now() < end) {
    await pause(Math.min(SIGN_OF_LIFE * (0.5 + Math.random() / 2), Math.max(0, end - Date.now())));
    peer.socket.write('NOOP\r\n');
    await expect(peer, '250');
  }
  endSession(peer);
}

async function stayActive(port: number, end: number, sent: () => void): Promise<void> {
  while (Date.now() < end) {
    const peer = await openSession(port);
    for (let n = 0; n < MESSAGES_A_SESSION && Date.now() < end; n += 1) {
      await pause(BETWEEN * 2 * Math.random());
      const content = CONTENTS[Math.floor(Math.random() * CONTENTS.length)];
      await sendMessage(peer, content === undefined ? [] : [content]);
      sent();
    }
    endSession(peer);
  }
}
