/**
 * Sets that stand in a file of rules: networks.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inlineNetworks, parseNetwork } from '../../src/store/inline.ts';

const { signal } = new AbortController();

const networks: readonly { given: string; inside: readonly string[]; outside: readonly string[] }[] = [
  { given: '192.0.2.7', inside: ['192.0.2.7', '::ffff:192.0.2.7'], outside: ['192.0.2.8', '::1', '', 'nonsense'] },
  { given: '192.0.2.0/24', inside: ['192.0.2.255'], outside: ['192.0.3.0'] },
  { given: '0.0.0.0/0', inside: ['203.0.113.9'], outside: ['2001:db8::1'] },
  { given: '2001:db8::/32', inside: ['2001:DB8:ffff::1'], outside: ['2001:db9::1', '192.0.2.1'] },
  { given: 'fe80::/10', inside: ['fe80::1%eth0'], outside: ['ff80::1'] },
];

for (const { given, inside, outside } of networks) {
  test(given, () => {
    const network = parseNetwork(given);
    assert.ok(network !== null);
    const store = inlineNetworks.open([network]);
    for (const address of inside) assert.equal(store.has(address, signal), true, address);
    for (const address of outside) assert.equal(store.has(address, signal), false, address);
  });
}

for (const given of [
  '',
  '192.0.2',
  '192.0.2.0/33',
  '192.0.2.0/',
  '192.0.2.0/2/4',
  '2001:db8::/129',
  'localhost',
  'fe80::1%eth0',
  '192.0.2.0/-1',
]) {
  test(`"${given}" is no network`, () => assert.equal(parseNetwork(given), null));
}
