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
import { Kept } from '../core/kept.ts';
import type { HeaderField } from '../core/message.ts';
import { foldForMatch } from '../mail/text.ts';
import { flag, type IssueParams, listOf, text } from '../yaml/scalar.ts';
import type { YamlPath } from '../yaml/tree.ts';
import { type Answer, anyOne, everyOne } from './asking.ts';
import type { MatchEnv } from './env.ts';
import { compileLike, literalOfLike } from './like.ts';
import { reportMarks, reportPlain } from './marks.ts';
import { pause, spend } from './pace.ts';
import { LITERAL_CHARACTERS } from './pattern.ts';

/** Whether a text matches. `text` is folded, unless the words say `raw`. A promise only where others must have their turn. */
export type TextTest = (text: string, facts: EnvelopeFacts) => Answer;

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

/** Whether the words are the same for every list, and to compare by them charges nothing. */
export function isForEveryList({ regex, like, ...words }: TextWords): boolean {
  const values = LITERAL_WORDS.flatMap((word) => words[word] ?? []);
  return regex === undefined && like === undefined && !values.some((value) => value.includes(LIST));
}

const LITERAL_WORDS = ['is', 'contains', 'starts_with', 'ends_with'] as const;
type LiteralWord = (typeof LITERAL_WORDS)[number];

/** The address of the list, in a value to compare with. */
const LIST = '{list}';
/** In characters. */
export const LONGEST_PATTERN = 500;
/** Values of one word that are looked for together, in one pass. */
const MANY = 8;
/** Characters from which on a text is a long one. */
const LONG = 1024;

const COMPARE: Readonly<Record<LiteralWord, (text: string, value: string) => boolean>> = {
  is: (text, value) => text === value,
  contains: (text, value) => text.includes(value),
  starts_with: (text, value) => text.startsWith(value),
  ends_with: (text, value) => text.endsWith(value),
};

/**
 * null where no word is given: then every text will do. For who asks long texts: of these a regex sees `longest` characters.
 */
export function compileText(words: TextWords, env: MatchEnv, longest?: number): TextTest | null {
  const raw = words.raw === true;
  const fold = raw ? (value: string) => value : foldForMatch;
  const tests: TextTest[] = [];
  const gates: TextTest[] = [];
  for (const word of LITERAL_WORDS) {
    const values = words[word];
    if (values === undefined) continue;
    const some = values.map((value, index) => literalTest(word, value, fold, env, [word, index]));
    tests.push(values.length < MANY ? anyOf(some) : anyOf(sifted(values.map(fold), some, env)));
  }
  const add = (asked: readonly CostlyTest[] | undefined): void => {
    if (asked === undefined) return;
    tests.push(anyOf(asked.map(({ test }) => test)));
    if (asked.every(({ gate }) => gate !== null)) gates.push(anyOf(asked.flatMap(({ gate }) => gate ?? [])));
  };
  if (words.like?.every((value) => !/[*?]/.test(value))) reportPlain(words.like[0] ?? '', env);
  add(words.like?.map((value, index) => compileLikeTest(value, fold, env, ['like', index])));
  add(words.regex?.map((value, index) => regexTest(value, raw, env, ['regex', index], longest)));
  // Nothing is charged before it is known that each word may hold.
  return allOf([...(gates.length > 1 ? gates : []), ...tests]);
}

const folded = new Kept<HeaderField, string>();

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

/** Tests, each of which is asked only where the text may hold its value. */
function sifted(values: readonly string[], tests: readonly TextTest[], { patterns }: MatchEnv): readonly TextTest[] {
  const { needles } = patterns;
  return tests.map((test, index): TextTest => {
    const value = values[index] ?? '';
    if (value === '' || value.includes(LIST)) return test;
    const id = [needles.add(value)];
    return (text, facts) => needles.mayHold(text, id) && test(text, facts);
  });
}

/** Others have their turn before a long text is gone through. */
function paced(test: TextTest): TextTest {
  return (text, facts) => {
    if (text.length < LONG) return test(text, facts);
    const ask = (): Answer => {
      spend(Math.ceil(text.length / LITERAL_CHARACTERS));
      return test(text, facts);
    };
    const wait = pause();
    return wait === null ? ask() : wait.then(ask);
  };
}

function literalTest(word: LiteralWord, value: string, fold: Fold, env: MatchEnv, at: YamlPath): TextTest {
  const test = COMPARE[word];
  const fixed = fold(value);
  reportEmpty(fixed, env, at);
  reportMarks(word, value, env, at);
  if (!value.includes(LIST)) return paced((text) => test(text, fixed));
  return paced((text, { address }) => test(text, fold(value.replaceAll(LIST, address.list))));
}

/** `gate` tells, without a charge, whether the test may hold; null where nothing is certain. */
interface CostlyTest {
  readonly gate: TextTest | null;
  readonly test: TextTest;
}

export function likeTest(pattern: string, fold: Fold, env: MatchEnv, at: YamlPath): TextTest {
  return compileLikeTest(pattern, fold, env, at).test;
}

function compileLikeTest(pattern: string, fold: Fold, env: MatchEnv, at: YamlPath): CostlyTest {
  const fixed = fold(pattern);
  reportEmpty(fixed, env, at);
  reportMarks('like', pattern, env, at);
  reportLong(pattern, env, at);
  const like = compileLike(fixed);
  const literal = literalOfLike(fixed);
  const gate = literal === '' ? null : (text: string) => text.includes(literal);
  if (!fixed.includes('?')) return { gate, test: paced(like) };
  // With marks a text may be gone through once for each character of the pattern.
  const test = inTurn((text, { answers }) => {
    env.patterns.charge(fixed.length * text.length, answers);
    return like(text);
  });
  return { gate, test: gate === null ? test : (text, facts) => gate(text) && test(text, facts) };
}

function regexTest(pattern: string, raw: boolean, env: MatchEnv, at: YamlPath, longest?: number): CostlyTest {
  const mode = raw ? 'exact' : 'folded';
  reportEmpty(pattern, env, at);
  reportMarks('regex', pattern, env, at);
  const problem = reportLong(pattern, env, at) ? null : env.patterns.check(pattern, mode);
  if (problem !== null) {
    const hint = /^[*?]/.test(pattern) ? `where * stands for any characters, write like: "${pattern}"` : problem.hint;
    env.report('E_PATTERN', problem.message, hint, at);
  }
  const { needs, test } = env.patterns.pattern(pattern, mode, longest);
  const { needles } = env.patterns;
  const asked = inTurn((text, { answers }) => test(text, answers));
  if (needs === null) return { gate: null, test: asked };
  const gate = (text: string): boolean => needles.mayHold(text, needs);
  return { gate, test: (text, facts) => gate(text) && asked(text, facts) };
}

/** Asks when others have had their turn. */
function inTurn(test: (text: string, facts: EnvelopeFacts) => boolean): TextTest {
  return (text, facts) => {
    const wait = pause();
    return wait === null ? test(text, facts) : wait.then(() => test(text, facts));
  };
}

/** A value that folds to nothing would be found in every text. */
function reportEmpty(value: string, env: MatchEnv, at: YamlPath): void {
  if (value === '')
    env.report('E_EMPTY', 'there is nothing here to compare with', 'for an empty text say `empty: true`', at);
}

function reportLong(pattern: string, env: MatchEnv, at: YamlPath): boolean {
  const long = pattern.length > LONGEST_PATTERN;
  if (long) env.report('E_PATTERN', `the pattern is longer than ${LONGEST_PATTERN} characters`, null, at);
  return long;
}

export function anyOf(tests: readonly TextTest[]): TextTest {
  const [first, ...rest] = tests;
  if (first !== undefined && rest.length === 0) return first;
  return (text, facts) => anyOne(tests, (test) => test(text, facts));
}

/** null for no test at all. */
export function allOf(tests: readonly TextTest[]): TextTest | null {
  const [first, ...rest] = tests;
  if (first === undefined || rest.length === 0) return first ?? null;
  return (text, facts) => everyOne(tests, (test) => test(text, facts));
}
