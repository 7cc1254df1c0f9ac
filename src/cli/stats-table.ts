/**
 * stats-table - Stats as tables for a terminal.
 *
 * Names of lists come from the network: what could move a cursor is replaced.
 */
import type { DownstreamStats, Stats } from './tally.ts';

/** `now`: milliseconds since the epoch. */
export function printStats(stats: Stats, now: number): string {
  const { lastMinute, verdicts, replies } = stats;
  const processes = stats.processes === 1 ? '' : ` in ${stats.processes} processes`;
  const head = [
    `up ${period(now - stats.since)}${processes}; ${stats.connections} connections, ${stats.sessions} sessions, ${octets(stats.contentInMemory)} of content in memory`,
    `last minute: ${lastMinute.transactions} transactions, ${lastMinute.recipients} recipients, ${lastMinute.refused} of them refused`,
    `since start: ${stats.transactions} transactions, ${stats.recipients} recipients`,
  ];
  const share = (count: number): string => `${((100 * count) / Math.max(1, stats.recipients)).toFixed(1)} %`;
  const shares = (counts: Readonly<Record<string, number>>): readonly (readonly string[])[] =>
    Object.entries(counts)
      .sort(([, a], [, b]) => b - a)
      .map(([name, count]) => [name, `${count}`, share(count)]);
  return [
    `${head.join('\n')}\n`,
    table(['verdict', 'recipients', 'share'], shares(verdicts)),
    table(['reply', 'recipients', 'share'], shares(replies)),
    table(
      ['downstream, slowest first', 'state', 'recipients', 'failures', 'mean ms', 'longest ms'],
      [...stats.downstreams].sort((a, b) => mean(b) - mean(a)).map(downstream),
    ),
    table(
      ['list', 'recipients'],
      stats.lists.map(({ name, count }) => [name, `${count}`]),
    ),
    table(
      ['rule', 'decided'],
      stats.rules.map(({ name, count }) => [name, `${count}`]),
    ),
    table(
      ['rule, slowest first', 'mean ms', 'longest ms', 'measured'],
      stats.slowest.map((one) => [
        `${one.ruleset}: ${one.rule}`,
        (one.total / one.measured).toFixed(3),
        one.longest.toFixed(3),
        `${one.measured}`,
      ]),
    ),
    table(
      ['shadow rule', 'would have decided', 'of recipients'],
      stats.shadows.map((one) => [`${one.ruleset}: ${one.rule}`, `${one.matched}`, `${one.asked}`]),
    ),
  ]
    .filter((part) => part !== '')
    .join('\n');
}

function downstream(one: DownstreamStats): readonly string[] {
  const { name, up, deliveries, failures, longest } = one;
  return [name, up ? 'up' : 'DOWN', `${deliveries}`, `${failures}`, mean(one).toFixed(1), `${longest}`];
}

function mean({ total, deliveries }: DownstreamStats): number {
  return deliveries === 0 ? 0 : total / deliveries;
}

/** The first column to the left, the others to the right; nothing where there are no rows. */
function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const lines = [titles, ...rows.map((row) => row.map(printable))];
  const widths = titles.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)));
  return lines
    .map((line) => {
      const cells = line.map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      );
      return `${cells.join('  ')}\n`;
    })
    .join('');
}

function printable(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '?');
}

function period(milliseconds: number): string {
  const minutes = Math.max(0, Math.floor(milliseconds / 60_000));
  const [days, hours] = [Math.floor(minutes / 1440), Math.floor(minutes / 60) % 24];
  return days > 0 ? `${days} d ${hours} h` : `${hours} h ${minutes % 60} min`;
}

function octets(count: number): string {
  if (count < 1024) return `${count} B`;
  return count < 1024 ** 2 ? `${Math.round(count / 1024)} KB` : `${Math.round(count / 1024 ** 2)} MB`;
}
