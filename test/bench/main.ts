/**
 * main - `npm run bench`: messages a second through Postern, beside HAProxy in TCP mode and the bare sink, in one run.
 *
 * Then what must not grow with a site (scale.ts): sets and lists by the hundred thousand.
 * The rows of scenarios.ts are measured one after the other, round after round, after one round that does not count.
 * Table to standard output, everything measured to build/bench/*.json, progress to standard error.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Sandbox } from '../e2e/sandbox.ts';
import { chaos } from './chaos.ts';
import { large } from './large.ts';
import { measure, type Sample } from './measure.ts';
import { formatTable, type RowResult, summarize } from './report.ts';
import { formatFigures, SCALES, type Scale, type ScaleResult } from './scale.ts';
import { type Protocol, ROWS, type Row } from './scenarios.ts';
import { soak } from './soak.ts';
import { missingPackages, START, type Subject, startSink } from './subjects.ts';

const USAGE = `Usage: npm run bench -- [--rounds N] [--messages N] [--only TEXT]...
       npm run bench -- chaos [--messages N] [--front clients|postfix]
       npm run bench -- soak [--minutes N]
       npm run bench -- large

  --rounds N     rounds that count (5)
  --messages N   messages of a row in a round (each load has its own number)
  --only TEXT    only rows with TEXT in their name; may be repeated. Rows:
${[...ROWS, ...SCALES].map(({ name }) => `                   ${name}`).join('\n')}

chaos sends messages (20000) while downstream and Postern are killed at random, and counts what was lost: nothing; with
--front postfix they wait in the queue of a Postfix in front (as root).
soak keeps 1000 sessions for some minutes (10), 200 of them active: memory and descriptors must not grow.
large sends 100 messages of 25 MB at once: the memory must not grow with them.

Example: npm run bench -- --only smtp --rounds 9
`;

const RUNS = ['chaos', 'soak', 'large'] as const;

interface Options {
  /** Something else than the rows. */
  readonly run: (typeof RUNS)[number] | null;
  readonly minutes: number;
  readonly front: 'clients' | 'postfix';
  readonly rounds: number;
  readonly messages: number | null;
  readonly rows: readonly Row[];
  readonly scales: readonly Scale[];
}

function readOptions(args: string[]): Options {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      rounds: { type: 'string', default: '5' },
      messages: { type: 'string' },
      minutes: { type: 'string', default: '10' },
      front: { type: 'string', default: 'clients' },
      only: { type: 'string', multiple: true, default: [] },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help === true) {
    process.stdout.write(USAGE);
    process.exit(0);
  }
  const [what] = positionals;
  const run = RUNS.find((name) => name === what) ?? null;
  if (positionals.length > 1 || (what !== undefined && run === null)) throw new Error(`"${what}" is no bench`);
  const asked = ({ name }: { name: string }) =>
    values.only.length === 0 || values.only.some((text) => name.includes(text));
  const rows = ROWS.filter(asked);
  const scales = SCALES.filter(asked);
  if (rows.length + scales.length === 0) throw new Error(`no row has ${values.only.join(' or ')} in its name`);
  return {
    run,
    minutes: positive('minutes', values.minutes),
    front: frontOf(values.front),
    rounds: positive('rounds', values.rounds),
    messages: values.messages === undefined ? null : positive('messages', values.messages),
    rows,
    scales,
  };
}

function positive(name: string, value: string): number {
  if (!/^[1-9]\d*$/.test(value)) throw new Error(`--${name} wants a number above 0, not "${value}"`);
  return Number(value);
}

function frontOf(name: string): Options['front'] {
  if (name !== 'clients' && name !== 'postfix') throw new Error(`--front wants clients or postfix, not "${name}"`);
  return name;
}

function progress(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** A sink for each protocol and, in front of it, every subject that a row asks for. */
async function startSubjects(sandbox: Sandbox, rows: readonly Row[]): Promise<ReadonlyMap<string, Subject>> {
  const subjects = new Map<string, Subject>();
  for (const protocol of new Set(rows.map((row) => row.protocol))) {
    const sink = await startSink(sandbox, protocol);
    subjects.set(subjectKey('sink', protocol), sink);
    for (const [subject, start] of Object.entries(START)) {
      if (!rows.some((row) => row.subject === subject && row.protocol === protocol)) continue;
      progress(`starting ${subject} for ${protocol}`);
      subjects.set(subjectKey(subject, protocol), await start({ sandbox, protocol, sink: sink.address }));
    }
  }
  return subjects;
}

function subjectKey(subject: string, protocol: Protocol): string {
  return `${subject} ${protocol}`;
}

async function runRounds(options: Options, messagesOf: (row: Row) => number): Promise<readonly RowResult[]> {
  const sandbox = new Sandbox('bench');
  try {
    const subjects = await startSubjects(sandbox, options.rows);
    const samples = new Map<Row, Sample[]>(options.rows.map((row) => [row, []]));
    for (let round = 0; round <= options.rounds; round += 1) {
      progress(round === 0 ? 'warming up' : `round ${round} of ${options.rounds}`);
      for (const row of options.rows) {
        const subject = subjects.get(subjectKey(row.subject, row.protocol));
        if (subject === undefined) throw new Error(`${row.name} was not started`);
        const sample = await measure(row, subject, messagesOf(row));
        progress(`  ${row.name}: ${sample.messagesPerSecond.toFixed(0)} messages/s`);
        if (round > 0) samples.get(row)?.push(sample);
      }
    }
    return summarize(samples, messagesOf);
  } finally {
    await sandbox.close();
  }
}

async function measureScales(scales: readonly Scale[]): Promise<readonly ScaleResult[]> {
  const results: ScaleResult[] = [];
  for (const { name, measure: figuresOf } of scales) {
    progress(name);
    results.push({ name, figures: await figuresOf() });
  }
  return results;
}

function writeJson(options: Options, results: readonly RowResult[], scales: readonly ScaleResult[]): string {
  const folder = join('build', 'bench');
  mkdirSync(folder, { recursive: true });
  const at = new Date().toISOString();
  const file = join(folder, `${at.replaceAll(':', '-')}.json`);
  const machine = {
    node: process.version,
    kernel: release(),
    processors: cpus().length,
    model: cpus()[0]?.model ?? '',
  };
  writeFileSync(file, `${JSON.stringify({ at, machine, rounds: options.rounds, results, scales }, null, 2)}\n`);
  return file;
}

async function main(): Promise<number> {
  let options: Options;
  try {
    options = readOptions(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
    return 2;
  }
  if (options.run === 'chaos') return await chaos({ messages: options.messages ?? 20_000, front: options.front });
  const haproxy = options.rows.some((row) => row.subject === 'haproxy') ? ['haproxy'] : [];
  const rows = options.rows.length > 0 || options.run !== null;
  const missing = !rows ? [] : missingPackages(['smtp-source', 'smtp-sink', ...haproxy]);
  if (missing.length > 0) {
    process.stderr.write(`bench needs programs that are not installed: apt-get install ${missing.join(' ')}\n`);
    return 1;
  }
  if (options.run === 'soak') return await soak({ minutes: options.minutes });
  if (options.run === 'large') return await large();
  const messagesOf = (row: Row) => options.messages ?? row.load.messages;
  const results = options.rows.length === 0 ? [] : await runRounds(options, messagesOf);
  if (results.length > 0) process.stdout.write(formatTable(results));
  const scales = await measureScales(options.scales);
  process.stdout.write(formatFigures(scales));
  progress(`written to ${writeJson(options, results, scales)}`);
  return 0;
}

process.exitCode = await main();
