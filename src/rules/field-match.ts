/**
 * field-match - the match words for header fields: those for texts, and `exists`, `empty`.
 *
 * Of several fields with the name, one must satisfy all words for texts. `empty` says that no such field has a text: a
 * message without a Subject has an empty one.
 */
import { z } from 'zod';
import type { HeaderFacts } from '../core/facts.ts';
import type { Header, HeaderField } from '../core/message.ts';
import { flag } from '../yaml/scalar.ts';
import { type Answer, anyOne } from './asking.ts';
import { type Ask, askOnce } from './condition.ts';
import type { MatchEnv } from './env.ts';
import { compileText, textOf, textWords } from './match.ts';
import { type Haystack, literalsOf, type Needs } from './needs.ts';

/** For the schema of a condition's argument. */
export const fieldWords = {
  ...textWords,
  exists: flag.optional().meta({ description: 'Whether there is such a field.', examples: ['true'] }),
  empty: flag.optional().meta({ description: 'Whether no such field has a text.', examples: ['true'] }),
};

const schema = z.strictObject(fieldWords);
export type FieldWords = z.output<typeof schema>;

/** Asks the fields of any of the names. */
export function compileFields(names: readonly string[], words: FieldWords, env: MatchEnv): Ask<HeaderFacts> {
  const { exists, empty } = words;
  const raw = words.raw === true;
  const lowerNames = names.map((name) => name.toLowerCase());
  const test = compileText(words, env);
  const ask = (facts: HeaderFacts): Answer => {
    const { header } = facts;
    if (exists !== undefined && exists !== hasField(header, names)) return false;
    if (empty !== undefined && empty === hasText(header, names, raw)) return false;
    if (test === null) return true;
    const fields = fieldsOf(header, lowerNames);
    const [first] = fields;
    if (first === undefined) return false;
    return fields.length === 1
      ? test(textOf(first, raw), facts)
      : anyOne(fields, (field) => test(textOf(field, raw), facts));
  };
  // A pattern costs time, which is charged once.
  return words.regex === undefined && words.like === undefined ? ask : askOnce(ask);
}

/** What the fields must hold for the words to be true of them. */
export function needsOfFields(names: readonly string[], { exists, ...words }: FieldWords): Needs {
  const literals = literalsOf(words);
  const wantsText = Object.keys(words).some((word) => (WORDS as readonly string[]).includes(word));
  if (!wantsText && exists !== true && words.empty !== false) return null;
  return names.map((name) => ({ haystack: haystackOf(name, words.raw === true), literals }));
}

const WORDS = ['is', 'contains', 'starts_with', 'ends_with', 'like', 'regex'] as const;

function haystackOf(name: string, raw: boolean): Haystack {
  return {
    name: `${raw ? 'raw ' : ''}field ${name.toLowerCase()}`,
    phase: 'header',
    textsOf: (facts) =>
      facts.phase === 'envelope' ? null : facts.header.named(name).map((field) => textOf(field, raw)),
  };
}

function fieldsOf(header: Header, names: readonly string[]): readonly HeaderField[] {
  const [name = '', ...others] = names;
  return others.length === 0 ? header.named(name) : names.flatMap((one) => header.named(one));
}

function hasField(header: Header, names: readonly string[]): boolean {
  return names.some((name) => header.named(name).length > 0);
}

function hasText(header: Header, names: readonly string[], raw: boolean): boolean {
  return names.some((name) => header.named(name).some((field) => textOf(field, raw) !== ''));
}

/** Most fields and characters of each that `explain` shows. */
const SHOWN = 5;
const LONGEST_SHOWN = 200;

/** The fields as `explain` shows them. */
export function showFields({ header }: HeaderFacts, names: readonly string[], raw: boolean): string {
  const fields = names.flatMap((name) => header.named(name));
  if (fields.length === 0) return 'no such field';
  const texts = fields
    .slice(0, SHOWN)
    .map((field) => JSON.stringify((raw ? field.value : field.text).slice(0, LONGEST_SHOWN)));
  return [...texts, ...(fields.length > SHOWN ? ['...'] : [])].join(', ');
}
