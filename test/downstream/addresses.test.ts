import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Addresses } from '../../src/downstream/addresses.ts';
import { bench } from './bench.ts';
import { all, close, hang, type Script, startScriptedServer } from './scripted-server.ts';

const [A, B, C] = [{ path: '/a' }, { path: '/b' }, { path: '/c' }];
const OK = '250 2.0.0 Ok';

test('an address that failed is put behind the others for a minute, then one delivery tries it', () => {
  let now = 1_000_000;
  const addresses = new Addresses([A, B, C], () => now);
  assert.deepEqual(addresses.order(), [A, B, C]);
  addresses.failed(A);
  assert.deepEqual(addresses.order(), [B, C, A]);
  now += 59_999;
  assert.deepEqual(addresses.order(), [B, C, A]);
  now += 1;
  assert.deepEqual(addresses.order(), [A, B, C], 'the one that tries');
  assert.deepEqual(addresses.order(), [B, C, A], 'the others meanwhile');
  addresses.worked(A);
  assert.deepEqual(addresses.order(), [A, B, C]);
});

test('where all are down all are tried, in their order', () => {
  const addresses = new Addresses([A, B], () => 0);
  addresses.failed(B);
  addresses.failed(A);
  assert.deepEqual(addresses.order(), [A, B]);
});

const dead: { name: string; script: Script; told: string }[] = [
  { name: 'closes at once', script: { greeting: close }, told: 'greeting lost' },
  { name: 'says 554', script: { greeting: all('554 5.3.2 No', close) }, told: 'greeting refused' },
  { name: 'is silent', script: { greeting: hang }, told: 'greeting silent' },
  { name: 'does not know LHLO', script: { hello: '500 5.5.1 What?' }, told: 'hello refused' },
];

for (const { name, script, told } of dead) {
  test(`the first address ${name}: the second gets the message, and is asked first from then on`, async (t) => {
    const first = await startScriptedServer({ protocol: 'lmtp', script });
    t.after(() => first.close());
    const second = await startScriptedServer({ protocol: 'lmtp' });
    t.after(() => second.close());
    const { deliver, warnings } = await bench(
      t,
      { protocol: 'lmtp' },
      { addresses: [first.address, second.address], timeouts: { connect: 200, reply: 60_000 } },
    );
    assert.deepEqual([await deliver(), await deliver()], [[OK], [OK]]);
    assert.equal(first.sessions.length, 1);
    assert.equal(second.sessions.length, 1, 'and its connection is kept');
    assert.deepEqual(warnings, [`downstream-address-failed ${told} undefined`]);
  });
}

test('nobody there: one reply, and every address was tried', async (t) => {
  const gone = [{ path: '/nonexistent/a' }, { path: '/nonexistent/b' }];
  const { deliver, warnings } = await bench(t, { protocol: 'lmtp' }, { addresses: gone });
  const unreachable = '451 4.4.1 The mail system behind this server cannot be reached; please try again later (id T1)';
  assert.deepEqual(await deliver(), [unreachable]);
  assert.deepEqual(warnings, [
    'downstream-address-failed connect unreachable undefined',
    'downstream-failed connect unreachable 1',
  ]);
});

test('a transaction that began is not begun again with another address', async (t) => {
  const second = await startScriptedServer({ protocol: 'smtp' });
  t.after(() => second.close());
  const first = await startScriptedServer({ protocol: 'smtp', script: { mail: close } });
  t.after(() => first.close());
  const { deliver } = await bench(t, { protocol: 'smtp' }, { addresses: [first.address, second.address] });
  const lost =
    '451 4.4.2 The connection to the mail system behind this server was lost; please try again later (id T1)';
  assert.deepEqual(await deliver(), [lost]);
  assert.equal(second.sessions.length, 0);
});
