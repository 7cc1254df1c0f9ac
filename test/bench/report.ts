/**
 * report - samples of all rounds as medians, ratios and a table.
 *
 * A ratio is the median of the rounds' own ratios: rows of one round were measured one after the other, so that what
 * else the machine did meanwhile falls on both.
 */
import type { Measured } from './figures.ts';
import type { Sample } from './measure.ts';
import { type Spread, spread } from './quantile.ts';
import { baselineOf, counterpart, type Row } from './scenarios.ts';

export interface RowResult {
  readonly name: string;
  readonly subject: string;
  readonly protocol: string;
  readonly load: string;
  readonly messages: number;
  readonly messagesPerSecond: Spread;
  /** Microseconds. */
  readonly cpuPerMessage: Spread;
  /** Messages a second in relation to the same load through HAProxy, and to the bare sink; null where not measured. */
  readonly toHaproxy: Spread | null;
  readonly toSink: Spread | null;
  /** To Postern with the baseline rules, and of 100,000 lists to one; null for all but Posterns that differ. */
  readonly toBaseline: Spread | null;
}

/** What a run leaves in build/bench. */
export interface Results {
  readonly at: string;
  readonly machine: {
    readonly node: string;
    readonly kernel: string;
    readonly processors: number;
    readonly model: string;
  };
  readonly rounds: number;
  /** All the usual rows with their own numbers of messages. */
  readonly whole: boolean;
  readonly results: readonly RowResult[];
  readonly figures: readonly Measured[];
}

/** `samples` holds one sample a round for each row, rounds in order. */
export function summarize(
  samples: ReadonlyMap<Row, readonly Sample[]>,
  messagesOf: (row: Row) => number,
): readonly RowResult[] {
  const rows = [...samples.keys()];
  const rates = (row: Row): readonly number[] => (samples.get(row) ?? []).map((sample) => sample.messagesPerSecond);
  const baseline = (row: Row): Row | undefined => {
    const other = baselineOf(row.subject);
    return other === null ? undefined : counterpart(row, other, rows);
  };
  const ratio = (row: Row, other: Row | undefined): Spread | null => {
    if (other === undefined || other === row) return null;
    const others = rates(other);
    return spread(rates(row).map((rate, round) => rate / (others[round] ?? Number.NaN)));
  };
  return rows.map((row) => ({
    name: row.name,
    subject: row.subject,
    protocol: row.protocol,
    load: row.load.name,
    messages: messagesOf(row),
    messagesPerSecond: spread(rates(row)),
    cpuPerMessage: spread((samples.get(row) ?? []).map((sample) => sample.cpuPerMessage)),
    toHaproxy: ratio(row, counterpart(row, 'haproxy', rows)),
    toSink: ratio(row, counterpart(row, 'sink', rows)),
    toBaseline: ratio(row, baseline(row)),
  }));
}

const HEADINGS = ['', 'messages/s', '(min - max)', 'of haproxy', 'of sink', 'of baseline', 'CPU us/message'];

/** The table for people, a block for each load. */
export function formatTable(results: readonly RowResult[]): string {
  const blocks = [...new Set(results.map((result) => result.load))].map((load) => {
    const lines = results
      .filter((result) => result.load === load)
      .map(({ subject, protocol, messagesPerSecond: rate, toHaproxy, toSink, toBaseline, cpuPerMessage }) => [
        `${subject} ${protocol}`,
        rate.median.toFixed(0),
        `(${rate.min.toFixed(0)} - ${rate.max.toFixed(0)})`,
        toHaproxy?.median.toFixed(2) ?? '-',
        toSink?.median.toFixed(2) ?? '-',
        toBaseline?.median.toFixed(2) ?? '-',
        cpuPerMessage.median.toFixed(0),
      ]);
    return formatBlock([[load, ...HEADINGS.slice(1)], ...lines]);
  });
  return `${blocks.join('\n\n')}\n`;
}

function formatBlock(lines: readonly (readonly string[])[]): string {
  const widths = HEADINGS.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join('  '),
    )
    .join('\n');
}
