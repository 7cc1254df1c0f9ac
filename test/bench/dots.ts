/**
 * dots - what the worst content costs beside text: a message of 25 MB whose lines are one dot each. Its dots are doubled on
 * the way (RFC 5321 section 4.5.2), so every line is taken apart when it comes and put together when it goes.
 */
import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import type { Sandbox } from '../e2e/sandbox.ts';
import { type Figure, inSandbox, type Measurement } from './figures.ts';
import { cpuTimeOf } from './process-figures.ts';
import { spread } from './quantile.ts';
import { endSession, openSession, portOf, sendMessage, startChain } from './sessions.ts';

const CONTENT = 25 * 1024 * 1024;
const HEADER = Buffer.from('From: ann@example.net\r\nSubject: dots\r\n\r\n');
const END = Buffer.from('.\r\n');
/** The design: the one costs less than three times the other. */
const AT_MOST = 3;
const ROUNDS = 5;
/** Messages of a round: processor time is counted in hundredths of a second. */
const MESSAGES = 4;

export const DOTS: readonly Measurement[] = [
  {
    name: 'dots: 25 MB of lines that are one dot, beside as much text',
    programs: ['smtp-sink'],
    measure: () => inSandbox('dots', measureDots),
  },
];

async function measureDots(sandbox: Sandbox): Promise<readonly Figure[]> {
  const system = join(sandbox.folder, 'system.yaml');
  writeFileSync(system, 'version: 1\n');
  const postern = await startChain(sandbox, { system, more: 'limits: { message: 30 MB }\n' });
  const session = await openSession(portOf(postern));
  const cost = async (line: string, octets: number): Promise<number> => {
    const before = cpuTimeOf(postern.pid);
    for (let n = 0; n < MESSAGES; n += 1) await sendMessage(session, content(line, CONTENT / octets));
    return (cpuTimeOf(postern.pid) - before) / MESSAGES / 1000;
  };
  const text = (): Promise<number> => cost(`${'x'.repeat(62)}\r\n`, 64);
  const dots = (): Promise<number> => cost('..\r\n', 3);
  await text();
  await dots();
  const rounds: { readonly text: number; readonly dots: number }[] = [];
  for (let n = 0; n < ROUNDS; n += 1) rounds.push({ text: await text(), dots: await dots() });
  endSession(session);
  const figure = (name: string, values: readonly number[], unit: 'ms' | 'times', atMost: number | null): Figure => {
    const all = spread(values);
    return { name, value: all.median, spread: all, unit, atMost };
  };
  return [
    figure(
      'processor time of text',
      rounds.map((round) => round.text),
      'ms',
      null,
    ),
    figure(
      'processor time of dots',
      rounds.map((round) => round.dots),
      'ms',
      null,
    ),
    figure(
      'dots beside text',
      rounds.map((round) => round.dots / round.text),
      'times',
      AT_MOST,
    ),
  ];
}

/** The mail data: so many lines, as they are on the wire. */
function* content(line: string, lines: number): Generator<Buffer> {
  yield HEADER;
  const many = 10_000;
  const slice = Buffer.from(line.repeat(many));
  for (let left = Math.floor(lines); left > 0; left -= many)
    yield slice.subarray(0, Math.min(left, many) * line.length);
  yield END;
}
