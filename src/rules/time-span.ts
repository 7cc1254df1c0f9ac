/**
 * time-span - days of the week and hours of the day as rules write them, and the clock of a time zone.
 */
import { scalar } from '../yaml/scalar.ts';
import { nearest } from '../yaml/suggest.ts';

export const WEEKDAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const;
export type Weekday = (typeof WEEKDAYS)[number];

/** `monday` or `mon`, in any case. */
export const weekday = scalar('weekday', ['saturday'], (source) => {
  const lower = source.toLowerCase();
  const day = WEEKDAYS.find((name) => name === lower || (lower.length === 3 && name.startsWith(lower)));
  if (day !== undefined) return { value: day };
  const near = nearest(lower, WEEKDAYS);
  const hint = near === null ? 'write monday, or [saturday, sunday]' : `write ${near}`;
  return { problem: { code: 'E_VALUE', message: `"${source}" is not a day of the week`, hint } };
});

/** Minutes since midnight; a span whose end is not behind its start goes over midnight. */
export interface Hours {
  readonly from: number;
  readonly to: number;
}

/** `08:00-17:30`: the start belongs to it, the end does not. */
export const hours = scalar<Hours>('hours', ['"08:00-17:30"', '"22:00-06:00"'], (source) => {
  const [, fromHour, fromMinute, toHour, toMinute] = /^(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})$/.exec(source) ?? [];
  const from = minutes(fromHour, fromMinute);
  const to = minutes(toHour, toMinute);
  if (from !== null && to !== null && from < 1440 && from !== to) return { value: { from, to } };
  const message = `expected hours like "08:00-17:30", found "${source}"`;
  return { problem: { code: 'E_VALUE', message, hint: 'write two times of day, hours and minutes, in quotes' } };
});

function minutes(hour = '', minute = ''): number | null {
  if (hour === '' || Number(minute) > 59) return null;
  const sum = Number(hour) * 60 + Number(minute);
  return sum > 1440 ? null : sum;
}

export function isWithin({ from, to }: Hours, minute: number): boolean {
  return from < to ? minute >= from && minute < to : minute >= from || minute < to;
}

/** Day and minute of the day, for milliseconds since the epoch. */
export type Clock = (now: number) => { readonly day: Weekday; readonly minute: number };

/** The clock of a zone by its name in the IANA database, with summer time. */
export const zone = scalar<{ readonly clock: Clock }>('time zone', ['Europe/Berlin', 'UTC'], (source) => {
  const format = /^[A-Za-z]/.test(source) ? formatFor(source) : null;
  if (format !== null) return { value: { clock: (now) => read(format, now) } };
  const near = nearest(source, Intl.supportedValuesOf('timeZone'));
  const hint = near === null ? 'write one like Europe/Berlin, or UTC' : `write ${near}`;
  return { problem: { code: 'E_VALUE', message: `no time zone is called "${source}"`, hint } };
});

function formatFor(timeZone: string): Intl.DateTimeFormat | null {
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone,
      weekday: 'long',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    });
  } catch {
    return null;
  }
}

function read(format: Intl.DateTimeFormat, now: number): ReturnType<Clock> {
  const parts = new Map(format.formatToParts(now).map(({ type, value }) => [type, value]));
  const name = parts.get('weekday')?.toLowerCase();
  const day = WEEKDAYS.find((known) => known === name) ?? 'monday';
  return { day, minute: Number(parts.get('hour')) * 60 + Number(parts.get('minute')) };
}
