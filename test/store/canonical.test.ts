/**
 * Canonical forms: what the author of a set said, and nothing more.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CanonicalProfile, canonicalKey } from '../../src/store/canonical.ts';

const profile: CanonicalProfile = {
  domains: new Map([
    ['gmail.com', ['detail', 'dots']],
    ['dots.example', ['dots']],
    ['as-is.example', []],
  ]),
  others: ['detail'],
};

const cases: readonly (readonly [string, string])[] = [
  ['ann@example.net', 'ann@example.net'],
  ['ann+lists@example.net', 'ann@example.net'],
  ['ann+a+b@example.net', 'ann@example.net'],
  ['+ann@example.net', '+ann@example.net'],
  ['a.n.n@example.net', 'a.n.n@example.net'],
  ['a.n.n+lists@gmail.com', 'ann@gmail.com'],
  ['a.n.n+x.y@dots.example', 'ann+xy@dots.example'],
  ['...@gmail.com', '...@gmail.com'],
  ['ann+x@as-is.example', 'ann+x@as-is.example'],
  ['ann+x@sub.gmail.com', 'ann@sub.gmail.com'],
  ['a@b+c@gmail.com', 'a@b@gmail.com'],
  ['', ''],
];

for (const [key, expect] of cases) test(`${key} as ${expect}`, () => assert.equal(canonicalKey(profile, key), expect));

test('the canonical form of a canonical form is itself', () => {
  for (const [key] of cases) {
    const once = canonicalKey(profile, key);
    assert.equal(canonicalKey(profile, once), once);
  }
});
