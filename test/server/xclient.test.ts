import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Client } from '../../src/core/envelope.ts';
import type { Site } from '../../src/server/site.ts';
import { parseXclient, toldClient } from '../../src/server/xclient.ts';
import { connectPeer, type Peer } from '../support/peer.ts';
import { openStage, type Stage } from './stage.ts';

const PEER: Client = { address: '127.0.0.1', name: null, port: 4, helo: 'peer', tls: false, protocol: 'ESMTP' };

const told: readonly { name: string; given: string; expect: Partial<Client> }[] = [
  {
    name: 'everything',
    given: 'NAME=Evil.example.net ADDR=192.0.2.7 PORT=4711 PROTO=smtp HELO=evil+2Bx LOGIN=ann',
    expect: {
      address: '192.0.2.7',
      name: 'evil.example.net',
      port: 4711,
      helo: 'evil+x',
      tls: null,
      login: 'ann',
      protocol: 'SMTP',
    },
  },
  { name: 'IPv6', given: 'ADDR=IPV6:2001:DB8::7', expect: { address: '2001:db8::7', port: null, tls: null } },
  { name: 'an address alone', given: 'addr=192.0.2.7', expect: { address: '192.0.2.7', port: null, tls: null } },
  {
    name: 'not known',
    given: 'ADDR=[UNAVAILABLE] NAME=[TEMPUNAVAIL]',
    expect: { address: null, port: null, tls: null },
  },
  { name: 'a greeting not known', given: 'HELO=[UNAVAILABLE]', expect: { helo: '' } },
  { name: 'that it did not authenticate', given: 'LOGIN=[UNAVAILABLE]', expect: { login: null } },
  { name: 'a name alone', given: 'NAME=relay.example', expect: { name: 'relay.example' } },
];

for (const { name, given, expect } of told) {
  test(`XCLIENT tells ${name}`, () => {
    const read = parseXclient(given);
    assert.ok(!('code' in read));
    assert.deepEqual(toldClient(read, PEER), { ...PEER, ...expect });
  });
}

const refused = [
  ...['', 'ADDR', 'ADDR=', '=192.0.2.7', 'SOURCE=LOCAL', 'ADDR=192.0.2.300', 'ADDR=2001:db8::7', 'ADDR=IPV6:192.0.2.7'],
  ...['ADDR=IPV6:fe80::1%25eth0', 'PORT=0', 'PORT=65536', 'PORT=x', 'PROTO=LMTP', 'NAME=a+0Db', 'NAME=+zz'],
  ...['NAME=a NAME=b', `HELO=${'a'.repeat(256)}`],
];

for (const given of refused) {
  test(`XCLIENT is refused: ${JSON.stringify(given).slice(0, 60)}`, () => {
    const read = parseXclient(given);
    assert.ok('code' in read && read.code === 501 && read.status === '5.5.4');
  });
}

async function greeted(t: TestContext, site: Partial<Site> = {}): Promise<{ stage: Stage; client: Peer }> {
  const stage = await openStage({ protocol: 'smtp', site: { clientFrom: 'xclient', ...site } });
  const client = await connectPeer(stage.port);
  t.after(async () => {
    client.socket.destroy();
    await stage.listener.drain(0);
  });
  assert.match((await client.reply()) ?? '', /^220 /);
  assert.match((await client.ask('EHLO proxy.example')) ?? '', /^250-/);
  return { stage, client };
}

async function send(client: Peer): Promise<void> {
  await client.ask('MAIL FROM:<ann@example.net>');
  await client.ask('RCPT TO:<a@example.org>');
  await client.ask('DATA');
  client.socket.write('x: y\r\n\r\n.\r\n');
  assert.match((await client.reply()) ?? '', /^250 /);
}

test('XCLIENT is offered, greets anew, and holds for the session', async (t) => {
  const { client, stage } = await greeted(t);
  assert.match((await client.ask('EHLO proxy.example')) ?? '', /\n250 XCLIENT NAME ADDR PORT PROTO HELO LOGIN$/);
  assert.equal(await client.ask('XCLIENT ADDR=192.0.2.7 PORT=4711'), '220 lists.example.org ESMTP Postern');
  assert.match((await client.ask('MAIL FROM:<ann@example.net>')) ?? '', /^503 5\.5\.1 /);
  await client.ask('HELO evil.example');
  await send(client);
  await send(client);
  const expect = { address: '192.0.2.7', name: null, port: 4711, helo: 'evil.example', tls: null, protocol: 'SMTP' };
  assert.deepEqual(
    stage.arrived.map(({ transaction }) => transaction.client),
    [expect, expect],
  );
});

test('XCLIENT: what is told later is added, another address is another client', async (t) => {
  const { client, stage } = await greeted(t);
  await client.ask('XCLIENT ADDR=192.0.2.7 NAME=a.example');
  await client.ask('XCLIENT HELO=told.example');
  await client.ask('EHLO proxy.example');
  await send(client);
  await client.ask('XCLIENT ADDR=192.0.2.8');
  await client.ask('EHLO proxy.example');
  await send(client);
  const both = { port: null, tls: null, protocol: 'ESMTP' };
  assert.deepEqual(
    stage.arrived.map(({ transaction }) => transaction.client),
    [
      { ...both, address: '192.0.2.7', name: 'a.example', helo: 'told.example' },
      { ...both, address: '192.0.2.8', name: null, helo: 'proxy.example' },
    ],
  );
});

test('XCLIENT that is refused changes nothing, not even the greeting', async (t) => {
  const { client, stage } = await greeted(t);
  assert.match((await client.ask('XCLIENT ADDR=192.0.2.7 PORT=x')) ?? '', /^501 5\.5\.4 /);
  await send(client);
  assert.equal(stage.arrived[0]?.transaction.client.address, '127.0.0.1');
  assert.equal(stage.arrived[0]?.transaction.client.helo, 'proxy.example');
});

test('XCLIENT in a transaction is refused, and the transaction goes on', async (t) => {
  const { client } = await greeted(t);
  await client.ask('MAIL FROM:<ann@example.net>');
  assert.match((await client.ask('XCLIENT ADDR=192.0.2.7')) ?? '', /^503 5\.5\.1 /);
  assert.match((await client.ask('RCPT TO:<a@example.org>')) ?? '', /^250 /);
});

test('XCLIENT from a peer that is not trusted is neither offered nor taken', async (t) => {
  const { client, stage } = await greeted(t, { trusts: () => false });
  assert.ok(!(await client.ask('EHLO x.example'))?.includes('XCLIENT'));
  assert.match((await client.ask('XCLIENT ADDR=192.0.2.7')) ?? '', /^550 5\.7\.0 /);
  await send(client);
  assert.equal(stage.arrived[0]?.transaction.client.address, '127.0.0.1');
});

test('XCLIENT is no command where it is not configured', async (t) => {
  const { client } = await greeted(t, { clientFrom: 'peer' });
  assert.match((await client.ask('XCLIENT ADDR=192.0.2.7')) ?? '', /^500 5\.5\.2 /);
});
