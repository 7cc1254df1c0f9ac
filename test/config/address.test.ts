import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  containedIn,
  formatAddress,
  formatNetwork,
  listenAddress,
  network,
  serverAddress,
} from '../../src/config/address.ts';

const addresses: readonly { given: string; expect: object | null; printed?: string }[] = [
  { given: '127.0.0.1:10024', expect: { host: '127.0.0.1', port: 10024 } },
  { given: '0.0.0.0:25', expect: { host: '0.0.0.0', port: 25 } },
  { given: 'localhost:25', expect: { host: 'localhost', port: 25 } },
  { given: 'mail_1.docker.example.:24', expect: { host: 'mail_1.docker.example.', port: 24 } },
  { given: '[::1]:10024', expect: { host: '::1', port: 10024 } },
  { given: '[fe80::1]:1', expect: { host: 'fe80::1', port: 1 } },
  { given: 'unix:/run/x.sock', expect: { path: '/run/x.sock' } },
  { given: 'unix:run/x.sock', expect: { path: 'run/x.sock' } },
  { given: ' 127.0.0.1:25 ', expect: { host: '127.0.0.1', port: 25 }, printed: '127.0.0.1:25' },
  { given: '', expect: null },
  { given: 'unix:', expect: null },
  { given: '/run/x.sock', expect: null },
  { given: '25', expect: null },
  { given: ':25', expect: null },
  { given: 'localhost', expect: null },
  { given: 'localhost:', expect: null },
  { given: 'localhost:smtp', expect: null },
  { given: 'localhost:65536', expect: null },
  { given: 'local host:25', expect: null },
  { given: '127.0.0.300:25', expect: null },
  { given: '127.1:25', expect: null },
  { given: '::1:25', expect: null },
  { given: '[localhost]:25', expect: null },
  { given: '[127.0.0.1]:25', expect: null },
  { given: '-a.example:25', expect: null },
];

for (const { given, expect, printed } of addresses) {
  test(`address ${JSON.stringify(given)}`, () => {
    const { data, success } = listenAddress.safeParse(given);
    assert.equal(success, expect !== null);
    assert.deepEqual(data ?? null, expect);
    if (data !== undefined) assert.equal(formatAddress(data), printed ?? given);
  });
}

test('port 0 is for listening only', () => {
  assert.equal(listenAddress.safeParse('127.0.0.1:0').success, true);
  assert.equal(serverAddress.safeParse('127.0.0.1:0').success, false);
});

const networks: readonly { given: string; expect: object | null; printed?: string }[] = [
  { given: '192.0.2.1', expect: { address: '192.0.2.1', prefix: 32 } },
  { given: '192.0.2.0/24', expect: { address: '192.0.2.0', prefix: 24 } },
  { given: '0.0.0.0/0', expect: { address: '0.0.0.0', prefix: 0 } },
  { given: '::1', expect: { address: '::1', prefix: 128 } },
  { given: '2001:db8::/32', expect: { address: '2001:db8::', prefix: 32 } },
  { given: '192.0.2.1/32', expect: { address: '192.0.2.1', prefix: 32 }, printed: '192.0.2.1' },
  { given: '192.0.2.0/33', expect: null },
  { given: '2001:db8::/129', expect: null },
  { given: '192.0.2', expect: null },
  { given: '192.0.2.0/', expect: null },
  { given: '192.0.2.0/255.255.255.0', expect: null },
  { given: 'localhost', expect: null },
  { given: '', expect: null },
];

for (const { given, expect, printed } of networks) {
  test(`network ${JSON.stringify(given)}`, () => {
    const { data } = network.safeParse(given);
    assert.deepEqual(data ?? null, expect);
    if (data !== undefined) assert.equal(formatNetwork(data), printed ?? given);
  });
}

const contained: readonly { networks: readonly string[]; given: string; expect: boolean }[] = [
  { networks: ['127.0.0.1', '::1'], given: '127.0.0.1', expect: true },
  { networks: ['127.0.0.1', '::1'], given: '::1', expect: true },
  { networks: ['127.0.0.1'], given: '::ffff:127.0.0.1', expect: true },
  { networks: ['127.0.0.1'], given: '127.0.0.2', expect: false },
  { networks: ['192.0.2.0/24'], given: '192.0.2.255', expect: true },
  { networks: ['192.0.2.77/24'], given: '192.0.2.1', expect: true },
  { networks: ['192.0.2.0/24'], given: '192.0.3.0', expect: false },
  { networks: ['0.0.0.0/0'], given: '203.0.113.9', expect: true },
  { networks: ['2001:db8::/32'], given: '2001:db8:1::1', expect: true },
  { networks: ['2001:db8::/32'], given: '2001:db9::1', expect: false },
  { networks: ['127.0.0.1'], given: '', expect: false },
  { networks: ['127.0.0.1'], given: 'localhost', expect: false },
  { networks: [], given: '127.0.0.1', expect: false },
];

for (const { networks: list, given, expect } of contained) {
  test(`${given || 'no address'} in ${list.join(', ') || 'nothing'}: ${expect}`, () => {
    const parsed = list.flatMap((one) => network.safeParse(one).data ?? []);
    assert.equal(containedIn(parsed)(given), expect);
  });
}
