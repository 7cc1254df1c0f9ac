/**
 * log - the log on standard output: one JSON object a line by pino, or lines for people.
 */
import cluster from 'node:cluster';
import { pino } from 'pino';
import type { Log, TransactionRecord } from '../core/log.ts';
import type { TraceStep } from '../rules/trace.ts';
import { printStep } from './print-trace.ts';
import { printTransaction } from './transaction-line.ts';

export interface LogOptions {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error';
  readonly format: 'json' | 'pretty';
}

interface Destination {
  write(line: string): void;
}

/** `destination`: standard output where it is left out. */
export function createLog(options: LogOptions, destination: Destination = standardOutput()): Log {
  const sink =
    options.format === 'pretty' ? { write: (line: string) => destination.write(forPeople(line)) } : destination;
  const logger = pino(
    {
      level: options.level,
      base: null,
      timestamp: timeOfNow,
      formatters: { level: (label) => ({ level: label }) },
    },
    sink,
  );
  // Written as pino would, but in one piece: pino takes each key by itself, and this is the line of each message.
  const transaction = (record: TransactionRecord): void => {
    sink.write(`{"level":"info"${timeOfNow()},"event":"transaction",${printTransaction(record)}\n`);
  };
  return {
    transaction: logger.isLevelEnabled('info') ? transaction : () => {},
    ...(logger.isLevelEnabled('debug') ? { debug: (event, detail) => logger.debug({ event, ...detail }) } : {}),
    info: (event, detail) => logger.info({ event, ...detail }),
    warn: (event, detail) => logger.warn({ event, ...detail }),
    error: (event, error, detail) => logger.error({ event, ...detail, err: error }),
  };
}

let known = { at: 0, text: '' };

/** ISO 8601 with milliseconds, written out once for all lines of one millisecond. */
function timeOfNow(): string {
  const at = Date.now();
  if (at !== known.at) known = { at, text: `,"time":"${new Date(at).toISOString()}"` };
  return known.text;
}

/** Writes up to this size stay in one piece where several processes write to one pipe (pipe(7)). */
const PIPE_BUF = 4096;

/**
 * The lines of one turn of the event loop leave in one write: under load a write costs more than all the work on a line.
 * They are written before anything else is read, so that what was answered is also logged, however the process ends.
 */
function standardOutput(): Destination {
  const destination = pino.destination({ fd: 1, sync: true });
  let pending = '';
  const flush = (): void => {
    const lines = pending;
    pending = '';
    if (lines !== '') destination.write(lines);
  };
  process.on('exit', flush);
  return {
    write(line) {
      if (cluster.isWorker && Buffer.byteLength(pending) + Buffer.byteLength(line) > PIPE_BUF) flush();
      if (pending === '') setImmediate(flush);
      pending += line;
    },
  };
}

/** One line of JSON to lines that are pleasant to read: a transaction takes one for itself and one a recipient. */
function forPeople(json: string): string {
  const { time, level, event, err, ...detail } = JSON.parse(json) as Record<string, unknown>;
  const head = `${String(time).slice(11, 23)} ${String(level).padEnd(5)} ${String(event)}`;
  if (event === 'transaction') return `${head}${transactionForPeople(detail as unknown as TransactionRecord)}\n`;
  if (event === 'trace')
    return `${head} ${String(detail['id'])} to=<${String(detail['to'])}>\n${stepsForPeople(detail['steps'])}`;
  const words = Object.entries(detail).map(
    ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  const trouble = err !== null && typeof err === 'object' && 'stack' in err ? `\n  ${String(err.stack)}` : '';
  return `${[head, ...words].join(' ')}${trouble}\n`;
}

/** Of our own making: pino has just written it. */
function stepsForPeople(steps: unknown): string {
  return (steps as readonly TraceStep[]).map((step) => printStep(step, 2)).join('');
}

function transactionForPeople(record: TransactionRecord): string {
  const { id, listener, client, from, size, end, ms, recipients } = record;
  const lines = recipients.map((one) => {
    const instead = one.redirect === undefined ? '' : ` to <${one.redirect}>`;
    const copies = (one.copies ?? [])
      .map((copy) => `\n    copy to=<${copy.to}> via ${copy.downstream}: ${copy.reply}`)
      .join('');
    const by = one.rule === null ? '' : ` by ${one.ruleset}: ${one.rule}`;
    const via = one.downstream === null ? '' : ` via ${one.downstream}`;
    const score = one.score === undefined ? '' : ` score=${one.score}`;
    const shadow = one.shadow === undefined ? '' : ` (shadow: ${one.shadow.join(', ')})`;
    const notes = (one.notes ?? []).map((note) => `\n    note: ${note}`).join('');
    return `\n  to=<${one.to}> ${one.verdict}${instead}${by}${via}${score}: ${one.reply}${shadow}${copies}${notes}`;
  });
  return ` ${id} ${listener} client=${client ?? 'unknown'} from=<${from}> size=${size} end=${end} ${ms} ms${lines.join('')}`;
}
