/**
 * log-search - the lines of a JSON log that speak of one transaction, found without holding the log in memory.
 */
import { createReadStream } from 'node:fs';
import type { TransactionRecord } from '../core/log.ts';

export interface Found {
  /** null where the log has no record of that id. */
  readonly record: TransactionRecord | null;
  /** What else was logged of the transaction, in order. */
  readonly events: readonly Readonly<Record<string, unknown>>[];
  readonly time: string | null;
}

/** Longer lines are no records of ours; their octets are not kept. */
const LONGEST_LINE = 1024 * 1024;
const MOST_EVENTS = 100;

/** `file` may be `-` for standard input. Rejects with the system's error where it cannot be read. */
export async function findTransaction(file: string, id: string): Promise<Found> {
  const events: Readonly<Record<string, unknown>>[] = [];
  for await (const line of linesWith(file, Buffer.from(`"id":"${id}"`))) {
    const entry = parse(line);
    if (entry?.['id'] !== id) continue;
    if (entry['event'] === 'transaction' && Array.isArray(entry['recipients'])) {
      return { record: entry as unknown as TransactionRecord, events, time: String(entry['time'] ?? '') };
    }
    if (events.length < MOST_EVENTS) events.push(entry);
  }
  return { record: null, events, time: null };
}

async function* linesWith(file: string, words: Buffer): AsyncGenerator<string> {
  const source: AsyncIterable<Buffer> =
    file === '-' ? process.stdin : createReadStream(file, { highWaterMark: 1 << 18 });
  let begun: Buffer[] = [];
  let size = 0;
  for await (const chunk of source) {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(0x0a, start);
      const piece = chunk.subarray(start, end === -1 ? chunk.length : end);
      size += piece.length;
      if (size <= LONGEST_LINE) begun.push(piece);
      else begun = [];
      if (end === -1) break;
      const line = begun.length === 1 ? piece : Buffer.concat(begun);
      if (line.includes(words)) yield line.toString('utf8');
      begun = [];
      size = 0;
      start = end + 1;
    }
  }
  const rest = Buffer.concat(begun);
  if (rest.includes(words)) yield rest.toString('utf8');
}

/** Lines may have something before the object, as syslog puts there. */
function parse(line: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(line.slice(line.indexOf('{')));
    return value !== null && typeof value === 'object' ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
