/**
 * explain-record - what became of a transaction, from its id and the log: `postern explain ID --log FILE`.
 */
import type { RecipientRecord, TransactionRecord } from '../core/log.ts';
import { type Streams, UsageError } from './command.ts';
import { type Found, findTransaction } from './log-search.ts';
import type { TraceStep } from '../rules/trace.ts';
import { PHASE_WORDS } from './phases.ts';
import { printStep } from './print-trace.ts';

/** `id` as it stands in a reply, with or without its brackets. */
export async function explainRecord(id: string, file: string, json: boolean, streams: Streams): Promise<number> {
  const wanted = /^\(?(?:id )?([0-9A-Z]{10})\)?$/i.exec(id.trim())?.[1]?.toUpperCase();
  if (wanted === undefined)
    throw new UsageError(`"${id}" is no id: those have ten letters and digits, like 8H6Q3T5W0K`);
  let found: Found;
  try {
    found = await findTransaction(file, wanted);
  } catch (error) {
    streams.err(`postern explain: ${file} cannot be read: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
  const { record, events, time } = found;
  if (record === null) {
    const hint = 'is it an older file, or is log.format not json? A transaction under way has no record yet.';
    streams.err(`postern explain: ${file} has no record of ${wanted}; ${hint}\n`);
    if (events.length === 0) return 1;
  }
  if (json) streams.out(`${JSON.stringify({ record, events }, null, 2)}\n`);
  else streams.out((record === null ? '' : printRecord(record, time)) + events.map(printEvent).join(''));
  return record === null ? 1 : 0;
}

const ENDS: Readonly<Record<string, string>> = {
  complete: 'received whole',
  aborted: 'the client left before the end of the content',
  'too-large': 'larger than limits.message',
  'bare-newline': 'a bare newline in the content',
  nul: 'a NUL octet in the content',
  reset: 'ended by the client before any content',
  closed: 'the client left before any content',
  error: 'an internal error, see the log',
};

function printRecord(record: TransactionRecord, time: string | null): string {
  const { id, listener, client, helo, from, size, end, ms, recipients } = record;
  return [
    `${id}  ${time ?? ''}  at ${listener}\n`,
    `  from <${printable(from)}>, client ${client ?? 'unknown'}, hello ${printable(helo) || 'none'}\n`,
    `  ${size} octets in ${ms} ms: ${ENDS[end] ?? end}\n`,
    ...recipients.map((one) => `\n${printRecipient(one)}`),
  ].join('');
}

function printRecipient(one: RecipientRecord): string {
  const instead = one.redirect === undefined ? '' : ` ${printable(one.redirect)}`;
  const to = `${instead}${one.downstream === null ? '' : ` to ${one.downstream}`}`;
  const at = one.phase === null ? '' : ` ${PHASE_WORDS[one.phase as keyof typeof PHASE_WORDS] ?? one.phase}`;
  const by = one.rule === null ? 'no rule decided' : `rule "${printable(one.rule)}" of ${printable(one.ruleset ?? '')}`;
  const address = one.to === one.list ? '' : `  (${one.role} of ${printable(one.list)})`;
  const decided = one.verdict === 'none' ? 'NO VERDICT' : one.verdict.toUpperCase();
  const took = typeof one.ms === 'number' ? `  (${one.ms} ms)` : '';
  const reply = one.reply === '' ? 'no reply was given' : printable(one.reply);
  return [
    `${printable(one.to)}${address}\n  ${decided}${to}${at}: ${by}\n  ${reply}${took}\n`,
    ...(one.copies ?? []).map((copy) => `  copy ${printable(`${copy.to} to ${copy.downstream}: ${copy.reply}`)}\n`),
    ...(one.notes ?? []).map((note) => `  note: ${printable(note)}\n`),
    one.score === undefined ? '' : `  score ${one.score}\n`,
    ...(one.shadow ?? []).map((rule) => `  shadow rule "${printable(rule)}" would have decided\n`),
  ].join('');
}

function printEvent({ time, level, event, id: _, ...detail }: Readonly<Record<string, unknown>>): string {
  const { to, steps } = detail;
  if (event === 'trace' && Array.isArray(steps)) {
    const lines = (steps as readonly TraceStep[]).map((step) => printStep(step, 2)).join('');
    return `\n${printable(`${String(to)}: the rules that were asked`)}\n${lines}`;
  }
  const words = Object.entries(detail)
    .filter(([key]) => key !== 'err')
    .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return `\n${printable([time, level, event, ...words].join(' '))}\n`;
}

/** Addresses come from the network: what could move a cursor is replaced. */
function printable(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '?');
}
