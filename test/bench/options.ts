/**
 * options - the command line of the bench.
 */
import { parseArgs } from 'node:util';
import type { ChaosOptions } from './chaos.ts';
import type { Measurement } from './figures.ts';
import { LATENCY } from './latency.ts';
import { DOTS } from './dots.ts';
import { MEMORY } from './memory.ts';
import { SCALES } from './scale.ts';
import { LOADS, PEERS, ROWS, type Row, USUAL_ROWS, VARIANTS } from './scenarios.ts';

export const MEASUREMENTS: readonly Measurement[] = [...LATENCY, ...MEMORY, ...DOTS, ...SCALES];

const list = (names: readonly string[]): string => names.map((name) => `                   ${name}\n`).join('');

export const USAGE = `Usage: npm run bench -- [--rounds N] [--messages N] [--only TEXT]... [--all]
       npm run bench -- inline
       npm run bench -- page
       npm run bench -- chaos [--messages N] [--front clients|postfix]
       npm run bench -- soak [--minutes N]
       npm run bench -- large

  --rounds N     rounds that count (5)
  --messages N   at most so many messages of a row in a round (each load has its own number)
  --only TEXT    only rows and figures with TEXT in their name; may be repeated. Rows are named SUBJECT PROTOCOL, LOAD, as
                 in "postern smtp, sessions kept, 4 KB". Protocols: smtp, lmtp. Subjects:
${list(['sink', 'haproxy', 'bare pipe', ...VARIANTS, ...PEERS])}                 Loads:
${list(LOADS.map(({ name }) => name))}                 Figures:
${list(MEASUREMENTS.map(({ name }) => name))}  --all          every combination, for hours; without --only and --all the ones that docs/performance.md shows

inline compares Postern with a Maildir and a queue runner, and draws docs/performance/inline.svg.
page writes the newest results into docs/performance.md and README.md.
chaos sends messages (20000) while downstream and Postern are killed at random, and counts what was lost: nothing; with
--front postfix they wait in the queue of a Postfix in front (as root).
soak keeps 1000 sessions for some minutes (10), 200 of them active: memory and descriptors must not grow.
large sends 100 messages of 25 MB at once: the memory must not grow with them.

Example: npm run bench -- --only "smtp, sessions kept, 4 KB" --rounds 9
`;

const RUNS = ['inline', 'page', 'chaos', 'soak', 'large'] as const;

export interface Options {
  readonly help: boolean;
  /** Something else than the rows. */
  readonly run: (typeof RUNS)[number] | null;
  readonly minutes: number;
  readonly front: ChaosOptions['front'];
  readonly rounds: number;
  readonly messages: number | null;
  /** Whether the rows are the usual ones. */
  readonly usual: boolean;
  readonly rows: readonly Row[];
  readonly measurements: readonly Measurement[];
}

/** Throws with what is wrong. */
export function readOptions(args: string[]): Options {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      rounds: { type: 'string', default: '5' },
      messages: { type: 'string' },
      minutes: { type: 'string', default: '10' },
      front: { type: 'string', default: 'clients' },
      only: { type: 'string', multiple: true, default: [] },
      all: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const [what] = positionals;
  const run = RUNS.find((name) => name === what) ?? null;
  if (positionals.length > 1 || (what !== undefined && run === null)) throw new Error(`"${what}" is no bench`);
  const { only, all } = values;
  const asked = ({ name }: { name: string }) => only.length === 0 || only.some((text) => name.includes(text));
  const usual = !all && only.length === 0;
  const rows = (usual ? USUAL_ROWS : ROWS).filter(asked);
  const measurements = MEASUREMENTS.filter(asked);
  if (rows.length + measurements.length === 0) throw new Error(`no row has ${only.join(' or ')} in its name`);
  return {
    help: values.help,
    run,
    minutes: positive('minutes', values.minutes),
    front: frontOf(values.front),
    rounds: positive('rounds', values.rounds),
    messages: values.messages === undefined ? null : positive('messages', values.messages),
    ...{ usual, rows, measurements },
  };
}

function positive(name: string, value: string): number {
  if (!/^[1-9]\d*$/.test(value)) throw new Error(`--${name} wants a number above 0, not "${value}"`);
  return Number(value);
}

function frontOf(name: string): ChaosOptions['front'] {
  if (name !== 'clients' && name !== 'postfix') throw new Error(`--front wants clients or postfix, not "${name}"`);
  return name;
}
