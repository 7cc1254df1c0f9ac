/**
 * The literals that a pattern needs, and the one pass that looks for them: never may a text that matches be passed over.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RE2JS, RE2JSException } from 're2js';
import { foldForMatch } from '../../src/mail/text.ts';
import { classOf, type Found, Needles } from '../../src/rules/needles.ts';
import { requiredLiterals } from '../../src/rules/required-literals.ts';
import { missingCorpus, truthOf } from '../support/wire-corpus.ts';

for (const [pattern, literals] of [
  ['viagra', ['viagra']],
  ['free.*money', ['money']],
  ['From:.*MAILER-DAEMON', ['MAILER-DAEMON']],
  ['[Vv]irus [Ff]ound', ['virus found']],
  ['^subject:.*SARS', ['SARS']],
  ['^subject: SARS', ['subject: SARS']],
  ['v[i1]c[o0]d', ['vicod', 'vic0d', 'v1cod', 'v1c0d']],
  ['^(re|aw|antw): ', ['re: ', 'aw: ', 'antw: ']],
  ['(viagra|cialis)s?', ['viagras', 'viagra', 'cialiss', 'cialis']],
  ['colou?r', ['colour', 'color']],
  ['a(bc)+d', ['abc']],
  ['ab{2}c', ['ab']],
  ['(a|)b', ['ab', 'b']],
  ['ab?c{2,}d*', ['abc', 'ac']],
  ['x{0,3}yz|w\\.', ['yz', 'w.']],
  ['(?i)tulips?', ['tulips', 'tulip']],
  ['\\bsale\\b', ['sale']],
  ['(?:gro(?:ss|ß))', ['gross', 'groß']],
  ['[abcdef][abcdef][abcdef]xyz', ['axyz', 'bxyz', 'cxyz', 'dxyz', 'exyz', 'fxyz']],
  ['a|', null],
  ['.*', null],
  ['[a-z]+', null],
  ['[^]a]b', ['b']],
  ['[[:alpha:]]]x', [']x']],
  ['\\Qa.b\\E', null],
  ['\\x41', null],
  ['a{,2}', ['a{,2}']],
] as const) {
  test(`${pattern} needs ${JSON.stringify(literals)}`, () => {
    assert.deepEqual(requiredLiterals(pattern)?.literals ?? null, literals);
  });
}

test('only a pattern of characters alone is a whole literal', () => {
  for (const pattern of ['tulips', 'a\\.b', '10%']) assert.equal(requiredLiterals(pattern)?.whole, true, pattern);
  for (const pattern of ['^tulips', '(tulips)', '[Tt]ulips', 'tulips+', '(?i)a', 'a\\b'])
    assert.equal(requiredLiterals(pattern)?.whole, false, pattern);
});

/** Whether the pattern matches; not, where it is none. */
function matches(source: string, text: string): boolean {
  try {
    return RE2JS.compile(`(?i)${source}`).test(text);
  } catch (error) {
    if (error instanceof RE2JSException) return false;
    throw error;
  }
}

/** Whether the pattern may match, by its literals alone. */
function mayMatch(pattern: string, text: string): boolean {
  const required = requiredLiterals(pattern);
  if (required === null) return true;
  const needles = new Needles();
  for (const literal of required.literals) needles.add(literal);
  return needles.find(text).size > 0;
}

const character = fc.constantFrom(...'abkszABKSZ .-1ßſKéÉσςΣжЖ\u{1f337}');
const atom: fc.Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: character.map((one) => (one === '.' ? '\\.' : one)) },
  fc.constantFrom(
    '.',
    '^',
    '$',
    '\\b',
    '\\d',
    '\\w',
    '\\s',
    '\\.',
    '\\-',
    '[ab]',
    '[Kk]',
    '[^a]',
    '[]a]',
    '[[:digit:]]',
  ),
  fc.constantFrom('\\pL', '\\p{Greek}', '\\x{41}', '\\101', '(?i)', '(?s-m)', '{', '}', ']', '\\Qa|b\\E'),
);
const quantifier = fc.oneof(
  { weight: 5, arbitrary: fc.constant('') },
  fc.constantFrom('*', '+', '?', '{2}', '{0,2}', '{1,}', '+?', '{,2}'),
);
const { pattern } = fc.letrec<{ pattern: string; part: string }>((tie) => ({
  part: fc.oneof(
    { maxDepth: 4 },
    atom,
    tie('pattern').map((inner) => `(${inner})`),
    fc.tuple(fc.constantFrom('?:', '?i:', '?P<name>'), tie('pattern')).map(([kind, inner]) => `(${kind}${inner})`),
  ),
  pattern: fc
    .array(
      fc.array(
        fc.tuple(tie('part'), quantifier).map((both) => both.join('')),
        { maxLength: 5 },
      ),
      { minLength: 1, maxLength: 3 },
    )
    .map((branches) => branches.map((parts) => parts.join('')).join('|')),
}));
const textFor = fc.array(character, { maxLength: 12 }).map((some) => some.join(''));

test('no text that matches is passed over, in whatever case', () => {
  let matched = 0;
  fc.assert(
    fc.property(pattern, fc.array(textFor, { minLength: 20, maxLength: 20 }), fc.boolean(), (source, texts, fold) => {
      for (const one of texts) {
        const text = fold ? foldForMatch(one) : one;
        if (!matches(source, text)) continue;
        matched += 1;
        assert.ok(mayMatch(source, text), JSON.stringify({ source, text }));
      }
    }),
    { numRuns: 3000, seed: 1 },
  );
  assert.ok(matched > 5000);
});

test('characters that are one and the same without case are of one class', () => {
  const cased: string[] = [];
  for (let code = 0; code < 0x10000; code += 1) {
    const one = String.fromCharCode(code);
    if (one.toLowerCase() !== one || one.toUpperCase() !== one) cased.push(one);
  }
  const all = cased.join('');
  for (const one of cased) {
    const matcher = RE2JS.compile(`(?i)${one}`).matcher(all);
    while (matcher.find()) {
      const other = all.charCodeAt(matcher.start());
      assert.equal(classOf(other), classOf(one.charCodeAt(0)), `${one} and ${String.fromCharCode(other)}`);
    }
  }
});

test('needles find what stands in a text, and only the ends of long literals', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(
        fc.array(character, { minLength: 1, maxLength: 20 }).map((some) => some.join('')),
        { minLength: 1, maxLength: 40 },
      ),
      fc.array(character, { maxLength: 200 }).map((some) => some.join('')),
      (literals, text) => {
        const needles = new Needles();
        const ids = literals.map((literal) => needles.add(literal));
        const found = needles.find(text);
        for (const [index, literal] of literals.entries()) {
          if (text.includes(literal)) assert.ok(found.has(ids[index] ?? -1), literal);
          else if (found.has(ids[index] ?? -1)) assert.ok(classText(text).includes(classText(literal).slice(-24)));
        }
      },
    ),
    { numRuns: 2000, seed: 1 },
  );
});

/** A letter for each class; one for a run of white space. */
function classText(text: string): string {
  const classes = Array.from({ length: text.length }, (_, at) => classOf(text.charCodeAt(at)));
  const counted = classes.filter((one, at) => one !== classOf(0x20) || classes[at - 1] !== one);
  return counted.map((one) => String.fromCharCode(65 + one)).join('');
}

function placesOf(found: Found | null): readonly string[] {
  return (found?.places ?? []).flatMap(({ ids, end }) => ids.map((id) => `${id} before ${end}`));
}

test('octets tell what their text would, folded or as it is', () => {
  const marks = fc.constantFrom(...'abkABK.-1', ' ', ' ', '\t', '\r\n', '  ', '\x0b');
  const odd = fc.oneof({ weight: 400, arbitrary: marks }, fc.constantFrom('\0', '\x7f', '\xad', 'é', 'ſ'));
  const joined = (some: readonly string[]): string => some.join('');
  let [none, some] = [0, 0];
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.array(marks, { minLength: 3, maxLength: 30 }).map(joined), { minLength: 1, maxLength: 5 }),
      fc.array(odd, { maxLength: 120 }).map(joined),
      fc.nat(),
      fc.boolean(),
      (literals, around, at, holds) => {
        const [literal = ''] = literals;
        const place = at % (around.length + 1);
        const given = holds ? around.slice(0, place) + literal.toUpperCase() + around.slice(place) : around;
        const needles = new Needles();
        for (const one of literals) needles.add(one);
        // They may begin within a word of four.
        const octets = Buffer.from('?'.repeat(at % 4) + given).subarray(at % 4);
        const sought = needles.search({ text: given, octets });
        // From octets that are no ASCII nothing is known, and the text is gone through.
        const text = needles.search(given);
        assert.deepEqual(new Set(placesOf(sought)), new Set(placesOf(text)), JSON.stringify({ literals, given }));
        const found = literals.some((one) =>
          [given.toLowerCase(), foldForMatch(given)].some(
            (some) => some.includes(one) || some.includes(foldForMatch(one)),
          ),
        );
        if (!/^[\t-\r -~]*$/.test(given)) return;
        if (found) assert.notEqual(sought, null, JSON.stringify({ literals, given }));
        if (sought === null) none += 1;
        else {
          some += 1;
          assert.ok(literals.some((one) => classText(given).includes(classText(one).slice(-24))));
        }
      },
    ),
    { numRuns: 5000, seed: 1 },
  );
  assert.ok(none > 1000 && some > 1000, `${none} and ${some}`);
});

test('more literals than fit are looked for by shorter ends', () => {
  const needles = new Needles();
  const literals = Array.from({ length: 30_000 }, (_, index) => `word-${(index * 7919) % 999_983}-${index}`);
  const ids = literals.map((literal) => needles.add(literal));
  for (const at of [0, 12_345, 29_999]) {
    assert.ok(needles.find(`so ${literals[at]} it is`).has(ids[at] ?? -1));
    assert.ok(needles.find(`${literals[at]}`).has(ids[at] ?? -1));
  }
  assert.equal(needles.find('nothing at all').size, 0);
});

test("the literals of vger's patterns: none is passed over where it matches its own words", (t) => {
  if (missingCorpus !== null) {
    t.skip(missingCorpus);
    return;
  }
  let certain = 0;
  const rows = truthOf<{ readonly pattern: string }>('tables/filters/vger-majordomo-taboo-2007.jsonl');
  for (const { pattern: source } of rows) {
    const required = requiredLiterals(source);
    if (required !== null) certain += 1;
    const words = source.replace(/\\(.)/g, '$1');
    if (matches(source, words)) assert.ok(mayMatch(source, words), source);
  }
  t.diagnostic(`${certain} of ${rows.length} patterns have a literal`);
  assert.ok(certain > 1300);
});
