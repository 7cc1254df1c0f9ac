/**
 * One test for each correction of the library: an update of the package that breaks one override fails one named test.
 */
import assert from 'node:assert/strict';
import { Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { Recipient } from '../../src/core/envelope.ts';
import { reply } from '../../src/core/reply.ts';
import { Connection } from '../../src/server/connection.ts';
import { connectPeer, type Peer } from '../support/peer.ts';
import { openStage, type Stage, type StageOptions } from './stage.ts';

/** A session that has been greeted; both sides are gone at the end of the test. */
async function greeted(t: TestContext, options: StageOptions = {}): Promise<{ stage: Stage; client: Peer }> {
  const stage = await openStage(options);
  const client = await connectPeer(stage.port);
  t.after(async () => {
    client.socket.destroy();
    await stage.listener.drain(0);
  });
  assert.match((await client.reply()) ?? '', /^220 lists\.example\.org (LMTP|ESMTP) Postern$/);
  const hello = await client.ask(options.protocol === 'smtp' ? 'EHLO client.example' : 'LHLO client.example');
  assert.match(hello ?? '', /^250-lists\.example\.org\n/);
  return { stage, client };
}

async function envelope(client: Peer, ...recipients: readonly string[]): Promise<void> {
  assert.equal(await client.ask('MAIL FROM:<ann@example.net>'), '250 2.1.0 Ok');
  for (const recipient of recipients) assert.equal(await client.ask(`RCPT TO:<${recipient}>`), '250 2.1.5 Ok');
}

test('the greeting waits for no timer', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const stage = await openStage();
  const socket = new Socket();
  const greeting = new Promise<string>((resolve) =>
    socket.once('data', (octets) => resolve(octets.toString('latin1'))),
  );
  socket.connect(stage.port, '127.0.0.1');
  assert.equal(await greeting, '220 lists.example.org LMTP Postern\r\n');
  socket.destroy();
  t.mock.timers.reset();
  await stage.listener.drain(0);
});

test('what is offered: enhanced codes are advertised, what we cannot carry is not', async (t) => {
  const site = { offers: () => ({ size: 5000, smtputf8: false, dsn: false }) };
  const { client } = await greeted(t, { site });
  const offered = (await client.ask('LHLO again.example'))?.split('\n').map((line) => line.slice(4));
  assert.deepEqual(offered, ['lists.example.org', 'PIPELINING', 'SIZE 5000', 'ENHANCEDSTATUSCODES', '8BITMIME']);
});

test('equal recipients get a reply each', async (t) => {
  const { client, stage } = await greeted(t, {
    settle: async (_whole, position) => reply(250, '2.0.0', `number ${position}`),
  });
  await envelope(client, 'a@example.org', 'b@example.org', 'A@example.org', 'a@example.org');
  assert.match((await client.ask('DATA')) ?? '', /^354 /);
  client.socket.write('Subject: x\r\n\r\nx\r\n.\r\n');
  for (const position of [0, 1, 2, 3]) assert.equal(await client.reply(), `250 2.0.0 number ${position}`);
  assert.deepEqual(
    stage.arrived[0]?.recipients.map(({ raw }) => raw),
    ['a@example.org', 'b@example.org', 'A@example.org', 'a@example.org'],
  );
});

test('paths and parameters arrive as they were written', async (t) => {
  const { client, stage } = await greeted(t);
  assert.equal(
    await client.ask('MAIL From: <ann@XN--bcher-kva.Example> SIZE=100 BODY=8BITMIME ENVID=a+2Bb RET=HDRS'),
    '250 2.1.0 Ok',
  );
  const paths = [
    'a@xn--bcher-kva.example',
    '"a b"@x.example',
    'user',
    'a@b_c.example',
    'a@x.example.',
    '"a@b"@x.example',
  ];
  for (const path of paths)
    assert.equal(await client.ask(`RCPT TO:<${path}> NOTIFY=NEVER ORCPT=rfc822;a+2Bb@x`), '250 2.1.5 Ok');
  await client.ask('DATA');
  client.socket.write('x: y\r\n\r\n.\r\n');
  await client.reply();
  const [arrived] = stage.arrived;
  assert.equal(arrived?.transaction.rawReversePath, 'ann@XN--bcher-kva.Example');
  assert.deepEqual(
    [...(arrived?.transaction.parameters ?? [])],
    [
      ['SIZE', '100'],
      ['BODY', '8BITMIME'],
      ['ENVID', 'a+2Bb'],
      ['RET', 'HDRS'],
    ],
  );
  assert.deepEqual(
    arrived?.recipients.map(({ raw }) => raw),
    paths,
  );
  assert.equal(arrived?.recipients[0]?.parameters.get('ORCPT'), 'rfc822;a+2Bb@x');
});

test('commands out of place or out of shape get their reply', async (t) => {
  const { client } = await greeted(t);
  const dialogue: readonly (readonly [string, string | RegExp])[] = [
    ['RCPT TO:<a@example.org>', '503 5.5.1 MAIL first'],
    ['DATA', '503 5.5.1 MAIL first'],
    ['MAIL FROM:<a@example.org> FOO=bar', /^555 5\.5\.4 /],
    ['MAIL FROM:<a@@b>', /^501 5\.1\.7 /],
    ['MAIL FROM:<a@example.org> SIZE=1000001', /^552 5\.3\.4 /],
    ['RCPT TO:<a@example.org>', '503 5.5.1 MAIL first'],
    ['MAIL FROM:<>', '250 2.1.0 Ok'],
    ['MAIL FROM:<a@example.org>', '503 5.5.1 Nested MAIL command'],
    ['DATA', '503 5.5.1 No valid recipients'],
    ['RCPT TO:<>', /^501 5\.1\.3 /],
    ['RCPT TO:<a@example.org> FOO', /^555 5\.5\.4 /],
    ['RCPT TO:<a@example.org>', '250 2.1.5 Ok'],
    ['DATA now', /^501 5\.5\.4 /],
    ['VRFY a', '252 2.5.0 Cannot VRFY; RCPT will tell'],
    ['NOOP', '250 2.0.0 OK'],
    ['WIZ', /^500 5\.5\.2 /],
    ['STARTTLS', /^500 5\.5\.2 /],
    ['AUTH PLAIN AAA=', /^500 5\.5\.2 /],
    ['XFORWARD NAME=x', /^550 5\.7\.0 /],
    ['RSET', /^250 2\.0\.0 /],
    ['DATA', '503 5.5.1 MAIL first'],
    ['QUIT', /^221 2\.0\.0 /],
  ];
  for (const [command, expected] of dialogue) {
    const got = (await client.ask(command)) ?? '';
    if (typeof expected === 'string') assert.equal(got, expected, command);
    else assert.match(got, expected, command);
  }
  assert.equal(await client.line(), null);
});

test('the wrong verb of greeting is a 421, never a 5yz', async (t) => {
  for (const [protocol, verbs] of [
    ['lmtp', ['EHLO', 'HELO']],
    ['smtp', ['LHLO']],
  ] as const) {
    for (const verb of verbs) {
      const stage = await openStage({ protocol });
      t.after(() => stage.listener.drain(0));
      const client = await connectPeer(stage.port);
      await client.reply();
      assert.match((await client.ask(`${verb} client.example`)) ?? '', /^421 4\.3\.2 /);
      assert.equal(await client.line(), null);
    }
  }
});

test('the replies to one read leave in one write', async (t) => {
  const { client } = await greeted(t);
  const writes = t.mock.method(Socket.prototype, 'write');
  const mine = (): number => writes.mock.calls.filter(({ this: socket }) => socket !== client.socket).length;
  const recipients = Array.from({ length: 20 }, (_, n) => `RCPT TO:<r${n}@example.org>\r\n`).join('');
  client.socket.write(`MAIL FROM:<a@example.org>\r\n${recipients}DATA\r\n`);
  for (let n = 0; n < 22; n++) await client.reply();
  assert.ok(mine() <= 3, `22 replies took ${mine()} writes`);
});

test('a handler that fails answers 451 and the session goes on', async (t) => {
  const { client, stage } = await greeted(t, {
    admit: async (recipient) => {
      if (recipient.raw.startsWith('broken')) throw new Error('admit is broken');
      return null;
    },
    settle: async () => {
      throw new Error('settle is broken');
    },
  });
  await envelope(client, 'a@example.org');
  assert.match((await client.ask('RCPT TO:<broken@example.org>')) ?? '', /^451 4\.3\.0 .*\(id [0-9A-Z]{10}\)$/);
  await client.ask('RCPT TO:<b@example.org>');
  await client.ask('DATA');
  client.socket.write('x: y\r\n\r\n.\r\n');
  assert.match((await client.reply()) ?? '', /^451 4\.3\.0 /);
  assert.match((await client.reply()) ?? '', /^451 4\.3\.0 /);
  assert.equal(stage.errors.length, 2);
  assert.match((await client.ask('NOOP')) ?? '', /^250 /);
});

test('early LMTP replies leave in RCPT order, each as soon as those before it are known', async (t) => {
  const gates = [0, 1, 2].map(() => {
    let open: () => void = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    return { gate, open };
  });
  const { client } = await greeted(t, {
    settle: async (_whole, position) => {
      await gates[position]?.gate;
      return reply(250, '2.0.0', `number ${position}`);
    },
  });
  await envelope(client, 'a@example.org', 'b@example.org', 'c@example.org');
  await client.ask('DATA');
  client.socket.write('x: y\r\n\r\n.\r\n');
  for (const [position, { open }] of gates.entries()) {
    open();
    assert.equal(await client.reply(), `250 2.0.0 number ${position}`);
  }
});

test('size: content over the limit is read to its end and not kept', async (t) => {
  const site = { limits: { size: 1000, bareNewline: 'reject' as const, recipients: 100 } };
  const { client, stage } = await greeted(t, { site });
  await envelope(client, 'a@example.org');
  await client.ask('DATA');
  client.socket.write(`x: y\r\n\r\n${'0123456789\r\n'.repeat(50_000)}.\r\nNOOP\r\n`);
  assert.match((await client.reply()) ?? '', /^250 /);
  assert.match((await client.reply()) ?? '', /^250 2\.0\.0 OK$/);
  assert.equal(stage.arrived[0]?.end, 'too-large');
  assert.ok((stage.arrived[0]?.content.length ?? 0) < 200_000);
});

test('recipients over the limit get 452, the others are served', async (t) => {
  const site = { limits: { size: 1000, bareNewline: 'reject' as const, recipients: 2 } };
  const { client } = await greeted(t, { site });
  await envelope(client, 'a@example.org', 'b@example.org');
  assert.match((await client.ask('RCPT TO:<c@example.org>')) ?? '', /^452 4\.5\.3 /);
});

test('while we are the slow side the idle timeout does not run', async (t) => {
  let reached: () => void = () => {};
  const settling = new Promise<void>((resolve) => {
    reached = resolve;
  });
  let release: () => void = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const { client } = await greeted(t, {
    settle: async () => {
      reached();
      await released;
      return reply(250, '2.0.0', 'late, and in order');
    },
  });
  const sessions: Connection[] = [];
  const { read } = Connection.prototype;
  t.mock.method(Connection.prototype, 'read', function (this: Connection, octets: Buffer) {
    sessions.push(this);
    return read.call(this, octets);
  });
  await envelope(client, 'a@example.org');
  await client.ask('DATA');
  client.socket.write('x: y\r\n\r\n.\r\n');
  await settling;
  sessions[0]?._onTimeout();
  sessions[0]?._onTimeout();
  release();
  assert.equal(await client.reply(), '250 2.0.0 late, and in order');
  sessions[0]?._onTimeout();
  assert.match((await client.reply()) ?? '', /^421 /, 'and then it does');
});

test('a silent client is told and let go', async (t) => {
  const { client } = await greeted(t, { clientTimeout: 20 });
  assert.match((await client.reply()) ?? '', /^421 4\.\d\.\d Timeout/);
  assert.equal(await client.line(), null);
});

test('XFORWARD makes the facts of the client, until the transaction is over', async (t) => {
  const { client, stage } = await greeted(t, { protocol: 'smtp', site: { clientFrom: 'xforward' } });
  const told =
    'NAME=evil.example.net ADDR=192.0.2.7 PORT=4711 HELO=evil+2Bx IDENT=[UNAVAILABLE] PROTO=SMTP SOURCE=LOCAL';
  assert.equal(await client.ask(`XFORWARD ${told}`), '250 2.0.0 Ok');
  const send = async (): Promise<void> => {
    await envelope(client, 'a@example.org');
    await client.ask('DATA');
    client.socket.write('x: y\r\n\r\n.\r\n');
    await client.reply();
  };
  await send();
  assert.equal(await client.ask('XFORWARD ADDR=IPV6:2001:DB8::7 NAME=[TEMPUNAVAIL] WHAT=ever HELO'), '250 2.0.0 Ok');
  await send();
  await send();
  const clients = stage.arrived.map(({ transaction }) => transaction.client);
  const unknown = { address: null, name: null, port: null, helo: '', tls: null, protocol: 'ESMTP' };
  assert.deepEqual(clients, [
    {
      address: '192.0.2.7',
      name: 'evil.example.net',
      port: 4711,
      helo: 'evil+x',
      tls: null,
      protocol: 'SMTP',
      source: 'LOCAL',
    },
    { ...unknown, address: '2001:db8::7' },
    unknown,
  ]);
});

test('AUTH= is kept from a peer that is trusted with the client, and is <> from anybody else', async (t) => {
  for (const [clientFrom, expected] of [
    ['xforward', 'e+3Dmc2@example.com'],
    ['peer', '<>'],
  ] as const) {
    const { client, stage } = await greeted(t, { site: { clientFrom } });
    assert.match((await client.ask('MAIL FROM:<a@example.net> AUTH=+zz')) ?? '', /^501 5\.5\.4 /);
    assert.equal(await client.ask('MAIL FROM:<a@example.net> AUTH=e+3Dmc2@example.com SIZE=5'), '250 2.1.0 Ok');
    await client.ask('RCPT TO:<a@example.org>');
    await client.ask('DATA');
    client.socket.write('x: y\r\n\r\n.\r\n');
    await client.reply();
    const parameters = stage.arrived[0]?.transaction.parameters;
    assert.deepEqual([parameters?.get('AUTH'), parameters?.get('SIZE')], [expected, '5']);
  }
});

test('from a peer that is not trusted XFORWARD is neither offered nor taken', async (t) => {
  const site = { clientFrom: 'xforward' as const, trusts: () => false };
  const { client, stage } = await greeted(t, { protocol: 'smtp', site });
  assert.ok(!(await client.ask('EHLO x.example'))?.includes('XFORWARD'));
  assert.match((await client.ask('XFORWARD ADDR=192.0.2.7')) ?? '', /^550 /);
  await envelope(client, 'a@example.org');
  await client.ask('DATA');
  client.socket.write('x: y\r\n\r\n.\r\n');
  await client.reply();
  assert.equal(stage.arrived[0]?.transaction.client.address, '127.0.0.1');
});

test('an overlong line ends the session with a reply', async (t) => {
  const { client } = await greeted(t);
  client.socket.write('A'.repeat(20_000));
  assert.match((await client.reply()) ?? '', /^421 4\.5\.2 /);
  assert.equal(await client.line(), null);
});

for (const command of ['NOOP\n', 'NO\nOP\r\n', '\n', 'MAIL FROM:<a@example.net>\nRCPT TO:<b@example.org>\r\n']) {
  test(`a command line with a bare LF in it is not run, nor is what stands behind: ${JSON.stringify(command)}`, async (t) => {
    const { client, stage } = await greeted(t);
    client.socket.write(`NOOP\r\n${command}MAIL FROM:<eve@example.net>\r\nRCPT TO:<a@example.org>\r\n`);
    assert.equal(await client.reply(), '250 2.0.0 OK');
    assert.equal(await client.reply(), '421 4.5.2 Command lines must end with CR LF');
    assert.equal(await client.line(), null);
    assert.deepEqual(stage.abandoned, []);
  });
}

test('thousands of commands in one segment are answered each, and nobody else waits for all of them', async (t) => {
  const { client, stage } = await greeted(t, { site: { sessions: { perPeer: 9, errors: 20, commands: 100_000 } } });
  const other = await connectPeer(stage.port);
  await other.reply();
  client.socket.write('NOOP\r\n'.repeat(20_000));
  assert.match((await other.ask('NOOP')) ?? '', /^250 /);
  for (let count = 0; count < 20_000; count++) assert.equal(await client.line(), '250 2.0.0 OK');
  other.socket.destroy();
});

test('a command line may be longer than 512 octets', async (t) => {
  const { client, stage } = await greeted(t);
  await client.ask('MAIL FROM:<ann@example.net>');
  const orcpt = `rfc822;${'a'.repeat(4000)}@example.org`;
  assert.equal(await client.ask(`RCPT TO:<a@example.org> ORCPT=${orcpt}`), '250 2.1.5 Ok');
  await client.ask('DATA');
  client.socket.write('x: y\r\n\r\n.\r\n');
  await client.reply();
  assert.equal(stage.arrived[0]?.recipients[0]?.parameters.get('ORCPT'), orcpt);
});

test('commands in any case, blanks behind the colon, no brackets, a source route', async (t) => {
  const { client, stage } = await greeted(t);
  for (const command of [
    'mail from: ann@example.net',
    'rCpT To: a@example.org',
    'RCPT TO:<@relay.example:b@Example.ORG>',
  ]) {
    assert.match((await client.ask(command)) ?? '', /^250 /, command);
  }
  assert.match((await client.ask('data')) ?? '', /^354 /);
  client.socket.write('x: y\r\n\r\n.\r\n');
  await client.reply();
  const [arrived] = stage.arrived;
  assert.equal(arrived?.transaction.rawReversePath, 'ann@example.net');
  assert.deepEqual(
    arrived.recipients.map(({ raw, forwardPath }) => [raw, forwardPath.domain]),
    [
      ['a@example.org', 'example.org'],
      ['b@Example.ORG', 'example.org'],
    ],
  );
});

test('pipelined as Postfix does: MAIL to DATA in one write, the body, the dot and QUIT in the next', async (t) => {
  const { client, stage } = await greeted(t);
  client.socket.write(
    'RSET\r\nMAIL FROM:<ann@example.net>\r\nRCPT TO:<b@example.org>\r\nRCPT TO:<a@example.org>\r\nDATA\r\n',
  );
  for (const code of ['250', '250', '250', '250', '354']) assert.equal((await client.reply())?.slice(0, 3), code);
  client.socket.write('x: y\r\n\r\nMAIL FROM:<no command>\r\n.\r\nQUIT\r\n');
  for (const code of ['250', '250', '221']) assert.equal((await client.reply())?.slice(0, 3), code);
  assert.equal(await client.line(), null);
  assert.equal(stage.arrived[0]?.content.toString(), 'x: y\r\n\r\nMAIL FROM:<no command>\r\n');
});

test('many transactions on one connection, with RSET between them, after them, and after a refused DATA', async (t) => {
  const admit = async (recipient: Recipient) => (recipient.raw.startsWith('no') ? reply(550, '5.7.1', 'No') : null);
  const { client, stage } = await greeted(t, { admit });
  for (const round of [1, 2, 3]) {
    assert.match((await client.ask('RSET')) ?? '', /^250 /);
    await envelope(client, `a${round}@example.org`);
    await client.ask('DATA');
    client.socket.write('x: y\r\n\r\n.\r\n');
    assert.match((await client.reply()) ?? '', /^250 /);
  }
  client.socket.write('MAIL FROM:<ann@example.net>\r\nRCPT TO:<no@example.org>\r\nDATA\r\n');
  for (const code of ['250', '550', '503']) assert.equal((await client.reply())?.slice(0, 3), code);
  client.socket.write('RSET\r\nQUIT\r\n');
  for (const code of ['250', '221']) assert.equal((await client.reply())?.slice(0, 3), code);
  assert.deepEqual(
    stage.arrived.map(({ recipients }) => recipients.map(({ raw }) => raw)),
    [['a1@example.org'], ['a2@example.org'], ['a3@example.org']],
  );
});

test('XFORWARD in two pipelined lines before MAIL tells of one client', async (t) => {
  const { client, stage } = await greeted(t, { site: { clientFrom: 'xforward' } });
  client.socket.write(
    'XFORWARD NAME=evil.example.net ADDR=192.0.2.7 PORT=4711\r\nXFORWARD PROTO=SMTP HELO=evil IDENT=4XYZ SOURCE=REMOTE\r\nMAIL FROM:<>\r\n',
  );
  for (const code of ['250', '250', '250']) assert.equal((await client.reply())?.slice(0, 3), code);
  await client.ask('RCPT TO:<a@example.org>');
  await client.ask('DATA');
  client.socket.write('x: y\r\n\r\n.\r\n');
  await client.reply();
  const { address, helo, source } = stage.arrived[0]?.transaction.client ?? assert.fail('nothing arrived');
  assert.deepEqual([address, helo, source], ['192.0.2.7', 'evil', 'REMOTE']);
});

test('a line that the end of the connection cuts short is not run', async (t) => {
  const { client, stage } = await greeted(t);
  await client.ask('MAIL FROM:<ann@example.net>');
  await client.ask('RCPT TO:<a@example.org>');
  client.socket.end('RSET');
  assert.equal(await client.line(), null);
  assert.deepEqual(stage.abandoned, ['closed']);
});

test('HELO is answered in one line and offers nothing', async (t) => {
  const { client } = await greeted(t, { protocol: 'smtp' });
  assert.equal(await client.ask('HELO client.example'), '250 lists.example.org');
  assert.match((await client.ask('HELO')) ?? '', /^501 5\.5\.4 /);
});

test('HELP says what speaks here', async (t) => {
  const { client } = await greeted(t);
  assert.match((await client.ask('HELP')) ?? '', /^214 2\.0\.0 .*RFC 5321/);
  assert.match((await client.ask('HELP MAIL')) ?? '', /^214 2\.0\.0 /);
});

test('garbage gets 500 and, when there is no end of it, 421', async (t) => {
  const { client } = await greeted(t);
  client.socket.write('\0\x01\xff\r\nRCPT\r\n'.repeat(12), 'latin1');
  const codes: string[] = [];
  for (let line = await client.reply(); line !== null; line = await client.reply()) codes.push(line.slice(0, 3));
  assert.ok(codes.every((code) => ['500', '501', '503', '421'].includes(code)));
  assert.equal(codes.at(-1), '421');
});

test('a full process says so and keeps the sessions it has', async (t) => {
  let full = false;
  const { client, stage } = await greeted(t, { site: { isFull: () => full } });
  full = true;
  const late = await connectPeer(stage.port);
  assert.match((await late.reply()) ?? '', /^421 4\.3\.2 /);
  assert.equal(await late.line(), null);
  assert.match((await client.ask('NOOP')) ?? '', /^250 /);
});

test('envelopes that end without content are told to the pipeline', async (t) => {
  const { client, stage } = await greeted(t);
  await envelope(client, 'a@example.org');
  await client.ask('RSET');
  await envelope(client, 'a@example.org');
  await client.ask('LHLO again.example');
  await envelope(client, 'a@example.org');
  await client.ask('QUIT');
  assert.equal(await client.line(), null);
  await stage.listener.drain(1000);
  assert.deepEqual(stage.abandoned, ['reset', 'reset', 'closed']);
});

test('a client that leaves aborts its transaction', async (t) => {
  const { client, stage } = await greeted(t);
  await envelope(client, 'a@example.org');
  await client.ask('DATA');
  client.socket.write('x: y\r\n\r\nhalf a mess');
  client.socket.end();
  await stage.listener.drain(1000);
  assert.equal(stage.arrived[0]?.end, 'aborted');
  assert.equal(stage.arrived[0]?.transaction.signal.aborted, true);
});

test('draining: a message under way is finished, idle sessions are told', async (t) => {
  let settling: () => void = () => {};
  const reached = new Promise<void>((resolve) => {
    settling = resolve;
  });
  let release: () => void = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const { client, stage } = await greeted(t, {
    settle: async () => {
      settling();
      await released;
      return reply(250, '2.0.0', 'finished');
    },
  });
  const idle = await connectPeer(stage.port);
  await idle.reply();
  await envelope(client, 'a@example.org');
  await client.ask('DATA');
  client.socket.write('x: y\r\n\r\n.\r\n');
  await reached;
  const drained = stage.listener.drain(5000);
  assert.match((await idle.reply()) ?? '', /^421 4\.3\.2 /);
  release();
  assert.equal(await client.reply(), '250 2.0.0 finished');
  assert.match((await client.reply()) ?? '', /^421 4\.3\.2 /);
  await drained;
});

test('a client gone at every octet of the dialogue leaves nothing behind', async (t) => {
  const stage = await openStage();
  const dialogue =
    'LHLO c\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<a@example.org>\r\nDATA\r\nx: y\r\n\r\nx\r\n.\r\nQUIT\r\n';
  for (let cut = 0; cut <= dialogue.length; cut++) {
    const client = await connectPeer(stage.port);
    client.socket.write(dialogue.slice(0, cut), 'latin1');
    if (cut % 2 === 0) client.socket.end();
    else client.socket.resetAndDestroy();
  }
  await stage.listener.drain(5000);
  assert.equal(stage.listener.sessions, 0);
  assert.deepEqual(stage.errors, []);
  assert.ok(stage.arrived.every(({ end }) => end === 'aborted' || end === 'complete'));
  t.diagnostic(`${stage.arrived.length} messages begun`);
});
