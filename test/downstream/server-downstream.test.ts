import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Content } from '../../src/core/message.ts';
import type { ServerOffers } from '../../src/downstream/downstream.ts';
import { bench } from './bench.ts';
import { big, CLIENT, content, type Given, recipient } from './envelope.ts';
import { type Act, CAPABILITIES, hang, slowly } from './scripted-server.ts';

const THREE: Given = { to: ['a@x', 'b@x', 'c@x'] };

test('lmtp: envelope in one write, content and dot in another, replies in order', async (t) => {
  const { server, deliver } = await bench(t, {
    protocol: 'lmtp',
    script: { final: ['250 2.0.0 One', '550-5.7.1 No\n550 5.7.1 never', '250 Three'] },
  });
  assert.deepEqual(await deliver(THREE), ['250 2.0.0 One', '550 5.7.1 No\nnever', '250 2.0.0 Three']);
  assert.deepEqual(server.sessions[0]?.reads, [
    'LHLO postern.example\r\n',
    'MAIL FROM:<author@example.net> SIZE=20\r\nRCPT TO:<a@x>\r\nRCPT TO:<b@x>\r\nRCPT TO:<c@x>\r\nDATA\r\n',
    'Subject: x\r\n\r\nbody\r\n.\r\n',
  ]);
});

test('smtp: one reply stands for all accepted', async (t) => {
  const { server, deliver } = await bench(t, {
    protocol: 'smtp',
    script: { rcpt: ['250 Ok', '550 5.1.1 Who?'], final: ['452 4.3.1 Full'] },
  });
  assert.deepEqual(await deliver(THREE), ['452 4.3.1 Full', '550 5.1.1 Who?', '452 4.3.1 Full']);
  assert.equal(server.sessions[0]?.reads[0], 'EHLO postern.example\r\n');
});

test('without PIPELINING one command at a time', async (t) => {
  const { server, deliver } = await bench(t, {
    protocol: 'lmtp',
    capabilities: [],
    script: { rcpt: ['250 Ok', '550 Who?'] },
  });
  assert.deepEqual(await deliver(THREE), ['250 2.0.0 Ok', '550 5.0.0 Who?', '250 2.0.0 Ok']);
  assert.deepEqual(server.sessions[0]?.reads.slice(1), [
    'MAIL FROM:<author@example.net>\r\n',
    ...['RCPT TO:<a@x>\r\n', 'RCPT TO:<b@x>\r\n', 'RCPT TO:<c@x>\r\n', 'DATA\r\n'],
    'Subject: x\r\n\r\nbody\r\n.\r\n',
  ]);
});

test('a unix socket', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const { deliver } = await bench(t, { protocol: 'lmtp', path: join(folder, 'lmtp.sock') });
  assert.deepEqual(await deliver(), ['250 2.0.0 Ok']);
});

test('smtp: HELO where EHLO is refused, and nothing is offered then', async (t) => {
  const { deliver, commands, server } = await bench(t, { protocol: 'smtp', script: { hello: ['502 5.5.1 What?'] } });
  assert.deepEqual(await deliver(), ['250 2.0.0 Ok']);
  assert.equal(server.sessions[0]?.commands[1], 'HELO postern.example');
  assert.equal(commands()[1], 'MAIL FROM:<author@example.net>');
});

test('each reply is told as soon as it is known, refusals at RCPT too', async (t) => {
  const { server, deliver } = await bench(
    t,
    {
      protocol: 'lmtp',
      script: { rcpt: ['250 Ok', '550 Who?'], final: ['250 One', hang] },
    },
    { timeouts: { connect: 1_000, reply: 50 } },
  );
  const told: string[] = [];
  const replies = await deliver(THREE, undefined, {
    onReply: (position, reply) => told.push(`${position} ${reply.code}`),
  });
  assert.deepEqual(told, ['1 550', '0 250', '2 451']);
  assert.deepEqual(
    replies.map((reply) => reply.slice(0, 9)),
    ['250 2.0.0', '550 5.0.0', '451 4.4.2'],
  );
  assert.equal(server.sessions.length, 1);
});

const parameters: { name: string; given: Given; offered: string[]; expect: string[] }[] = [
  {
    name: 'nothing that is not offered',
    given: {
      parameters: new Map([
        ['SIZE', '9'],
        ['BODY', '8BITMIME'],
        ['SMTPUTF8', null],
        ['RET', 'FULL'],
        ['ENVID', 'x'],
        ['AUTH', '<>'],
      ]),
      to: [recipient('a@x', { NOTIFY: 'NEVER', ORCPT: 'rfc822;a@y' })],
    },
    offered: [],
    expect: ['MAIL FROM:<author@example.net>', 'RCPT TO:<a@x>'],
  },
  {
    name: 'what is offered, SIZE counted',
    given: {
      parameters: new Map([
        ['SIZE', '9'],
        ['BODY', '8BITMIME'],
        ['SMTPUTF8', null],
        ['RET', 'FULL'],
        ['ENVID', 'a+2Bb'],
        ['AUTH', 'e+3Dmc2@example.com'],
      ]),
      to: [recipient('a@x', { NOTIFY: 'NEVER', ORCPT: 'rfc822;a+2Bb@y' })],
    },
    offered: ['SIZE 1000', '8BITMIME', 'SMTPUTF8', 'DSN', 'AUTH PLAIN'],
    expect: [
      'MAIL FROM:<author@example.net> SIZE=20 SMTPUTF8 BODY=8BITMIME RET=FULL ENVID=a+2Bb AUTH=e+3Dmc2@example.com',
      'RCPT TO:<a@x> NOTIFY=NEVER ORCPT=rfc822;a+2Bb@y',
    ],
  },
  {
    name: 'SMTPUTF8 where an address needs it',
    given: { to: ['dé@x'] },
    offered: ['SMTPUTF8'],
    expect: ['MAIL FROM:<author@example.net> SMTPUTF8', 'RCPT TO:<dé@x>'],
  },
  {
    name: 'ORCPT in UTF-8 only with SMTPUTF8',
    given: { to: [recipient('a@x', { ORCPT: 'utf-8;é@x' })] },
    offered: ['DSN'],
    expect: ['MAIL FROM:<author@example.net>', 'RCPT TO:<a@x>'],
  },
  {
    name: 'addresses as they were received',
    given: { from: '', to: ['"a b"@x', 'A@XN--bcher-kva.example.', 'user'] },
    offered: [],
    expect: ['MAIL FROM:<>', 'RCPT TO:<"a b"@x>', 'RCPT TO:<A@XN--bcher-kva.example.>', 'RCPT TO:<user>'],
  },
];

for (const { name, given, offered, expect } of parameters) {
  test(`parameters: ${name}`, async (t) => {
    const { deliver, commands } = await bench(t, { protocol: 'lmtp', capabilities: offered });
    await deliver(given);
    assert.deepEqual(commands(), [...expect, 'DATA']);
  });
}

const NO_UTF8 = '550 5.6.7 The mail system behind this server does not take internationalized addresses (id T1)';

test('SMTPUTF8 needed by a recipient and not offered: that recipient is refused', async (t) => {
  const { deliver, commands } = await bench(t, { protocol: 'lmtp' });
  assert.deepEqual(await deliver({ to: ['a@x', 'é@x', 'c@x'] }), ['250 2.0.0 Ok', NO_UTF8, '250 2.0.0 Ok']);
  assert.deepEqual(
    commands().filter((line) => line.startsWith('RCPT')),
    ['RCPT TO:<a@x>', 'RCPT TO:<c@x>'],
  );
});

test('SMTPUTF8 needed by the reverse-path and not offered: all are refused, the connection is kept', async (t) => {
  const { deliver, server } = await bench(t, { protocol: 'lmtp' });
  assert.deepEqual(await deliver({ from: 'é@x', to: ['a@x', 'b@x'] }), [NO_UTF8, NO_UTF8]);
  assert.deepEqual(await deliver(), ['250 2.0.0 Ok']);
  assert.equal(server.sessions.length, 1);
});

const xforwards: { name: string; given: Given; offered: string[]; xforward: boolean; expect: string[] }[] = [
  {
    name: 'all attributes, two lines',
    given: {},
    offered: ['XFORWARD NAME ADDR PROTO HELO SOURCE PORT IDENT'],
    xforward: true,
    expect: [
      'XFORWARD NAME=mx.example.net ADDR=192.0.2.7 PORT=4711',
      'XFORWARD PROTO=ESMTP HELO=client.example.net IDENT=T1 SOURCE=[UNAVAILABLE]',
    ],
  },
  {
    name: 'whether the client is local, as it was told',
    given: { client: { ...CLIENT, source: 'LOCAL' } },
    offered: ['XFORWARD SOURCE'],
    xforward: true,
    expect: ['XFORWARD SOURCE=LOCAL'],
  },
  {
    name: 'only those offered',
    given: {},
    offered: ['XFORWARD addr'],
    xforward: true,
    expect: ['XFORWARD ADDR=192.0.2.7'],
  },
  { name: 'not offered', given: {}, offered: [], xforward: true, expect: [] },
  { name: 'not asked for', given: {}, offered: ['XFORWARD NAME'], xforward: false, expect: [] },
  {
    name: 'unknown, IPv6 and odd values',
    given: { client: { ...CLIENT, name: null, port: null, address: '2001:db8::1', helo: 'a b=c\r\nQUIT+é' } },
    offered: ['XFORWARD NAME ADDR PORT HELO'],
    xforward: true,
    expect: [
      'XFORWARD NAME=[UNAVAILABLE] ADDR=IPV6:2001:db8::1 PORT=[UNAVAILABLE]',
      'XFORWARD HELO=a+20b+3Dc+0D+0AQUIT+2B+C3+A9',
    ],
  },
];

for (const { name, given, offered, xforward, expect } of xforwards) {
  test(`XFORWARD: ${name}`, async (t) => {
    const { deliver, commands } = await bench(
      t,
      { protocol: 'smtp', capabilities: [...CAPABILITIES, ...offered] },
      { xforward },
    );
    assert.deepEqual(await deliver(given), ['250 2.0.0 Ok']);
    assert.deepEqual(
      commands().filter((line) => line.startsWith('XFORWARD')),
      expect,
    );
  });
}

test('XFORWARD: a refusal does not keep the mail', async (t) => {
  const script = { xforward: '550 5.7.1 No' };
  const { deliver } = await bench(t, { protocol: 'smtp', capabilities: ['XFORWARD NAME'], script }, { xforward: true });
  assert.deepEqual(await deliver(), ['250 2.0.0 Ok']);
});

const bodies: { name: string; given: string[]; raw: string }[] = [
  { name: 'stuffed', given: ['.a\r\n..\r\n', '.\r\n'], raw: '..a\r\n...\r\n..\r\n' },
  { name: 'empty', given: [], raw: '' },
  { name: 'without a last CRLF', given: ['a\r\nb'], raw: 'a\r\nb\r\n' },
  { name: '8-bit though 8BITMIME is not offered', given: ['\xff\xfe\r\n'], raw: '\xff\xfe\r\n' },
  { name: 'a line of 3000 octets', given: [`${'x'.repeat(3000)}\r\n`], raw: `${'x'.repeat(3000)}\r\n` },
];

for (const { name, given, raw } of bodies) {
  test(`content: ${name}`, async (t) => {
    const { deliver, server } = await bench(t, { protocol: 'lmtp', capabilities: [] });
    assert.deepEqual(await deliver({}, content(...given)), ['250 2.0.0 Ok']);
    assert.equal(server.sessions[0]?.messages[0]?.raw.toString('latin1'), raw);
  });
}

test('content: big, from memory and from an async iterable', async (t) => {
  const { deliver, server } = await bench(t, { protocol: 'lmtp' });
  const message = big(4 << 20);
  const whole = Buffer.concat(message.slices() as Buffer[]);
  async function* read(): AsyncIterable<Buffer> {
    for await (const slice of message.slices()) yield slice;
  }
  assert.deepEqual(await deliver({}, message), ['250 2.0.0 Ok']);
  assert.deepEqual(await deliver({}, { size: message.size, slices: read }), ['250 2.0.0 Ok']);
  for (const received of server.sessions[0]?.messages ?? [])
    assert.ok(received.content.subarray(0, message.size).equals(whole));
  assert.equal(server.sessions[0]?.messages.length, 2);
});

test('content: one that cannot be read, or is not as long as it said, gets no dot', async (t) => {
  const { deliver, server } = await bench(t, { protocol: 'lmtp' });
  async function* broken(): AsyncIterable<Buffer> {
    yield Buffer.from('a\r\n');
    throw new Error('EIO');
  }
  const expect = ['451 4.3.0 Internal error; please try again later (id T1)'];
  assert.deepEqual(await deliver({}, { size: 10, slices: broken }), expect);
  assert.deepEqual(await deliver({}, { size: 10, slices: () => [Buffer.from('short\r\n')] }), expect);
  assert.deepEqual(
    server.sessions.map(({ messages }) => messages.length),
    [0, 0],
  );
});

const GONE = '451 4.4.2 The connection was lost (id T1)';

test('client gone: nothing is begun, and no dot is written', async (t) => {
  const { deliver, server, warnings } = await bench(t, { protocol: 'lmtp' });
  assert.deepEqual(await deliver(THREE, undefined, { signal: AbortSignal.abort() }), [GONE, GONE, GONE]);
  assert.equal(server.sessions.length, 0);

  const client = new AbortController();
  const message: Content = {
    size: 3,
    slices: () => {
      client.abort();
      return [Buffer.from('a\r\n')];
    },
  };
  assert.deepEqual(await deliver({}, message, { signal: client.signal }), [GONE]);
  await server.sessions[0]?.closed;
  assert.deepEqual(server.sessions[0]?.messages, []);
  assert.deepEqual(warnings, []);
});

test('client gone behind the dot: the transaction is finished', async (t) => {
  const client = new AbortController();
  const { deliver, server } = await bench(t, {
    protocol: 'lmtp',
    script: { final: ['250 One', '250 Two', '250 Three'] },
  });
  const onReply = (): void => client.abort();
  assert.deepEqual(await deliver(THREE, undefined, { signal: client.signal, onReply }), [
    '250 2.0.0 One',
    '250 2.0.0 Two',
    '250 2.0.0 Three',
  ]);
  assert.equal(server.sessions[0]?.messages.length, 1);
});

test('replies that come one octet at a time', async (t) => {
  const { deliver } = await bench(t, {
    protocol: 'lmtp',
    script: {
      greeting: slowly('220 slow'),
      hello: slowly('250-slow\n250 PIPELINING'),
      rcpt: [slowly('250 Ok'), slowly('550-5.1.1 Who\n550 5.1.1 is that?')],
      data: slowly('354 Go on'),
      final: [slowly('250 2.0.0 One'), slowly('450 4.2.0 Three')],
    },
  });
  assert.deepEqual(await deliver(THREE), ['250 2.0.0 One', '550 5.1.1 Who\nis that?', '450 4.2.0 Three']);
});

test('no recipients, no connection', async (t) => {
  const { deliver, server } = await bench(t, { protocol: 'lmtp' });
  assert.deepEqual(await deliver({ to: [] }), []);
  assert.equal(server.sessions.length, 0);
});

const offers: { name: string; capabilities: string[]; expect: ServerOffers }[] = [
  { name: 'nothing', capabilities: [], expect: { size: null, smtputf8: false, dsn: false } },
  { name: 'all', capabilities: ['SIZE 1000', 'SMTPUTF8', 'DSN'], expect: { size: 1000, smtputf8: true, dsn: true } },
  { name: 'SIZE 0', capabilities: ['SIZE 0'], expect: { size: null, smtputf8: false, dsn: false } },
  { name: 'SIZE without limit', capabilities: ['SIZE'], expect: { size: null, smtputf8: false, dsn: false } },
  { name: 'SIZE of nonsense', capabilities: ['SIZE many'], expect: { size: null, smtputf8: false, dsn: false } },
];

for (const { name, capabilities, expect } of offers) {
  test(`offers: ${name}`, async (t) => {
    const { downstream, deliver, server } = await bench(t, { protocol: 'smtp', capabilities });
    assert.equal(downstream.offers?.(), null);
    assert.equal(await downstream.probe?.(), null);
    assert.deepEqual(downstream.offers?.(), expect);
    assert.deepEqual(await deliver(), ['250 2.0.0 Ok']);
    assert.equal(server.sessions.length, 1, 'the connection of the probe is kept');
  });
}

const probes: { name: string; greeting: Act; expect: string }[] = [
  { name: 'refused', greeting: '554 5.7.1 Not you', expect: 'greeting: refused (554 Not you)' },
  { name: 'silent', greeting: hang, expect: 'greeting: silent' },
  { name: 'garbled', greeting: 'What?', expect: 'greeting: garbled (a line is not part of a reply)' },
];

for (const { name, greeting, expect } of probes) {
  test(`probe: ${name}`, async (t) => {
    const timeouts = { connect: 5_000, reply: 100 };
    const { downstream } = await bench(t, { protocol: 'smtp', script: { greeting } }, { timeouts });
    assert.equal(await downstream.probe?.(), expect);
    assert.equal(downstream.offers?.(), null);
  });
}

test('probe: no connection', async (t) => {
  const { server, downstream } = await bench(t, { protocol: 'lmtp' });
  await server.close();
  assert.equal(await downstream.probe?.(), 'connect: unreachable (ECONNREFUSED)');
});
