/**
 * values - the kinds of values that the configuration file has and no other file of ours, each with its own words for what
 * is wrong.
 */
import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { DEEPEST_LAYOUT } from '../core/layout.ts';
import { PLACEHOLDER_NAMES, placeholdersIn } from '../downstream/program-call.ts';
import { amount, count, duration, scalar } from '../yaml/scalar.ts';
import { nearest } from '../yaml/suggest.ts';

/** Timers of the platform go wrong beyond 24 days; nobody waits for more than a day. */
const LONGEST_WAIT = 24 * 60 * 60 * 1000;

/** One of `words`. */
export function choice<const W extends string>(words: readonly [W, ...W[]]) {
  return z.enum(words).meta({ title: words.join(' | ') });
}

export const positive = count.refine((value) => value > 0, {
  error: 'expected at least 1',
  params: { code: 'E_VALUE' },
});

export const wait = duration.refine((value) => value > 0 && value <= LONGEST_WAIT, {
  error: 'expected more than nothing and at most 24 hours',
  params: { code: 'E_DURATION' },
});

export const size = amount().refine((value) => value > 0, {
  error: 'expected more than nothing',
  params: { code: 'E_AMOUNT' },
});

/** A path; relative ones start at the folder of the configuration file. */
export const path = scalar('path', ['rules/system.yaml'], (source) => {
  if (source !== '') return { value: source };
  return { problem: { code: 'E_VALUE', message: 'expected a path, found an empty text' } };
});

const MOST_WORKERS = 64;

export const workers: z.ZodType<number> = scalar('count, or cores', ['cores'], (source) => {
  if (source === 'cores') return { value: Math.min(availableParallelism(), MOST_WORKERS) };
  const value = /^\d{1,3}$/.test(source) ? Number(source) : 0;
  if (value >= 1 && value <= MOST_WORKERS) return { value };
  const hint = `write a number from 1 to ${MOST_WORKERS}, or cores`;
  return { problem: { code: 'E_VALUE', message: `expected a number of processes, found "${source}"`, hint } };
});

const HOST_NAME = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/i;

export function isHostName(name: string): boolean {
  return HOST_NAME.test(name);
}

export const hostname = scalar('host name', ['lists.example.org'], (source) => {
  if (isHostName(source)) return { value: source };
  const hint = 'write letters, digits, hyphens and dots, like lists.example.org';
  return { problem: { code: 'E_VALUE', message: `"${source}" is not a host name`, hint } };
});

export const mode = scalar('octal mode', ['"0660"'], (source) => {
  if (/^0?[0-7]{3}$/.test(source)) return { value: Number.parseInt(source, 8) };
  const hint = 'write it like chmod does: "0660"';
  return { problem: { code: 'E_VALUE', message: `"${source}" is not an access mode`, hint } };
});

export const recipients = scalar('pattern', ['"*@lists.example.org"'], (source) => {
  if (/^\S*@[^\s@]*$/.test(source)) return { value: source.toLowerCase() };
  const hint = /^[\w*?-]+(\.[\w*?-]+)+$/.test(source) ? `write "*@${source}"` : 'write "*@lists.example.org"';
  return { problem: { code: 'E_PATTERN', message: `"${source}" cannot match a whole address`, hint } };
});

const NAME = /^[a-z0-9][a-z0-9_-]{0,63}$/i;

export const name = z.string().superRefine((value, context) => {
  if (NAME.test(value)) return;
  const hint = 'use up to 64 letters, digits, - and _';
  context.addIssue({ code: 'custom', message: `"${value}" cannot be a name`, params: { code: 'E_VALUE', hint } });
});

const depth = count.refine((value) => value > 0 && value <= DEEPEST_LAYOUT, {
  error: `expected 1 to ${DEEPEST_LAYOUT}`,
  params: { code: 'E_VALUE' },
});

export const depthKey = depth.optional().meta({
  description: 'How many folders a layout of user or md5 has, 1 by default.',
  examples: ['2'],
});

/** Path and arguments of a program, as they are given to the system: nothing of a shell. */
export const program = z
  .array(z.string())
  .min(1)
  .superRefine((words, context) => {
    for (const [index, word] of words.entries()) {
      const problem = programProblem(word, index);
      if (problem === null) continue;
      const params = { code: 'E_VALUE', hint: problem.hint };
      context.addIssue({ code: 'custom', message: problem.message, path: [index], params });
    }
  });

function programProblem(word: string, index: number): { readonly message: string; readonly hint: string } | null {
  if (/\p{Cc}/u.test(word)) return { message: 'a control character in a program call', hint: 'take it away' };
  if (index > 0 || word.startsWith('/')) return null;
  const hint = /\s/.test(word)
    ? 'write the path and each argument as an entry of the list'
    : 'write its whole path, like /usr/libexec/sendmail/mail.local';
  return { message: `"${word}" is not the path of a program`, hint };
}

/** A program that is run for each recipient. */
export const pipe = program.superRefine((words, context) => {
  for (const [index, word] of words.entries()) {
    const name = placeholdersIn(word).find((one) => index === 0 || !PLACEHOLDER_NAMES.includes(one));
    if (name === undefined) continue;
    const near = nearest(name, PLACEHOLDER_NAMES);
    const all = PLACEHOLDER_NAMES.map((one) => `{${one}}`).join(', ');
    const hint = near === null ? `choose one of: ${all}` : `did you mean "{${near}}"?`;
    const [message, told] =
      index === 0
        ? ['the path of the program holds a placeholder', 'only the arguments may depend on the message']
        : [`there is no placeholder "{${name}}"`, hint];
    context.addIssue({ code: 'custom', message, path: [index], params: { code: 'E_PLACEHOLDER', hint: told } });
  }
});
