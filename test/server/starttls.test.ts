import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { connect, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
import { type Reply, replies } from '../../src/core/reply.ts';
import type { Site } from '../../src/server/site.ts';
import { connectPeer, Peer } from '../support/peer.ts';
import { type Arrived, openStage, type Stage, type StageOptions } from './stage.ts';

const FOLDER = join('test', 'support', 'certificate');

function context(name = ''): SecureContext {
  const read = (file: string): string => readFileSync(join(FOLDER, file), 'utf8');
  return createSecureContext({ cert: read(`${name}cert.pem`), key: read(`${name}key.pem`), minVersion: 'TLSv1.2' });
}

async function greeted(
  t: TestContext,
  site: Partial<Site> = {},
  settle?: StageOptions['settle'],
): Promise<{ stage: Stage; client: Peer }> {
  const stage = await openStage({ protocol: 'smtp', site: { tls: context(), ...site }, ...(settle && { settle }) });
  const client = await connectPeer(stage.port);
  t.after(async () => {
    client.socket.destroy();
    await stage.listener.drain(0);
  });
  assert.match((await client.reply()) ?? '', /^220 /);
  assert.match((await client.ask('EHLO client.example')) ?? '', /^250-/);
  return { stage, client };
}

/** Negotiates TLS on the connection of `plain`. */
async function secure(plain: Peer): Promise<{ client: Peer; socket: TLSSocket }> {
  plain.socket.removeAllListeners('data');
  // The octets of TLS are no text.
  const socket = connect({ socket: plain.socket, rejectUnauthorized: false });
  await new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', resolve);
    socket.once('error', reject);
  });
  return { client: new Peer(socket, 5000), socket };
}

async function send(client: Peer): Promise<void> {
  assert.match((await client.ask('MAIL FROM:<ann@example.net>')) ?? '', /^250 /);
  await client.ask('RCPT TO:<a@example.org>');
  await client.ask('DATA');
  client.socket.write('x: y\r\n\r\n.\r\n');
  assert.match((await client.reply()) ?? '', /^250 /);
}

test('STARTTLS: offered, then a session that knows nothing of the one before', async (t) => {
  const { client: plain, stage } = await greeted(t, { clientFrom: 'xclient' });
  await plain.ask('XCLIENT ADDR=192.0.2.7 HELO=told.example');
  assert.match((await plain.ask('EHLO before.example')) ?? '', /^250-STARTTLS$/m);
  await plain.ask('MAIL FROM:<ann@example.net>');
  await plain.ask('RCPT TO:<a@example.org>');
  assert.equal(await plain.ask('STARTTLS'), '220 2.0.0 Ready to start TLS');
  const { client, socket } = await secure(plain);
  assert.equal(socket.getPeerCertificate().subject.CN, 'postern.example.org');
  assert.match((await client.ask('MAIL FROM:<ann@example.net>')) ?? '', /^503 5\.5\.1 /);
  assert.ok(!(await client.ask('EHLO after.example'))?.includes('STARTTLS'));
  assert.match((await client.ask('STARTTLS')) ?? '', /^503 5\.5\.1 /);
  assert.match((await client.ask('RCPT TO:<a@example.org>')) ?? '', /^503 5\.5\.1 /);
  await send(client);
  assert.deepEqual(stage.abandoned, ['reset']);
  const facts = stage.arrived[0]?.transaction.client;
  assert.equal(facts?.tls, true);
  assert.equal(facts?.helo, 'after.example');
  assert.equal(facts?.address, '127.0.0.1');
});

test('STARTTLS: commands written behind it in plain text are never run', async (t) => {
  for (const behind of ['NOOP\r\n', 'MAIL FROM:<evil@example.net>\r\n'.repeat(300), 'half a comm']) {
    const { client, stage } = await greeted(t);
    client.socket.write(`STARTTLS\r\n${behind}`);
    assert.equal(await client.reply(), '220 2.0.0 Ready to start TLS');
    const ended = await secure(client).then(
      async ({ client: inside }) => (await inside.ask('NOOP'))?.slice(0, 3),
      () => 'no TLS',
    );
    assert.ok(ended === '250' || ended === 'no TLS', `got ${ended}`);
    assert.deepEqual(stage.errors, []);
  }
});

test('STARTTLS is no command where no certificate is configured', async (t) => {
  const { client } = await greeted(t, { tls: null });
  assert.ok(!(await client.ask('EHLO client.example'))?.includes('STARTTLS'));
  assert.match((await client.ask('STARTTLS')) ?? '', /^500 5\.5\.2 /);
});

test('STARTTLS takes no argument', async (t) => {
  const { client } = await greeted(t);
  assert.match((await client.ask('STARTTLS now')) ?? '', /^501 5\.5\.4 /);
  assert.match((await client.ask('NOOP')) ?? '', /^250 /);
});

test('STARTTLS: what is no TLS ends the connection, and nothing but it', async (t) => {
  const { client, stage } = await greeted(t);
  await client.ask('STARTTLS');
  client.socket.write('this is no TLS record, however long it may be\r\n');
  client.socket.on('error', () => {});
  while (stage.listener.sessions > 0) await new Promise((resolve) => setImmediate(resolve));
  const other = await connectPeer(stage.port);
  assert.match((await other.reply()) ?? '', /^220 /);
  other.socket.destroy();
});

test('STARTTLS: while TLS is negotiated a drain and a silent client end in a closed connection', async (t) => {
  const { client, stage } = await greeted(t);
  assert.match((await client.ask('STARTTLS')) ?? '', /^220 /);
  await stage.listener.drain(20);
  assert.equal(await client.line(), null);
});

test('STARTTLS: a client that said QUIT and closed its side of TLS reads on; one that only closed it has left', async (t) => {
  for (const [lastWord, code] of [
    ['QUIT\r\n', '250'],
    ['', null],
  ] as const) {
    let goOn = (): void => {};
    const waiting = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const settle = async ({ transaction }: Arrived): Promise<Reply> => {
      await waiting;
      return transaction.signal.aborted ? replies.clientGone : replies.messageAccepted;
    };
    const { client: plain, stage } = await greeted(t, {}, settle);
    await plain.ask('STARTTLS');
    const { client, socket } = await secure(plain);
    for (const command of ['EHLO client.example', 'MAIL FROM:<ann@example.net>', 'RCPT TO:<a@example.org>', 'DATA'])
      await client.ask(command);
    socket.allowHalfOpen = true;
    socket.end(`x: y\r\n\r\n.\r\n${lastWord}`);
    if (lastWord === '') while (stage.listener.connections > 0) await new Promise((resolve) => setImmediate(resolve));
    // Whoever comes after it is served: so the end of the first one's side has been seen.
    const other = await connectPeer(stage.port);
    await other.reply();
    other.socket.destroy();
    goOn();
    assert.equal((await client.reply())?.slice(0, 3) ?? null, code);
    if (code !== null) assert.match((await client.reply()) ?? '', /^221 /);
    while (stage.listener.sessions > 0) await new Promise((resolve) => setImmediate(resolve));
  }
});

test('STARTTLS: a new certificate is for the sessions that begin TLS from then on', async (t) => {
  let tls = context();
  const site = {
    get tls(): SecureContext {
      return tls;
    },
  };
  const stage = await openStage({ protocol: 'smtp', live: site });
  t.after(() => stage.listener.drain(0));
  const names: unknown[] = [];
  for (const name of ['', 'other-']) {
    tls = context(name);
    const plain = await connectPeer(stage.port);
    await plain.reply();
    await plain.ask('EHLO client.example');
    await plain.ask('STARTTLS');
    const { socket } = await secure(plain);
    names.push(socket.getPeerCertificate().subject.CN);
    socket.destroy();
  }
  assert.deepEqual(names, ['postern.example.org', 'other.example.org']);
});
