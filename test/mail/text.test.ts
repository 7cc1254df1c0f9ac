import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeText, encodeText, foldForMatch, LONGEST_DECODED } from '../../src/mail/text.ts';

const decoded: { name: string; given: string; expect: string }[] = [
  { name: 'plain', given: 'tulips', expect: 'tulips' },
  { name: 'Q', given: '=?utf-8?q?gr=C3=BC=C3=9Fe_an_alle?=', expect: 'grüße an alle' },
  { name: 'B', given: '=?UTF-8?B?Z3LDvMOfZQ==?=', expect: 'grüße' },
  { name: 'within text', given: 'Re: =?iso-8859-1?q?gr=FC=DFe?= !', expect: 'Re: grüße !' },
  { name: 'white space between words goes', given: '=?utf-8?q?a?= \t=?utf-8?q?b?= c', expect: 'ab c' },
  { name: 'words of two charsets', given: '=?utf-8?q?=C3=BC?= =?iso-8859-1?q?=FC?=', expect: 'üü' },
  { name: 'a character cut in two, Q', given: '=?utf-8?q?=C3?= =?UTF-8?q?=BC?=', expect: 'ü' },
  { name: 'a character cut in two, B', given: '=?utf-8?b?ww==?= =?utf-8?b?vA==?=', expect: 'ü' },
  { name: 'a character cut in two, Q and B', given: '=?utf-8?q?=C3?= =?utf-8?b?vA==?=', expect: 'ü' },
  { name: 'B without padding', given: '=?utf-8?b?YWI?= =?utf-8?b?Y2Q?=', expect: 'abcd' },
  { name: 'B with padding within', given: '=?utf-8?b?YWI=Y2Q=?=', expect: 'abcd' },
  { name: 'a language', given: '=?us-ascii*en?q?Keith_Moore?=', expect: 'Keith Moore' },
  { name: 'a charset that nobody knows', given: '=?x-klingon?q?gr=C3=BCn?=', expect: 'grün' },
  { name: 'a charset named like a property', given: '=?__proto__?q?a?= =?constructor?q?b?=', expect: 'ab' },
  { name: 'UTF-7 hides nothing', given: '=?utf-7?q?+ADw-b+AD4-?=', expect: '+ADw-b+AD4-' },
  { name: 'octets that are not UTF-8', given: '=?utf-8?q?gr=FCn?=', expect: 'gr\ufffdn' },
  { name: 'an encoding that nobody knows', given: '=?utf-8?x?abc?=', expect: '=?utf-8?x?abc?=' },
  { name: 'a word without end', given: 'a =?utf-8?q?bc', expect: 'a =?utf-8?q?bc' },
  { name: 'broken escapes', given: '=?utf-8?q?a=g_=?=', expect: 'a=g =' },
  { name: 'raw characters in a word', given: '=?utf-8?q?gr\u00fcn=20?=', expect: 'grün ' },
  { name: 'raw octets in a word of another charset', given: '=?iso-8859-1?q?gr\u00fcn?=', expect: 'grün' },
  { name: 'raw octets of their charset', given: '=?koi8-r?q?\u00d4?=', expect: 'т' },
  { name: 'raw characters that are no octets', given: '=?x-none?q?\u0442?=', expect: 'т' },
  { name: 'a word in quotes', given: '"=?utf-8?q?Ann?=" <ann@x>', expect: '"Ann" <ann@x>' },
  { name: 'decoded once only', given: '=?utf-8?q?=3D=3Futf-8=3Fq=3Fa=3F=3D?=', expect: '=?utf-8?q?a?=' },
];
for (const { name, given, expect } of decoded)
  test(`decodeText: ${name}`, () => assert.equal(decodeText(given), expect));

test('decodeText: what lies behind the limit stays as it stands', () => {
  const word = '=?utf-8?q?=C3=BC?= ';
  const text = decodeText(word.repeat(2 * (LONGEST_DECODED / word.length)));
  assert.ok(text.startsWith('üüü'));
  assert.ok(text.endsWith(word));
  assert.equal(decodeText('x'.repeat(LONGEST_DECODED) + word), 'x'.repeat(LONGEST_DECODED) + word);
});

test('property: decodeText never throws and leaves text without words alone', () => {
  const piece = fc.constantFrom(
    '=?',
    '?=',
    '?q?',
    '?B?',
    'utf-8',
    'iso-2022-jp',
    'gb2312',
    '=1B',
    '=',
    '_',
    ' ',
    'YQ==',
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(piece, fc.string({ maxLength: 4 })), { maxLength: 30 }), (pieces) => {
      const value = pieces.join('');
      const text = decodeText(value);
      if (!value.includes('=?')) assert.equal(text, value);
    }),
    { numRuns: 500 },
  );
});

const same: { name: string; one: string; other: string }[] = [
  { name: 'case', one: 'TULIPS Grün', other: 'tulips GRÜN' },
  { name: 'sharp s', one: 'STRASSE', other: 'straße' },
  { name: 'capital sharp s', one: 'STRAẞE', other: 'strasse' },
  { name: 'final sigma', one: 'ΟΔΟΣ', other: 'οδοσ' },
  { name: 'Kelvin, Angstrom, long s', one: '\u212a \u212b \u017f', other: 'k å s' },
  { name: 'full width', one: 'ｖｉａｇｒａ', other: 'viagra' },
  { name: 'ligatures', one: 'ﬁnance', other: 'finance' },
  { name: 'mathematical letters', one: '𝐯𝐢𝐚𝐠𝐫𝐚', other: 'viagra' },
  { name: 'composed and not', one: 'gru\u0308n', other: 'grün' },
  { name: 'zero-width characters', one: 'v\u200bi\u200ca\u200dg\u2060r\ufeffa', other: 'viagra' },
  { name: 'soft hyphens', one: 'vi\u00adagra', other: 'viagra' },
  { name: 'bidirectional controls', one: '\u202eviagra\u2066\u2069\u061c', other: 'viagra' },
  { name: 'variation selectors and tags', one: 'v\ufe0fi\u{e0100}agra\u{e0041}', other: 'viagra' },
  { name: 'fillers', one: 'vi\u3164ag\u115fra', other: 'viagra' },
  { name: 'control characters', one: 'vi\0ag\x1bra\x85', other: 'viagra' },
  { name: 'an invisible one before a combining one', one: 'u\u200b\u0308', other: 'ü' },
];
for (const { name, one, other } of same) {
  test(`foldForMatch: ${name}`, () => assert.equal(foldForMatch(one), foldForMatch(other)));
}

test('foldForMatch: white space is one blank, other letters stay what they are', () => {
  assert.equal(foldForMatch('a\tb  c\r\n d\u00a0e'), 'a b c d e');
  assert.notEqual(foldForMatch('ö'), foldForMatch('o'));
  assert.notEqual(foldForMatch('ı'), foldForMatch('l'));
});

test('foldForMatch: folding twice is folding once, and case makes no difference, for every character', () => {
  const rare = /[\u0345\u1f80-\u1ffc]/;
  for (let code = 0; code < 0x20000; code += 1) {
    if (code >= 0xd800 && code < 0xe000) continue;
    const text = `a${String.fromCodePoint(code)}\u0301b`;
    const folded = foldForMatch(text);
    assert.equal(foldForMatch(folded), folded, code.toString(16));
    // Iota subscripts change places with accents that follow: no mail has that.
    if (!rare.test(text))
      assert.equal(foldForMatch(text.toUpperCase()), foldForMatch(text.toLowerCase()), code.toString(16));
  }
});

const encoded: readonly { given: string; expect: string }[] = [
  { given: 'tulips [1]', expect: 'tulips [1]' },
  { given: '', expect: '' },
  { given: 'grün & rot?', expect: '=?UTF-8?Q?gr=C3=BCn_=26_rot=3F?=' },
  { given: '=?UTF-8?Q?x?=', expect: '=?UTF-8?Q?=3D=3FUTF-8=3FQ=3Fx=3F=3D?=' },
  { given: 'ü'.repeat(12), expect: `=?UTF-8?Q?${'=C3=BC'.repeat(10)}?= =?UTF-8?Q?${'=C3=BC'.repeat(2)}?=` },
];
for (const { given, expect } of encoded) {
  test(`encodeText: ${given}`, () => assert.equal(encodeText(given), expect));
}

test('property: what was encoded is decoded to the same, in words that are not too long', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), (given) => {
      const text = encodeText(given);
      assert.equal(decodeText(text), given);
      assert.match(text, /^[ -~]*$/);
      for (const word of text === given ? [] : text.split(' ')) assert.ok(word.length <= 75);
    }),
    { numRuns: 300 },
  );
});
