/**
 * Addresses as keys, and entries as people write them.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressKey, addressSet, parseAddressEntry } from '../../src/store/address.ts';

const entries: readonly { given: string; expect: string | null }[] = [
  { given: 'ann@example.net', expect: 'address ann@example.net' },
  { given: ' Ann@Example.NET ', expect: 'address ann@example.net' },
  { given: 'Ann Example <ann@example.net>', expect: 'address ann@example.net' },
  { given: '"a b"@example.net', expect: 'address a b@example.net' },
  { given: '"a@b"@example.net', expect: 'address a@b@example.net' },
  { given: '"a\\"b"@example.net', expect: 'address a"b@example.net' },
  { given: 'ann@bücher.example', expect: 'address ann@xn--bcher-kva.example' },
  { given: 'ann@example.net.', expect: 'address ann@example.net' },
  { given: 'ann+list@example.net', expect: 'address ann+list@example.net' },
  { given: 'ann@[192.0.2.1]', expect: 'address ann@[192.0.2.1]' },
  { given: '*@example.net', expect: 'domain example.net' },
  { given: 'a*@example.net', expect: null },
  { given: 'ann@*.example.net', expect: null },
  { given: 'ann', expect: null },
  { given: '@example.net', expect: null },
  { given: 'ann@', expect: null },
  { given: 'ann@a@b', expect: null },
  { given: 'ann, bob@example.net', expect: null },
  { given: 'ann@example.net bob@example.net', expect: null },
  { given: `${'a'.repeat(300)}@example.net`, expect: null },
  { given: '<html>', expect: null },
  { given: '', expect: null },
];

for (const { given, expect } of entries) {
  test(JSON.stringify(given.slice(0, 40)), () => {
    const entry = parseAddressEntry(given);
    assert.equal(entry === null ? null : `${entry.kind} ${entry.key}`, expect);
  });
}

test('a set finds addresses without case, and all of a domain', () => {
  const set = addressSet(['Ann@example.net', '*@example.org'].flatMap((text) => parseAddressEntry(text) ?? []));
  const has = (localPart: string, domain: string) => set.has(addressKey({ localPart, domain }));
  assert.equal(has('ANN', 'example.net'), true);
  assert.equal(has('bob', 'example.net'), false);
  assert.equal(has('anybody', 'example.org'), true);
  assert.equal(has('anybody', 'mail.example.org'), false);
  assert.equal(has('x@example.org', 'example.net'), false);
});
