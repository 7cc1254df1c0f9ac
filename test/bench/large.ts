/**
 * large - `npm run bench -- large`: many large messages at once. Memory must stay within a bound that has nothing to do
 * with their sizes: what is over `limits.memory` lies in temporary files. Exit 1 where it does not.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Sandbox } from '../e2e/sandbox.ts';
import { figuresOf } from './process-figures.ts';
import { endSession, openSession, portOf, sendMessage, startChain } from './sessions.ts';

const MESSAGES = 100;
const MEGABYTES = 25;
/** In MB. */
const AT_MOST = 400;

/** The shipped rules refuse such messages; this one reads them. */
const RULES = `version: 1
before: [ { name: reads, when: { body: { contains: "not in there" } }, then: { reject: "No." } } ]
`;

/** Exit code 0 or 1. */
export async function large(): Promise<number> {
  const sandbox = new Sandbox('large');
  try {
    return await run(sandbox);
  } finally {
    await sandbox.close();
  }
}

async function run(sandbox: Sandbox): Promise<number> {
  const system = join(sandbox.folder, 'system.yaml');
  writeFileSync(system, RULES);
  const postern = await startChain(sandbox, { system, more: 'limits: { message: 30 MB }\n' });
  const idle = figuresOf(postern.pid);
  const sessions = await Promise.all(Array.from({ length: MESSAGES }, () => openSession(portOf(postern))));
  const began = Date.now();
  await Promise.all(sessions.map((peer) => sendMessage(peer, content())));
  const seconds = (Date.now() - began) / 1000;
  sessions.forEach(endSession);
  const { mostResident } = figuresOf(postern.pid);
  process.stdout.write(
    `${MESSAGES} messages of ${MEGABYTES} MB at once: all taken in ${seconds.toFixed(0)} s\n` +
      `resident: ${idle.resident.toFixed(0)} MB before, at most ${mostResident.toFixed(0)} MB (at most ${AT_MOST})\n`,
  );
  return mostResident <= AT_MOST ? 0 : 1;
}

function* content(): Generator<Buffer> {
  yield Buffer.from('From: ann@example.net\r\nSubject: large\r\n\r\n');
  const slice = Buffer.alloc(1024 * 1024, `${'x'.repeat(62)}\r\n`);
  for (let n = 0; n < MEGABYTES; n += 1) yield slice;
  yield Buffer.from('.\r\n');
}
