/**
 * case-headers - `headers:` of what a case expects: the header section with which the message goes on, edits of rules
 * applied.
 *
 *     headers: { X-Postern-Hold: first post, Subject: { starts_with: "[gardeners]" }, X-Loop: { exists: false } }
 */
import { z } from 'zod';
import type { ContentFacts, HeaderFacts } from '../core/facts.ts';
import type { HeaderEdit } from '../core/verdict.ts';
import { editContent } from '../mail/edit.ts';
import { parseHeader } from '../mail/header.ts';
import { listOf, text } from '../yaml/scalar.ts';
import type { Ask } from './condition.ts';
import type { MatchEnv } from './env.ts';
import { compileFields, type FieldWords, fieldWords, showFields } from './field-match.ts';
import { askNothing, asksSomething } from './match.ts';

/** A text, or several of which any will do, stand for `is`. */
export const expectedHeaders = z.record(
  z.string(),
  z.union([listOf(text), z.strictObject(fieldWords).refine(asksSomething, askNothing('contains: gardeners'))]),
);
export type ExpectedHeaders = z.output<typeof expectedHeaders>;

/** What is expected of the fields of a name. */
export interface ExpectedField {
  readonly name: string;
  readonly ask: Ask<HeaderFacts>;
  readonly raw: boolean;
}

export function compileHeaders(headers: ExpectedHeaders, env: MatchEnv): readonly ExpectedField[] {
  return Object.entries(headers).map(([name, wanted]) => {
    const words = wordsOf(wanted);
    const short = words !== wanted;
    const report: MatchEnv['report'] = (code, message, hint, [word, ...at] = []) =>
      env.report(code, message, hint, [name, ...(short || word === undefined ? [] : [word]), ...at]);
    return { name, ask: compileFields([name], words, { ...env, report }), raw: words.raw === true };
  });
}

function wordsOf(wanted: ExpectedHeaders[string]): FieldWords {
  return 'length' in wanted ? { is: wanted } : wanted;
}

/** The facts with the header section as it goes on. */
export async function edited(facts: ContentFacts, edits: readonly HeaderEdit[]): Promise<HeaderFacts> {
  const content = await editContent(facts.message.content, facts.header, edits);
  const slices: Buffer[] = [];
  for await (const slice of content.slices()) slices.push(slice);
  return { ...facts, header: parseHeader(Buffer.concat(slices)) };
}

/** The first of the fields that is not as expected, and what it is; null where all are. */
export async function wrongField(
  fields: readonly ExpectedField[],
  facts: HeaderFacts,
): Promise<{ readonly name: string; readonly got: string } | null> {
  for (const { name, ask, raw } of fields) {
    if (!(await ask(facts))) return { name, got: `${name}: ${showFields(facts, [name], raw)}` };
  }
  return null;
}

/** `X-Tag that is "a"`, for each. */
export function printHeaders(headers: ExpectedHeaders): string {
  const fields = Object.entries(headers).map(([name, wanted]) => {
    return `${name} ${printWords(wordsOf(wanted))}`;
  });
  return fields.join(', ');
}

/** `contains "a" or "b" and starts_with "c"`. */
export function printWords(words: object): string {
  const print = (value: unknown): string =>
    Array.isArray(value) ? value.map((one) => JSON.stringify(one)).join(' or ') : String(value);
  return Object.entries(words)
    .filter(([, value]) => value !== undefined)
    .map(([word, value]) => `${word} ${print(value)}`)
    .join(' and ');
}
