import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Site } from '../../src/server/site.ts';
import { connectPeer, type Peer } from '../support/peer.ts';
import { openStage, type Stage, type StageOptions, silentLog } from './stage.ts';

interface Entered {
  readonly stage: Stage;
  readonly client: Peer;
  readonly warned: Record<string, unknown>[];
}

/** A connection that has written `octets` and nothing else. */
async function enter(
  t: TestContext,
  octets: string,
  site: Partial<Site> = {},
  more: StageOptions = {},
): Promise<Entered> {
  const warned: Record<string, unknown>[] = [];
  const log = { ...silentLog(), warn: (event: string, detail?: object) => warned.push({ event, ...detail }) };
  const stage = await openStage({ protocol: 'smtp', ...more, site: { clientFrom: 'proxy', log, ...site } });
  const address = more.address;
  const client = await connectPeer(address !== undefined && 'path' in address ? address.path : stage.port);
  t.after(async () => {
    client.socket.destroy();
    await stage.listener.drain(0);
  });
  client.socket.write(octets, 'latin1');
  return { stage, client, warned };
}

async function sendMessage({ client, stage }: Entered): Promise<unknown> {
  assert.match((await client.reply()) ?? '', /^220 /);
  await client.ask('EHLO client.example');
  await client.ask('MAIL FROM:<ann@example.net>');
  await client.ask('RCPT TO:<a@example.org>');
  await client.ask('DATA');
  client.socket.write('x: y\r\n\r\n.\r\n');
  assert.match((await client.reply()) ?? '', /^250 /);
  return stage.arrived[0]?.transaction.client;
}

const greeting = { name: null, helo: 'client.example', tls: false, protocol: 'ESMTP' };
const BINARY = '\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x07\x7f\0\0\x01\x12\x67\0\x19';
const LOCAL = '\r\n\r\n\0\r\nQUIT\n\x20\0\0\0';

test('PROXY: the header makes the facts of the client', async (t) => {
  for (const header of ['PROXY TCP4 192.0.2.7 127.0.0.1 4711 25\r\n', BINARY]) {
    const client = await sendMessage(await enter(t, header));
    assert.deepEqual(client, { address: '192.0.2.7', port: 4711, ...greeting });
  }
});

test('PROXY: a proxy that speaks for itself is the client', async (t) => {
  for (const header of ['PROXY UNKNOWN\r\n', LOCAL]) {
    const entered = await enter(t, header);
    const client = await sendMessage(entered);
    assert.deepEqual(client, { address: '127.0.0.1', port: entered.client.socket.localPort, ...greeting });
  }
});

test('PROXY: the header may come octet by octet', async (t) => {
  const entered = await enter(t, '');
  for (const octet of BINARY) {
    entered.client.socket.write(octet, 'latin1');
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.deepEqual(await sendMessage(entered), { address: '192.0.2.7', port: 4711, ...greeting });
});

test('PROXY: what stands behind the header in the same segment is the first command', async (t) => {
  const { client } = await enter(t, `${BINARY}EHLO client.example\r\n`);
  assert.match((await client.reply()) ?? '', /^220 /);
  assert.match((await client.reply()) ?? '', /^250-/);
});

test('PROXY: on a unix socket every peer is trusted', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-proxy-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const address = { path: join(folder, 's') };
  const client = await sendMessage(await enter(t, BINARY, { trusts: () => false }, { address }));
  assert.deepEqual(client, { address: '192.0.2.7', port: 4711, ...greeting });
});

const refused: readonly { name: string; octets: string; site?: Partial<Site>; problem: RegExp }[] = [
  { name: 'an untrusted peer', octets: BINARY, site: { trusts: () => false }, problem: /not trusted/ },
  { name: 'no header', octets: 'EHLO client.example\r\n', problem: /no PROXY header/ },
  { name: 'a garbled header', octets: 'PROXY TCP4 x y 1 2\r\n', problem: /malformed/ },
  { name: 'half a header', octets: BINARY.slice(0, 20), site: { clientTimeout: 20 }, problem: /in time/ },
  { name: 'silence', octets: '', site: { clientTimeout: 20 }, problem: /in time/ },
];

for (const { name, octets, site, problem } of refused) {
  test(`PROXY: ${name} ends the connection without a word, and is logged`, async (t) => {
    const { client, warned } = await enter(t, octets, site);
    assert.equal(await client.line(), null);
    assert.equal(warned.length, 1);
    assert.equal(warned[0]?.['event'], 'proxy-refused');
    assert.equal(warned[0]?.['peer'], '127.0.0.1');
    assert.match(String(warned[0]?.['problem']), problem);
  });
}

test('PROXY: a client that leaves before the header leaves nothing behind', async (t) => {
  for (const end of ['end', 'resetAndDestroy'] as const) {
    const { client, stage, warned } = await enter(t, 'PROXY TCP4');
    while (stage.listener.sessions === 0) await new Promise((resolve) => setImmediate(resolve));
    client.socket[end]();
    while (stage.listener.sessions > 0) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(warned.length, 1);
  }
});

test('PROXY: a drain does not wait for headers', async (t) => {
  const { client, stage } = await enter(t, 'PROXY TCP4');
  while (stage.listener.sessions === 0) await new Promise((resolve) => setImmediate(resolve));
  await stage.listener.drain(60_000);
  assert.equal(await client.line(), null);
});
