/**
 * large - `npm run bench -- large`: many large messages at once. Memory must stay within a bound that has nothing to do
 * with their sizes: what is over `limits.memory` lies in temporary files. Exit 1 where it does not.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Sandbox } from '../e2e/sandbox.ts';
import { inSandbox } from './figures.ts';
import { figuresOf } from './process-figures.ts';
import { endSession, openSession, portOf, sendMessage, startChain } from './sessions.ts';

export const MESSAGES = 100;
export const MEGABYTES = 25;
/** In MB. */
export const AT_MOST = 400;

/** The shipped rules refuse such messages; this one reads them. */
const RULES = `version: 1
before: [ { name: reads, when: { body: { contains: "not in there" } }, then: { reject: "No." } } ]
`;

/** Exit code 0 or 1. */
export async function large(): Promise<number> {
  const { seconds, resident, mostResident } = await inSandbox('large', measureLarge);
  process.stdout.write(
    `${MESSAGES} messages of ${MEGABYTES} MB at once: all taken in ${seconds.toFixed(0)} s\n` +
      `resident: ${resident.toFixed(0)} MB before, at most ${mostResident.toFixed(0)} MB (at most ${AT_MOST})\n`,
  );
  return mostResident <= AT_MOST ? 0 : 1;
}

/** Memory in MB: before, and the most that there was. */
export async function measureLarge(
  sandbox: Sandbox,
): Promise<{ seconds: number; resident: number; mostResident: number }> {
  const system = join(sandbox.folder, 'system.yaml');
  writeFileSync(system, RULES);
  const postern = await startChain(sandbox, { system, more: 'limits: { message: 30 MB }\n' });
  const { resident } = figuresOf(postern.pid);
  const sessions = await Promise.all(Array.from({ length: MESSAGES }, () => openSession(portOf(postern))));
  const began = Date.now();
  await Promise.all(sessions.map((peer) => sendMessage(peer, content())));
  const seconds = (Date.now() - began) / 1000;
  sessions.forEach(endSession);
  return { seconds, resident, mostResident: figuresOf(postern.pid).mostResident };
}

function* content(): Generator<Buffer> {
  yield Buffer.from('From: ann@example.net\r\nSubject: large\r\n\r\n');
  const slice = Buffer.alloc(1024 * 1024, `${'x'.repeat(62)}\r\n`);
  for (let n = 0; n < MEGABYTES; n += 1) yield slice;
  yield Buffer.from('.\r\n');
}
