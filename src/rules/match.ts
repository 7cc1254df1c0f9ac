/**
 * match - the match words for texts: is, contains, starts_with, ends_with, like, regex.
 *
 * Texts are compared decoded and folded (mail/text.ts), what they are compared with is folded once, when the rule is
 * compiled; `raw: true` compares the value as it came. A regex sees the folded text and ignores case, without `raw`. All
 * words given must hold, of a list of values any.
 * `{list}` in a value stands for the address of the list.
 */
import { z } from 'zod';
import type { EnvelopeFacts } from '../core/facts.ts';
import type { HeaderField } from '../core/message.ts';
import { foldForMatch } from '../mail/text.ts';
import { flag, type IssueParams, listOf, text } from '../yaml/scalar.ts';
import type { YamlPath } from '../yaml/tree.ts';
import type { CompileEnv } from './env.ts';
import { compileLike } from './like.ts';

/** Whether a text matches. `text` is folded, unless the words say `raw`. */
export type TextTest = (text: string, facts: EnvelopeFacts) => boolean;

/** For the schema of a condition's argument. */
export const textWords = {
  is: matchWord('The whole text, without regard to case.', 'bulk', '[bulk, junk]'),
  contains: matchWord('The text is found somewhere, without regard to case.', 'tulips', '[roses, tulips]'),
  starts_with: matchWord('The text stands at the beginning.', '"[guest]"'),
  ends_with: matchWord('The text stands at the end.', '.exe'),
  like: matchWord('The whole text, with * for any characters and ? for one.', '"*tulips*"'),
  regex: matchWord(
    'A pattern that is found somewhere, in the syntax of RE2. In single quotes a backslash is a backslash.',
    "'\\bsale\\b'",
  ),
  raw: flag.optional().meta({
    description:
      'Compares what stands in the message, neither decoded nor folded: case and invisible characters count.',
    examples: ['true'],
  }),
};

/** A match word: one text or several, of which any will do. Examples are YAML. */
export function matchWord(description: string, ...examples: readonly string[]) {
  return listOf(text)
    .optional()
    .meta({ description, examples: [...examples] });
}

const schema = z.strictObject(textWords);
export type TextWords = z.output<typeof schema>;

/** Whether a match word is given beside `name` and `raw`, which alone ask nothing; for `refine`. */
export function asksSomething(words: object): boolean {
  return Object.entries(words).some(([word, value]) => word !== 'name' && word !== 'raw' && value !== undefined);
}

interface RefineParams {
  readonly error: string;
  readonly params: IssueParams;
  readonly when: (payload: { readonly issues: readonly unknown[] }) => boolean;
}

/** What `refine` says where none is given; `example` is a match word with its value. */
export function askNothing(example: string): RefineParams {
  return {
    error: 'there is no match word here',
    params: { code: 'E_MISSING_KEY', hint: `add one, like \`${example}\`` },
    // A word that is mistyped is reported as that.
    when: ({ issues }) => issues.length === 0,
  };
}

const LITERAL_WORDS = ['is', 'contains', 'starts_with', 'ends_with'] as const;
type LiteralWord = (typeof LITERAL_WORDS)[number];

/** The address of the list, in a value to compare with. */
const LIST = '{list}';
/** In characters. */
const LONGEST_PATTERN = 500;

const COMPARE: Readonly<Record<LiteralWord, (text: string, value: string) => boolean>> = {
  is: (text, value) => text === value,
  contains: (text, value) => text.includes(value),
  starts_with: (text, value) => text.startsWith(value),
  ends_with: (text, value) => text.endsWith(value),
};

/** null where no word is given: then every text will do. */
export function compileText(words: TextWords, env: CompileEnv): TextTest | null {
  return allOf(compileWords(words, env).map(anyOf));
}

/**
 * The tests of each word, one for each value; a text must satisfy one of each. For who asks long texts, of which a regex
 * sees `longest` characters, and wants to pause between two tests.
 */
export function compileWords(words: TextWords, env: CompileEnv, longest?: number): readonly (readonly TextTest[])[] {
  const raw = words.raw === true;
  const fold = raw ? (value: string) => value : foldForMatch;
  const tests: TextTest[][] = [];
  for (const word of LITERAL_WORDS) {
    const values = words[word];
    if (values === undefined) continue;
    tests.push(values.map((value, index) => literalTest(word, value, fold, env, [word, index])));
  }
  if (words.like !== undefined) {
    tests.push(words.like.map((value, index) => likeTest(value, fold, env, ['like', index])));
  }
  if (words.regex !== undefined) {
    tests.push(words.regex.map((value, index) => regexTest(value, raw, env, ['regex', index], longest)));
  }
  return tests;
}

const folded = new WeakMap<HeaderField, string>();

/** The text of a field as the words compare it; folded once for all rules and recipients that ask. */
export function textOf(field: HeaderField, raw: boolean): string {
  if (raw) return field.value;
  const known = folded.get(field);
  if (known !== undefined) return known;
  const fresh = foldForMatch(field.text);
  folded.set(field, fresh);
  return fresh;
}

type Fold = (value: string) => string;

function literalTest(word: LiteralWord, value: string, fold: Fold, env: CompileEnv, at: YamlPath): TextTest {
  const test = COMPARE[word];
  const fixed = fold(value);
  reportEmpty(fixed, env, at);
  if (!value.includes(LIST)) return (text) => test(text, fixed);
  return (text, { address }) => test(text, fold(value.replaceAll(LIST, address.list)));
}

export function likeTest(pattern: string, fold: Fold, env: CompileEnv, at: YamlPath): TextTest {
  const fixed = fold(pattern);
  reportEmpty(fixed, env, at);
  reportLong(pattern, env, at);
  const like = compileLike(fixed);
  if (!fixed.includes('?')) return like;
  // With marks a text may be gone through once for each character of the pattern.
  return (text, { answers }) => {
    env.patterns.charge(fixed.length * text.length, answers);
    return like(text);
  };
}

function regexTest(pattern: string, raw: boolean, env: CompileEnv, at: YamlPath, longest?: number): TextTest {
  const source = raw ? pattern : `(?i)${pattern}`;
  reportEmpty(pattern, env, at);
  const problem = reportLong(pattern, env, at) ? null : env.patterns.check(source);
  if (problem !== null) env.report('E_PATTERN', problem.message, problem.hint, at);
  return (text, { answers }) => env.patterns.test(source, text, answers, longest);
}

/** A value that folds to nothing would be found in every text. */
function reportEmpty(value: string, env: CompileEnv, at: YamlPath): void {
  if (value === '')
    env.report('E_EMPTY', 'there is nothing here to compare with', 'for an empty text say `empty: true`', at);
}

function reportLong(pattern: string, env: CompileEnv, at: YamlPath): boolean {
  const long = pattern.length > LONGEST_PATTERN;
  if (long) env.report('E_PATTERN', `the pattern is longer than ${LONGEST_PATTERN} characters`, null, at);
  return long;
}

export function anyOf(tests: readonly TextTest[]): TextTest {
  const [first, ...rest] = tests;
  if (first !== undefined && rest.length === 0) return first;
  return (text, facts) => tests.some((test) => test(text, facts));
}

/** null for no test at all. */
export function allOf(tests: readonly TextTest[]): TextTest | null {
  const [first, ...rest] = tests;
  if (first === undefined || rest.length === 0) return first ?? null;
  return (text, facts) => tests.every((test) => test(text, facts));
}
