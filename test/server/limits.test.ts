import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Connection } from '../../src/server/connection.ts';
import { PeerCounts } from '../../src/server/peer-counts.ts';
import type { Site } from '../../src/server/site.ts';
import { connectPeer, type Peer } from '../support/peer.ts';
import { openStage, type Stage, silentLog } from './stage.ts';

interface Opened {
  readonly stage: Stage;
  readonly logged: string[];
  readonly dial: () => Promise<Peer>;
}

const LIMITS = { perPeer: 1000, errors: 20, commands: 1000 };

async function open(t: TestContext, site: Partial<Site> = {}): Promise<Opened> {
  const logged: string[] = [];
  const log = {
    ...silentLog(),
    info: (event: string, detail?: object) => logged.push(JSON.stringify({ event, ...detail })),
  };
  const stage = await openStage({ protocol: 'smtp', site: { log, ...site } });
  const clients: Peer[] = [];
  t.after(async () => {
    for (const { socket } of clients) socket.destroy();
    await stage.listener.drain(0);
  });
  const dial = async (): Promise<Peer> => {
    const client = await connectPeer(stage.port);
    clients.push(client);
    return client;
  };
  return { stage, logged, dial };
}

async function hello(client: Peer): Promise<void> {
  assert.match((await client.reply()) ?? '', /^220 /);
  assert.match((await client.ask('EHLO client.example')) ?? '', /^250-/);
}

async function send(client: Peer): Promise<void> {
  await client.ask('MAIL FROM:<ann@example.net>');
  assert.match((await client.ask('RCPT TO:<a@example.org>')) ?? '', /^250 /);
  await client.ask('DATA');
  client.socket.write('x: y\r\n\r\n.\r\n');
  assert.match((await client.reply()) ?? '', /^250 /);
}

test('errors: the last that is allowed is answered by 421, and logged; a message begins the count anew', async (t) => {
  const { dial, logged } = await open(t, { sessions: { ...LIMITS, errors: 3 } });
  const client = await dial();
  await hello(client);
  const bad = ['WHAT', 'RCPT TO:<a@example.org>', 'MAIL FROM:<a@b.example> FOO'];
  for (const command of bad.slice(0, 2)) assert.match((await client.ask(command)) ?? '', /^50\d /);
  await send(client);
  for (const command of bad.slice(0, 2)) assert.match((await client.ask(command)) ?? '', /^50\d /);
  assert.equal(await client.ask('MAIL FROM:<a@b.example> FOO'), '421 4.7.0 Too many errors');
  assert.equal(await client.line(), null);
  assert.match(logged.join(), /"session-limit".*"listener":"test","peer":"127\.0\.0\.1","limit":"errors"/);
});

const limits: readonly {
  limit: string;
  site: Partial<Site>;
  commands: readonly string[];
  expect: string;
  ends: boolean;
}[] = [
  {
    limit: 'commands',
    site: { sessions: { ...LIMITS, commands: 3 } },
    commands: ['NOOP', 'NOOP', 'NOOP'],
    expect: '421 4.7.0 Too many commands without a message',
    ends: true,
  },
  {
    limit: 'command-line',
    site: {},
    commands: [`NOOP ${'x'.repeat(20_000)}`],
    expect: '421 4.5.2 Command line too long',
    ends: true,
  },
  {
    limit: 'recipients',
    site: { limits: { size: 1000, bareNewline: 'reject', recipients: 1 } },
    commands: ['MAIL FROM:<ann@example.net>', 'RCPT TO:<a@example.org>', 'RCPT TO:<b@example.org>'],
    expect: '452 4.5.3 Too many recipients (id *)',
    ends: false,
  },
  {
    limit: 'message',
    site: { limits: { size: 1000, bareNewline: 'reject', recipients: 1 } },
    commands: ['MAIL FROM:<ann@example.net> SIZE=1001'],
    expect: '552 5.3.4 Message size exceeds the limit of this server',
    ends: false,
  },
];

for (const { limit, site, commands, expect, ends } of limits) {
  test(`a client at the limit of ${limit} is told so, and the log and the metrics are`, async (t) => {
    const { dial, logged } = await open(t, site);
    const client = await dial();
    await hello(client);
    let answer: string | null = null;
    for (const command of commands) answer = await client.ask(command);
    assert.equal(answer?.replace(/\(id \w+\)/, '(id *)'), expect);
    assert.deepEqual(logged, [JSON.stringify({ event: 'session-limit', listener: 'test', peer: '127.0.0.1', limit })]);
    if (ends) assert.equal(await client.line(), null);
    else assert.equal(await client.ask('NOOP'), '250 2.0.0 OK');
  });
}

test('a client at the limit of all connections is told so, and the log is', async (t) => {
  const { dial, logged } = await open(t, { isFull: () => true });
  const client = await dial();
  assert.match((await client.reply()) ?? '', /^421 4\.3\.2 /);
  assert.equal(await client.line(), null);
  assert.match(logged.join(), /"limit":"connections"/);
});

test('errors: what rules refuse is none', async (t) => {
  const stage = await openStage({
    protocol: 'smtp',
    site: { sessions: { ...LIMITS, errors: 3 } },
    admit: async () => ({ code: 550, status: '5.7.1', text: 'no' }),
  });
  t.after(() => stage.listener.drain(0));
  const client = await connectPeer(stage.port);
  await hello(client);
  await client.ask('MAIL FROM:<ann@example.net>');
  for (let n = 0; n < 10; n++) assert.match((await client.ask('RCPT TO:<a@example.org>')) ?? '', /^550 /);
  client.socket.destroy();
});

test('commands: so many without a message, then 421; a message begins the count anew', async (t) => {
  const { dial, logged } = await open(t, { sessions: { ...LIMITS, commands: 6 } });
  const client = await dial();
  await hello(client);
  for (let round = 0; round < 3; round++) await send(client);
  for (let n = 0; n < 6; n++) assert.match((await client.ask('NOOP')) ?? '', /^250 /);
  assert.equal(await client.ask('NOOP'), '421 4.7.0 Too many commands without a message');
  assert.equal(await client.line(), null);
  assert.match(logged.join(), /session-limit/);
});

test('connections of one address: one too many is told and let go, the place is free after a session', async (t) => {
  const { dial, stage, logged } = await open(t, { sessions: { ...LIMITS, perPeer: 2 } });
  const [first, second] = [await dial(), await dial()];
  await hello(first);
  await hello(second);
  const third = await dial();
  assert.equal(await third.reply(), '421 4.7.0 Too many connections from your address');
  assert.equal(await third.line(), null);
  third.socket.destroy();
  assert.match((await first.ask('QUIT')) ?? '', /^221 /);
  first.socket.destroy();
  while (stage.listener.sessions > 1) await new Promise((resolve) => setImmediate(resolve));
  await hello(await dial());
  assert.equal(logged.filter((line) => line.includes('"connections-per-peer"')).length, 1);
});

test('connections of one address: a trusted peer that speaks for many is not counted', async (t) => {
  for (const clientFrom of ['xforward', 'xclient'] as const) {
    const { dial } = await open(t, { clientFrom, sessions: { ...LIMITS, perPeer: 1 } });
    for (let n = 0; n < 3; n++) await hello(await dial());
  }
});

test('connections of one address: behind a proxy it is the client that is counted', async (t) => {
  const { dial } = await open(t, { clientFrom: 'proxy', sessions: { ...LIMITS, perPeer: 1 } });
  const dialAs = async (address: string): Promise<string> => {
    const client = await dial();
    client.socket.write(`PROXY TCP4 ${address} 127.0.0.1 4711 25\r\n`);
    return ((await client.reply()) ?? '').slice(0, 3);
  };
  assert.deepEqual(
    [await dialAs('192.0.2.1'), await dialAs('192.0.2.2'), await dialAs('192.0.2.1')],
    ['220', '220', '421'],
  );
});

test('the counts hold nothing once everybody has left', () => {
  const counts = new PeerCounts();
  assert.deepEqual(
    ['a', 'a', 'b'].map((address) => counts.enter(address)),
    [1, 2, 1],
  );
  for (const address of ['a', 'b', 'a']) counts.leave(address);
  assert.equal(counts.enter('a'), 1);
});

test('a client that writes commands and reads nothing makes us keep little, and nobody else waits', async (t) => {
  const { dial, stage } = await open(t, { sessions: { ...LIMITS, commands: Number.MAX_SAFE_INTEGER } });
  const ours: Connection[] = [];
  const { init } = Connection.prototype;
  t.mock.method(Connection.prototype, 'init', function (this: Connection, crowded?: boolean) {
    ours.push(this);
    init.call(this, crowded);
  });
  const deaf = await dial();
  await hello(deaf);
  deaf.socket.pause();
  const commands = Buffer.from('VRFY somebody\r\n'.repeat(10_000));
  let most = 0;
  // Until the kernels take no more replies: from then on we keep them, and must stop reading.
  for (let full = 0; full < 100; ) {
    if (deaf.socket.writableLength < commands.length) deaf.socket.write(commands);
    await new Promise((resolve) => setImmediate(resolve));
    const kept = ours[0]?._socket.writableLength ?? 0;
    most = Math.max(most, kept);
    full = kept > 0 ? full + 1 : 0;
  }
  const other = await dial();
  await hello(other);
  await send(other);
  assert.equal(stage.arrived.length, 1);
  assert.ok(most < 64 * 1024, `${most} octets of replies were kept`);
});

test('a client that sends an octet now and then holds nothing but itself', async (t) => {
  const { dial, stage } = await open(t);
  const slow = await dial();
  await hello(slow);
  for (const octet of 'MAIL FROM:<slow@example.net>\r\nRCPT TO:<a@example.org>\r\nDATA\r\nx: y\r\n\r\n.\r\n') {
    slow.socket.write(octet);
    const other = await dial();
    await hello(other);
    other.socket.destroy();
  }
  for (const code of ['250', '250', '354', '250']) assert.equal((await slow.reply())?.slice(0, 3), code);
  assert.equal(stage.arrived.length, 1);
});
