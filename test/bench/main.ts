/**
 * main - `npm run bench`: messages a second through Postern, beside HAProxy in TCP mode and the bare sink, in one run.
 *
 * The rows of scenarios.ts are measured one after the other, round after round, after one round that does not count. Then
 * figures that need no peer: latency, memory, what must not grow with a site.
 * Table to standard output, everything measured to build/bench/*.json, progress to standard error.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { join } from 'node:path';
import { Sandbox } from '../e2e/sandbox.ts';
import { chaos } from './chaos.ts';
import { formatFigures, type Measured, type Measurement } from './figures.ts';
import { inline } from './inline.ts';
import { large } from './large.ts';
import { measure, type Sample } from './measure.ts';
import { type Options, readOptions, USAGE } from './options.ts';
import { page } from './page.ts';
import { PEER } from './peers.ts';
import { missingPackages, type Subject } from './programs.ts';
import { formatTable, type Results, type RowResult, summarize } from './report.ts';
import { isLarge, PEERS, type Row } from './scenarios.ts';
import { soak } from './soak.ts';
import { startSink, startSubject } from './subjects.ts';

function progress(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Without the peers that are not installed; says how to get them. */
function runnable(rows: readonly Row[]): readonly Row[] {
  const missing = PEERS.filter((name) => rows.some(({ subject }) => subject === name)).flatMap((name) => {
    const why = PEER[name].whyNot();
    return why === null ? [] : [{ name, why }];
  });
  if (missing.length > 0) progress(`left out, not installed: ${missing.map(({ why }) => why).join('; ')}`);
  return rows.filter(({ subject }) => !missing.some(({ name }) => name === subject));
}

/** One sink for each protocol, one process of a subject for each protocol and kind of rules. */
class Paths {
  readonly #sandbox: Sandbox;
  readonly #started = new Map<string, Subject>();

  constructor(sandbox: Sandbox) {
    this.#sandbox = sandbox;
  }

  async subjectOf(row: Row): Promise<Subject> {
    const { protocol, subject, load } = row;
    const large = subject.startsWith('postern') && isLarge(load);
    return await this.#once(`${subject} for ${protocol}${large ? ', large messages' : ''}`, async () => {
      if (subject === 'sink') return await startSink(this.#sandbox, protocol);
      const sink = await this.subjectOf({ ...row, subject: 'sink' });
      return await startSubject(subject, { sandbox: this.#sandbox, protocol, sink: sink.address, large });
    });
  }

  async #once(key: string, start: () => Promise<Subject>): Promise<Subject> {
    const running = this.#started.get(key);
    if (running !== undefined) return running;
    progress(`starting ${key}`);
    const subject = await start();
    this.#started.set(key, subject);
    return subject;
  }
}

async function runRounds(options: Options, messagesOf: (row: Row) => number): Promise<readonly RowResult[]> {
  const rows = runnable(options.rows);
  const sandbox = new Sandbox('bench');
  const paths = new Paths(sandbox);
  try {
    for (const row of rows) await paths.subjectOf(row);
    const samples = new Map<Row, Sample[]>(rows.map((row) => [row, []]));
    for (let round = 0; round <= options.rounds; round += 1) {
      progress(round === 0 ? 'warming up' : `round ${round} of ${options.rounds}`);
      for (const row of rows) {
        const sample = await measure(row, await paths.subjectOf(row), messagesOf(row));
        progress(`  ${row.name}: ${sample.messagesPerSecond.toFixed(0)} messages/s`);
        if (round > 0) samples.get(row)?.push(sample);
      }
    }
    return summarize(samples, messagesOf);
  } finally {
    await sandbox.close();
  }
}

async function measureAll(measurements: readonly Measurement[]): Promise<readonly Measured[]> {
  const results: Measured[] = [];
  for (const { name, measure: figuresOf } of measurements) {
    progress(name);
    results.push({ name, figures: await figuresOf() });
  }
  return results;
}

function writeJson(
  { rounds, usual, messages }: Options,
  rows: readonly RowResult[],
  figures: readonly Measured[],
): string {
  const folder = join('build', 'bench');
  mkdirSync(folder, { recursive: true });
  const at = new Date().toISOString();
  const [processor] = cpus();
  const results: Results = {
    at,
    machine: { node: process.version, kernel: release(), processors: cpus().length, model: processor?.model ?? '' },
    rounds,
    whole: usual && messages === null,
    results: rows,
    figures,
  };
  const file = join(folder, `${at.replaceAll(':', '-')}.json`);
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
  return file;
}

async function measureRows(options: Options): Promise<number> {
  const messagesOf = (row: Row) => Math.min(row.messages, options.messages ?? row.messages);
  const results = options.rows.length === 0 ? [] : await runRounds(options, messagesOf);
  if (results.length > 0) process.stdout.write(formatTable(results));
  const figures = await measureAll(options.measurements);
  process.stdout.write(formatFigures(figures));
  progress(`written to ${writeJson(options, results, figures)}`);
  return 0;
}

/** The programs that a run cannot do without. */
function needed({ run, rows, measurements }: Options): readonly string[] {
  if (run === 'chaos' || run === 'page') return [];
  if (run !== null) return ['smtp-sink'];
  const haproxy = rows.some(({ subject }) => subject === 'haproxy') ? ['haproxy'] : [];
  const clients = rows.length > 0 ? ['smtp-source', 'smtp-sink'] : [];
  return [...clients, ...haproxy, ...measurements.flatMap(({ programs }) => programs)];
}

async function main(): Promise<number> {
  let options: Options;
  try {
    options = readOptions(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const missing = missingPackages(needed(options));
  if (missing.length > 0) {
    process.stderr.write(`bench needs programs that are not installed: apt-get install ${missing.join(' ')}\n`);
    return 1;
  }
  switch (options.run) {
    case 'chaos':
      return await chaos({ messages: options.messages ?? 20_000, front: options.front });
    case 'soak':
      return await soak({ minutes: options.minutes });
    case 'large':
      return await large();
    case 'inline':
      return await inline();
    case 'page':
      return page();
    default:
      return await measureRows(options);
  }
}

process.exitCode = await main();
