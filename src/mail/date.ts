/**
 * date - the date-time of Date: and Received: as milliseconds (RFC 5322 section 3.3, obsolete forms of 4.3 included).
 *
 * JavaScript's own reading depends on the time zone of the server and accepts what is no date.
 */
import { withoutComments } from './comment.ts';

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const HOURS_OF_ZONE: ReadonlyMap<string, number> = new Map([
  ['edt', -4],
  ['est', -5],
  ['cdt', -5],
  ['cst', -6],
  ['mdt', -6],
  ['mst', -7],
  ['pdt', -7],
  ['pst', -8],
]);
const DATE_TIME =
  /^(?:[a-z]{3,9}\s*,?\s*)?(\d{1,2})\s+([a-z]{3})[a-z]*\s+(\d{2,4})\s+(\d{1,2})\s*:\s*(\d{2})(?:\s*:\s*(\d{2}))?(?:\s+([+-]\d{4}|[a-z]{1,5}))?\b/i;
const LONGEST = 200;

/** Milliseconds since the epoch; null if the value is no date. A zone that nobody knows is UTC (RFC 5322 section 4.3). */
export function parseDate(value: string): number | null {
  const bare = withoutComments(value.slice(0, LONGEST)).trim();
  const [, day = '', monthName = '', yearText = '', hour = '', minute = '', second = '0', zone = ''] =
    DATE_TIME.exec(bare) ?? [];
  const month = MONTHS.indexOf(monthName.toLowerCase());
  if (month === -1 || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return null;
  const year = fullYear(yearText);
  const midnight = Date.UTC(year, month, Number(day));
  if (new Date(midnight).getUTCDate() !== Number(day)) return null;
  const clock = (Number(hour) * 60 + Number(minute)) * 60 + Number(second);
  return midnight + clock * 1000 - offsetOf(zone);
}

/** Years of two and three digits (RFC 5322 section 4.3). */
function fullYear(text: string): number {
  const year = Number(text);
  if (text.length === 2) return year < 50 ? 2000 + year : 1900 + year;
  return text.length === 3 ? 1900 + year : year;
}

/** Milliseconds that the zone is ahead of UTC. */
function offsetOf(zone: string): number {
  const [, sign, hours = '', minutes = ''] = /^([+-])(\d{2})(\d{2})$/.exec(zone) ?? [];
  if (sign === undefined) return (HOURS_OF_ZONE.get(zone.toLowerCase()) ?? 0) * 3_600_000;
  const ahead = (Number(hours) * 60 + Number(minutes)) * 60_000;
  return sign === '-' ? -ahead : ahead;
}
