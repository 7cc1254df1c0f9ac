/**
 * scalar - schemas of the values that YAML leaves as text: text, true or false, counts, sizes, durations, lists.
 *
 * Shared by the rules and the configuration. Units are required, because a number alone says nothing about itself.
 * The titles stand in the reference documentation as the type of a key.
 */
import { z } from 'zod';
import type { DiagnosticCode } from '../core/diagnostic.ts';

/** What a custom issue may carry beside its message; `validate` reads it. */
export interface IssueParams {
  readonly code: DiagnosticCode;
  readonly hint?: string;
}

/** A problem found while a text is read. */
export interface Problem extends IssueParams {
  readonly message: string;
}

/**
 * A schema over a text: `read` answers the value, or what is wrong with the text. `pattern` is for editors, and matches
 * whatever `read` takes.
 */
export function scalar<T extends string | number | boolean | object>(
  title: string,
  examples: readonly string[],
  read: (text: string) => { readonly value: T } | { readonly problem: Problem },
  pattern?: string,
): z.ZodType<T> {
  return z
    .string()
    .transform((source, context) => {
      const result = read(source.trim());
      if ('value' in result) return result.value;
      const { message, ...params } = result.problem;
      context.addIssue({ code: 'custom', message, params });
      return z.NEVER;
    })
    .meta({ title, examples: [...examples], ...(pattern === undefined ? {} : { pattern }) });
}

/** Any text, as it stands. */
export const text: z.ZodType<string> = z.string().meta({ title: 'text' });

/** `true` or `false`, nothing else: YAML's many other words for it are surprises. */
export const flag: z.ZodType<boolean> = scalar(
  'true or false',
  ['true', 'false'],
  (source) => {
    if (source === 'true') return { value: true };
    if (source === 'false') return { value: false };
    const meant = /^(yes|on|y|1)$/i.test(source) ? 'true' : /^(no|off|n|0)$/i.test(source) ? 'false' : null;
    const hint = meant === null ? 'write true or false' : `write ${meant}`;
    return { problem: { code: 'E_VALUE', message: `expected true or false, found "${source}"`, hint } };
  },
  '^(true|false)$',
);

/** A whole number from 0. */
export const count: z.ZodType<number> = scalar('count', ['100'], (source) => {
  if (/^\d{1,15}$/.test(source)) return { value: Number(source) };
  const hint = 'write digits only, like 100';
  return { problem: { code: 'E_VALUE', message: `expected a whole number, found "${source}"`, hint } };
});

/** A number that may have a sign and a fraction. */
export const decimal: z.ZodType<number> = scalar('number', ['5', '-1.5'], (source) => {
  if (/^[+-]?\d{1,6}(\.\d{1,6})?$/.test(source)) return { value: Number(source) };
  const hint = 'write digits, like 5 or -1.5';
  return { problem: { code: 'E_VALUE', message: `expected a number, found "${source}"`, hint } };
});

/** As mail software counts: 1 KB is 1024 octets. */
const OCTETS: ReadonlyMap<string, number> = new Map([
  ['B', 1],
  ['KB', 1024],
  ['MB', 1024 ** 2],
  ['GB', 1024 ** 3],
]);

/** Octets from a text like `20 MB`; the units are B, KB, MB and GB, in any case. */
export function amount(): z.ZodType<number> {
  return scalar(
    'size',
    ['20 MB', '500 KB'],
    (source) => {
      const [, digits, unit = ''] = /^(\d{1,9}(?:\.\d{1,3})?)\s*([a-z]*)$/i.exec(source) ?? [];
      const factor = OCTETS.get(unit.toUpperCase());
      if (digits !== undefined && factor !== undefined) return { value: Math.round(Number(digits) * factor) };
      const message = `expected a size like "20 MB", found "${source}"`;
      if (digits === undefined) return { problem: { code: 'E_AMOUNT', message, hint: sizeHint(source) } };
      const meant = [...OCTETS.keys()].find((known) => unit !== '' && known.startsWith(unit.charAt(0).toUpperCase()));
      const hint = meant === undefined ? `add the unit: ${digits} MB` : `write ${digits} ${meant}`;
      return { problem: { code: 'E_AMOUNT', message, hint } };
    },
    '^[0-9.]+ *[KMGkmg]?[Bb]$',
  );
}

function sizeHint(source: string): string {
  const [, whole, fraction] = /^(\d+),(\d+ *[KMG]?B)$/i.exec(source) ?? [];
  return whole === undefined ? 'write a number and B, KB, MB or GB' : `write a point: ${whole}.${fraction}`;
}

const MILLISECONDS: ReadonlyMap<string, number> = new Map([
  ['millisecond', 1],
  ['second', 1000],
  ['minute', 60_000],
  ['hour', 3_600_000],
  ['day', 86_400_000],
  ['week', 604_800_000],
]);

const SHORT_UNITS: ReadonlyMap<string, string> = new Map([
  ['ms', 'milliseconds'],
  ['s', 'seconds'],
  ['sec', 'seconds'],
  ['m', 'minutes'],
  ['min', 'minutes'],
  ['h', 'hours'],
  ['d', 'days'],
  ['w', 'weeks'],
]);

/** Milliseconds from a text like `5 minutes`; units are whole words, singular or plural, millisecond to week. */
export const duration: z.ZodType<number> = scalar(
  'duration',
  ['90 seconds', '5 minutes'],
  (source) => {
    const [, digits, unit = ''] = /^(\d{1,9})\s*([a-z]*)$/i.exec(source) ?? [];
    const factor = MILLISECONDS.get(unit.toLowerCase().replace(/s$/, ''));
    if (digits !== undefined && factor !== undefined) return { value: Number(digits) * factor };
    const message = `expected a duration like "5 minutes", found "${source}"`;
    if (digits === undefined) {
      return { problem: { code: 'E_DURATION', message, hint: 'write a number and seconds, minutes, hours or days' } };
    }
    const meant = SHORT_UNITS.get(unit.toLowerCase());
    const hint = meant === undefined ? `add the unit: ${digits} seconds` : `write ${digits} ${meant}`;
    return { problem: { code: 'E_DURATION', message, hint } };
  },
  '^[0-9]+ *[A-Za-z]{3,}$',
);

/** So many in so many milliseconds. */
export interface Frequency {
  readonly count: number;
  readonly period: number;
}

/** A count and a period from a text like `20 per day` or `5 per 10 minutes`. */
export const frequency: z.ZodType<Frequency> = scalar(
  'rate',
  ['20 per day', '5 per 10 minutes'],
  (source) => {
    const [, digits, many = '1', unit = ''] = /^(\d{1,9})\s+per\s+(?:(\d{1,6})\s+)?([a-z]+)$/i.exec(source) ?? [];
    const factor = MILLISECONDS.get(unit.toLowerCase().replace(/s$/, ''));
    if (digits !== undefined && factor !== undefined && Number(many) > 0) {
      return { value: { count: Number(digits), period: Number(many) * factor } };
    }
    const [, meant, slash] = /^(\d{1,9})(?: *messages?)?\s*(?:(?:\/|per|a|an)\s*([a-z]+))?$/i.exec(source) ?? [];
    const singular = slash?.toLowerCase().replace(/s$/, '') ?? 'day';
    const period = SHORT_UNITS.get(singular)?.replace(/s$/, '') ?? (MILLISECONDS.has(singular) ? singular : null);
    const hint =
      meant === undefined
        ? 'write a number and a period, like 20 per day'
        : slash === undefined
          ? `add the period: ${meant} per day`
          : period === null
            ? `write ${meant} per second, minute, hour, day or week`
            : `write ${meant} per ${period}`;
    return { problem: { code: 'E_AMOUNT', message: `expected an amount like "20 per day", found "${source}"`, hint } };
  },
  '^[0-9]+ +[Pp][Ee][Rr] +([0-9]+ +)?[A-Za-z]+$',
);

/** One value or a list of them, at least one; the result is always a list. */
export function listOf<T>(item: z.ZodType<T>): z.ZodType<readonly T[]> {
  const { title = 'word', examples = [] } = z.globalRegistry.get(item) ?? {};
  return z
    .union([z.array(item).min(1), item.transform((value): T[] => [value])])
    .meta({ title: `${title}, or a list of them`, examples });
}
