/**
 * truth - forms in which the tables of others say what they say.
 */

/** A date-time of stalwart's mail-parser. */
export interface DateTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly tz_before_gmt: boolean;
  readonly tz_hour: number;
  readonly tz_minute: number;
}

/** Milliseconds since the epoch. */
export function timeOf(date: DateTime): number {
  const zone = (date.tz_hour * 60 + date.tz_minute) * 60_000 * (date.tz_before_gmt ? -1 : 1);
  return Date.UTC(date.year, date.month - 1, date.day, date.hour, date.minute, date.second) - zone;
}

/** Parsers differ in what they leave of a folded line's white space. */
export function oneBlank(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
