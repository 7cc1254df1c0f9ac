import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { matches, routeOf } from '../../src/config/routes.ts';

const patterns: readonly { pattern: string; text: string; expect: boolean }[] = [
  { pattern: '*@lists.example.org', text: 'gardeners@lists.example.org', expect: true },
  { pattern: '*@lists.example.org', text: 'a@b@lists.example.org', expect: true },
  { pattern: '*@lists.example.org', text: 'gardeners@lists.example.org.evil.example', expect: false },
  { pattern: '*@lists.example.org', text: 'gardeners@news.lists.example.org', expect: false },
  { pattern: '*@*.example.org', text: 'x@lists.example.org', expect: true },
  { pattern: '*@*.example.org', text: 'x@example.org', expect: false },
  { pattern: 'news-?@x', text: 'news-1@x', expect: true },
  { pattern: 'news-?@x', text: 'news-@x', expect: false },
  { pattern: 'news-?@x', text: 'news-😀@x', expect: true },
  { pattern: '?*@x', text: '@x', expect: false },
  { pattern: '*a*b*@x', text: 'a-a-b-a@x', expect: true },
  { pattern: '*a*b*@x', text: 'b-a@x', expect: false },
  { pattern: '*@*', text: 'a@', expect: true },
  { pattern: 'a.b@x', text: 'a-b@x', expect: false },
  { pattern: 'a*', text: 'a*', expect: true },
  { pattern: '', text: '', expect: true },
  { pattern: '**', text: '', expect: true },
];

for (const { pattern, text, expect } of patterns) {
  test(`${pattern} ${expect ? 'matches' : 'does not match'} ${text}`, () =>
    assert.equal(matches(pattern, text), expect));
}

test('agrees with a regular expression', () => {
  const letter = fc.constantFrom('a', 'b', '@');
  const text = fc.array(letter, { maxLength: 12 }).map((letters) => letters.join(''));
  const pattern = fc
    .array(fc.oneof(letter, fc.constantFrom('*', '?')), { maxLength: 8 })
    .map((signs) => signs.join(''));
  fc.assert(
    fc.property(pattern, text, (glob, given) => {
      const expression = new RegExp(`^${glob.replaceAll('*', '.*').replaceAll('?', '.')}$`);
      assert.equal(matches(glob, given), expression.test(given));
    }),
    { numRuns: 1000 },
  );
});

test('a pattern made to be slow is not', () => {
  assert.equal(matches(`${'*a'.repeat(60)}b`, 'a'.repeat(5000)), false);
});

const routes = [
  { recipients: ['*@lists.example.org', '*@news.example.org'], to: 'mailman' },
  { recipients: ['boss@*'], to: 'inbox' },
  { recipients: null, to: 'rest' },
];

const recipients: readonly { localPart: string; domain: string; expect: string }[] = [
  { localPart: 'gardeners', domain: 'lists.example.org', expect: 'mailman' },
  { localPart: 'Gardeners', domain: 'news.example.org', expect: 'mailman' },
  { localPart: 'BOSS', domain: 'example.org', expect: 'inbox' },
  { localPart: 'boss', domain: 'lists.example.org', expect: 'mailman' },
  { localPart: 'boss', domain: '', expect: 'inbox' },
  { localPart: 'x@lists.example.org', domain: 'example.net', expect: 'rest' },
];

for (const { localPart, domain, expect } of recipients) {
  test(`${localPart} at ${domain || 'no domain'} goes to ${expect}`, () => {
    assert.equal(routeOf(routes, { localPart, domain }), expect);
  });
}

test('routes without a last one are a bug, not a choice', () => {
  assert.throws(() => routeOf(routes.slice(0, 1), { localPart: 'a', domain: 'b' }));
});
