/**
 * Content-Type and Content-Disposition as they come, with what others may read in them.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { withoutComments } from '../../src/mail/comment.ts';
import { parseContentField } from '../../src/mail/content-field.ts';

const comments: readonly { given: string; expect: string }[] = [
  { given: 'a (b) c', expect: 'a   c' },
  { given: '(a (b) c)d', expect: ' d' },
  { given: 'a "(b)" c', expect: 'a "(b)" c' },
  { given: 'a "\\"(b)" (c)', expect: 'a "\\"(b)"  ' },
  { given: '(a \\) b) c', expect: '  c' },
  { given: 'a (b', expect: 'a (b' },
  { given: 'a) b', expect: 'a) b' },
];
for (const { given, expect } of comments) {
  test(`withoutComments: ${given}`, () => assert.equal(withoutComments(given), expect));
}

const fields: readonly { given: string; value: string; name?: readonly string[] }[] = [
  { given: 'Text / Plain ; name=a', value: 'text/plain', name: ['a'] },
  { given: '(x) image (y) / (z) png (w)', value: 'image/png' },
  { given: 'a/b; name=a (comment)', value: 'a/b', name: ['a', 'a (comment)'] },
  { given: 'a/b; name=a (1).pdf', value: 'a/b', name: ['a (1).pdf'] },
  { given: 'a/b; name=a(1)', value: 'a/b', name: ['a(1)'] },
  { given: 'a/b; (x) name=a', value: 'a/b', name: ['a'] },
  { given: 'a/b; (x; y) name=a', value: 'a/b', name: ['a'] },
  { given: 'a/b name=a', value: 'a/b', name: ['a'] },
  { given: 'a/b; x=y name=a.exe', value: 'a/b', name: ['a.exe'] },
  { given: 'a/b; x="y" name="a.exe"', value: 'a/b', name: ['a.exe'] },
  { given: 'a/b; name=a b=c.exe', value: 'a/b', name: ['a', 'a b=c.exe'] },
  { given: "a/b; name*0*=utf-8''%C3%BC name*1=.exe", value: 'a/b', name: ['ü.exe', "utf-8''%C3%BC name*1=.exe"] },
  { given: 'a/b; name="a', value: 'a/b', name: ['a'] },
  { given: 'a/b; name=a; name=b', value: 'a/b', name: ['a', 'b'] },
];
for (const { given, value, name = [] } of fields) {
  test(`parseContentField: ${given}`, () => {
    const field = parseContentField(given);
    assert.deepEqual([field.value, field.all('name')], [value, name]);
  });
}

test('costs are linear: a field of 1 MB is read', () => {
  for (const piece of ['a=b ', ' ', '(', 'a="', ';', 'a=b;', '\\', 'a*0*=%', 'a = (x) ']) {
    const field = parseContentField(`a/b; ${piece.repeat(1_000_000 / piece.length)}`);
    assert.equal(field.value, 'a/b', piece);
  }
});

test('property: whatever is quoted is a value', () => {
  const text = fc.string({ unit: fc.constantFrom(...'ab =;()/*\'"\\'), minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(text, (name) => {
      const quoted = name.replace(/["\\]/g, '\\$&');
      assert.deepEqual(parseContentField(`a/b; x=y; name="${quoted}"; z=w`).all('name'), [name]);
    }),
    { numRuns: 500 },
  );
});
