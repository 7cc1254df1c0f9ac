/**
 * The match words for texts: folding, patterns, and what they may cost.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compileLike } from '../../src/rules/like.ts';
import { PatternCache } from '../../src/rules/pattern.ts';
import { evaluate, load, rulesetOf } from './load.ts';

async function matches(words: string, header: string): Promise<boolean> {
  const text = `version: 1\nrules:\n  - { name: a, when: { header: { name: X-Foo, ${words} } }, then: { reject: "no" } }`;
  return (await evaluate({ list: rulesetOf('list', text) }, { header })).kind === 'reject';
}

const words: readonly { name: string; words: string; header: string; expect: boolean }[] = [
  { name: 'case', words: 'is: "STRASSE"', header: 'X-Foo: straße', expect: true },
  { name: 'case, raw', words: 'is: Tulips, raw: true', header: 'X-Foo: tulips', expect: false },
  { name: 'zero-width characters', words: 'contains: viagra', header: 'X-Foo: v\u200bi\u200dagra', expect: true },
  {
    name: 'compatibility forms',
    words: 'contains: viagra',
    header: 'X-Foo: \uff56\uff49\uff41\uff47\uff52\uff41',
    expect: true,
  },
  { name: 'encoded words', words: 'is: "grüße"', header: 'X-Foo: =?iso-8859-1?Q?Gr=FC=DFe?=', expect: true },
  {
    name: 'encoded words, raw',
    words: 'starts_with: "=?", raw: true',
    header: 'X-Foo: =?iso-8859-1?Q?Gr=FC=DFe?=',
    expect: true,
  },
  { name: 'folded lines', words: 'is: "a b"', header: 'X-Foo: a\n b', expect: true },
  { name: 'regex without case', words: 'regex: "TULIPS?$"', header: 'X-Foo: two tulips', expect: true },
  { name: 'regex with case, raw', words: 'regex: "TULIPS", raw: true', header: 'X-Foo: tulips', expect: false },
  { name: 'a regex of Unicode letters', words: "regex: '^\\p{Greek}+$'", header: 'X-Foo: αβγ', expect: true },
  { name: 'two words', words: 'starts_with: a, ends_with: z', header: 'X-Foo: a to z', expect: true },
  { name: 'two words, one fails', words: 'starts_with: a, ends_with: y', header: 'X-Foo: a to z', expect: false },
  { name: 'any of several values', words: 'ends_with: [x, z]', header: 'X-Foo: a to z', expect: true },
  { name: 'any of several fields', words: 'is: z', header: 'X-Foo: a\nX-Foo: z', expect: true },
  {
    name: 'the list in a longer value',
    words: 'contains: "<{list}>"',
    header: 'X-Foo: <Gardeners@lists.example.org>',
    expect: true,
  },
  { name: 'braces that name nothing', words: 'contains: "{tulips}"', header: 'X-Foo: {tulips}', expect: true },
  { name: 'empty is not absent', words: 'exists: true, empty: true', header: 'X-Bar: a', expect: false },
  { name: 'empty: false', words: 'empty: false', header: 'X-Foo: a', expect: true },
];

for (const { name, expect, header, ...given } of words) {
  test(name, async () => assert.equal(await matches(given.words, header), expect));
}

const likes: readonly { pattern: string; text: string; expect: boolean }[] = [
  { pattern: 'tulips', text: 'tulips', expect: true },
  { pattern: 'tulips', text: 'tulips!', expect: false },
  { pattern: '*', text: '', expect: true },
  { pattern: '?', text: '', expect: false },
  { pattern: '?', text: '\u{1f337}', expect: true },
  { pattern: 'a*a', text: 'a', expect: false },
  { pattern: 'a*a', text: 'aa', expect: true },
  { pattern: 'a**b', text: 'ab', expect: true },
  { pattern: '*ab*ab', text: 'ab', expect: false },
  { pattern: '*a?c*c', text: 'xabcabc', expect: true },
  { pattern: 'a.c', text: 'abc', expect: false },
  { pattern: '?*b', text: 'b', expect: false },
];

for (const { pattern, text, expect } of likes) {
  test(`"${text}" like "${pattern}"`, () => assert.equal(compileLike(pattern)(text), expect));
}

test('like is what the same regular expression says', () => {
  const letters = (marks: string) => fc.array(fc.constantFrom(...marks), { maxLength: 8 }).map((some) => some.join(''));
  fc.assert(
    fc.property(letters('ab*?\u{1f337}'), letters('ab\u{1f337}'), (pattern, text) => {
      const source = [...pattern].map((mark) => (mark === '*' ? '.*' : mark === '?' ? '.' : mark)).join('');
      assert.equal(compileLike(pattern)(text), new RegExp(`^(?:${source})$`, 'su').test(text));
    }),
    { numRuns: 3000, seed: 1 },
  );
});

const patterns: readonly { pattern: string; problem: RegExp | null }[] = [
  { pattern: '(a+)+$', problem: null },
  { pattern: '\\bsale\\b', problem: null },
  { pattern: '(?=a)', problem: /cannot be read/ },
  { pattern: '(a)\\1', problem: /cannot be read/ },
  { pattern: '[', problem: /cannot be read/ },
  { pattern: '([ab]{1,30}){1,30}z', problem: /too large/ },
];

for (const { pattern, problem } of patterns) {
  test(`regex ${pattern}`, () => {
    const found = new PatternCache().forFile().check(pattern, 'folded');
    if (problem === null) assert.equal(found, null);
    else assert.match(found?.message ?? '', problem);
  });
}

test('a file full of patterns that are too large is not compiled to its end', () => {
  const { check } = new PatternCache().forFile();
  const large = Array.from({ length: 6 }, (_, index) => check(`x{1000}y{${index}}`, 'exact'));
  assert.deepEqual(
    large.map((problem) => problem?.message === 'this pattern was not looked at'),
    [false, false, false, false, false, true],
  );
});

test('patterns have a budget for each message', () => {
  const patterns = new PatternCache().forFile();
  const { test: ask } = patterns.pattern('(a|b)*a(a|b){20}c', 'folded');
  const account = {};
  const text = `${'ab'.repeat(4000)}c`;
  assert.throws(() => {
    for (let asked = 0; asked < 1000; asked += 1) ask(text, account);
  }, /too long/);
  assert.equal(patterns.pattern('b', 'folded').test('b', {}), true);
});

test('a value that folds to nothing is an error, since it would be found everywhere', () => {
  const text = 'version: 1\nrules:\n  - { name: a, when: { subject: { contains: "\u200b" } }, then: { reject: "no" } }';
  assert.deepEqual(
    load('list', text).diagnostics.map(({ code }) => code),
    ['E_EMPTY'],
  );
});
