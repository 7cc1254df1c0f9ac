/**
 * memory - what Postern holds: at rest, with many idle connections, with many large messages at once (large.ts).
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Sandbox } from '../e2e/sandbox.ts';
import { type Figure, inSandbox, type Measurement } from './figures.ts';
import { AT_MOST, MEGABYTES, MESSAGES, measureLarge } from './large.ts';
import { figuresOf } from './process-figures.ts';
import { endSession, openSession, portOf, startChain } from './sessions.ts';

const IDLE = 1_000;
/** Milliseconds. */
const STARTED_AFTER = 2_000;
/** Milliseconds: when nothing has happened for some ten seconds, V8 gives back what was needed until then. */
const AT_REST_AFTER = 20_000;

export const MEMORY: readonly Measurement[] = [
  {
    name: 'memory: resident',
    programs: ['smtp-sink'],
    measure: async () => [...(await inSandbox('memory', measureIdle)), ...(await measureMany())],
  },
];

async function measureIdle(sandbox: Sandbox): Promise<readonly Figure[]> {
  const postern = await startChain(sandbox, { more: 'limits: { connections: 2000, connections_per_peer: 2000 }\n' });
  await pause(STARTED_AFTER);
  const started = figuresOf(postern.pid).resident;
  await pause(AT_REST_AFTER);
  const atRest = figuresOf(postern.pid).resident;
  const sessions = await Promise.all(Array.from({ length: IDLE }, () => openSession(portOf(postern))));
  await pause(STARTED_AFTER);
  const idle = figuresOf(postern.pid).resident;
  sessions.forEach(endSession);
  return [
    { name: 'just started', value: started, unit: 'MB', atMost: null },
    { name: 'at rest', value: atRest, unit: 'MB', atMost: 90 },
    { name: `${IDLE} idle connections`, value: idle, unit: 'MB', atMost: 130 },
  ];
}

async function measureMany(): Promise<readonly Figure[]> {
  const { mostResident } = await inSandbox('large', measureLarge);
  const name = `${MESSAGES} x ${MEGABYTES} MB at once, at most`;
  return [{ name, value: mostResident, unit: 'MB', atMost: AT_MOST }];
}
