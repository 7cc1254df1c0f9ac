/**
 * PRDR (draft-hall-prdr): what is asked for, and the replies after the dot. Exim's own dialogue is the measure: it takes
 * 353 only for two recipients and more, and fails everybody where the last reply is a 5yz.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Reply, reply } from '../../src/core/reply.ts';
import { connectPeer, type Peer } from '../support/peer.ts';
import { openStage, type Stage, type StageOptions } from './stage.ts';

const ENTRANCE = {
  name: 'test',
  replies: 'one',
  mixed: 'prdr',
  refuseAt: 'rcpt',
  deadline: 5000,
  received: false,
} as const;

async function greeted(t: TestContext, options: StageOptions = {}): Promise<{ stage: Stage; client: Peer }> {
  const stage = await openStage({ protocol: 'smtp', ...options, site: { entrance: ENTRANCE, ...options.site } });
  const client = await connectPeer(stage.port);
  t.after(async () => {
    client.socket.destroy();
    await stage.listener.drain(0);
  });
  await client.reply();
  assert.match((await client.ask('EHLO client.example')) ?? '', /^250.PRDR$/m);
  return { stage, client };
}

async function send(client: Peer, parameters: string, count: number): Promise<void> {
  assert.equal(await client.ask(`MAIL FROM:<ann@example.net>${parameters}`), '250 2.1.0 Ok');
  for (let number = 0; number < count; number++) {
    assert.equal(await client.ask(`RCPT TO:<r${number}@example.org>`), '250 2.1.5 Ok');
  }
  assert.match((await client.ask('DATA')) ?? '', /^354 /);
  client.socket.write('Subject: x\r\n\r\nx\r\n.\r\n');
}

async function codes(client: Peer, count: number): Promise<string> {
  const seen: string[] = [];
  for (let number = 0; number < count; number++) seen.push(((await client.reply()) ?? 'end').slice(0, 3));
  assert.equal(await client.ask('NOOP'), '250 2.0.0 OK', 'no reply too many, and the session goes on');
  return seen.join(' ');
}

const GIVEN: Readonly<Record<string, Reply>> = {
  '2': reply(250, '2.0.0', 'taken'),
  '4': reply(451, '4.2.0', 'later'),
  '5': reply(550, '5.7.1', 'never'),
};

for (const [outcomes, expected] of [
  ['22', '353 250 250 250'],
  ['25', '353 250 550 250'],
  ['24', '353 250 451 250'],
  ['245', '353 250 451 550 250'],
  ['55', '353 550 550 550'],
  ['45', '353 451 550 451'],
  ['44', '353 451 451 451'],
] as const) {
  test(`PRDR: recipients told ${[...outcomes].join('yz, ')}yz hear ${expected}`, async (t) => {
    const settle = async (_: unknown, position: number): Promise<Reply> =>
      GIVEN[outcomes[position] ?? ''] ?? assert.fail('a recipient too many');
    const { client } = await greeted(t, { settle });
    await send(client, ' PRDR', outcomes.length);
    assert.equal(await codes(client, outcomes.length + 2), expected);
  });
}

test('PRDR: with one recipient no 353, as Exim has it', async (t) => {
  const { client } = await greeted(t);
  await send(client, ' PRDR', 1);
  assert.equal(await codes(client, 1), '250');
});

test('PRDR: without asking no 353', async (t) => {
  const { client } = await greeted(t);
  await send(client, '', 2);
  assert.equal(await codes(client, 1), '250');
});

test('PRDR: whoever asked in one message has not asked in the next', async (t) => {
  const { client } = await greeted(t);
  await send(client, ' PRDR', 2);
  assert.equal(await codes(client, 4), '353 250 250 250');
  await send(client, '', 2);
  assert.equal(await codes(client, 1), '250');
});

test('PRDR: a pipeline that fails is 451 for each and 451 at the end', async (t) => {
  const settle = async (): Promise<Reply> => {
    throw new Error('a bug');
  };
  const { client, stage } = await greeted(t, { settle });
  await send(client, ' PRDR', 2);
  assert.equal(await codes(client, 4), '353 451 451 451');
  assert.equal(stage.errors.length, 1);
});

test('PRDR: content that is refused as a whole is refused for each', async (t) => {
  const settle = async ({ end }: { end: string | null }): Promise<Reply> =>
    reply(end === 'too-large' ? 552 : 250, null, 'as it was');
  const { client } = await greeted(t, { settle, site: { limits: { size: 5, bareNewline: 'reject', recipients: 9 } } });
  await send(client, ' PRDR', 2);
  assert.equal(await codes(client, 4), '353 552 552 550');
});

test('PRDR: a client that leaves before the dot hears nothing more', async (t) => {
  const { client, stage } = await greeted(t);
  await client.ask('MAIL FROM:<ann@example.net> PRDR');
  await client.ask('RCPT TO:<a@example.org>');
  await client.ask('RCPT TO:<b@example.org>');
  await client.ask('DATA');
  client.socket.end('Subject: x\r\n');
  assert.equal(await client.line(), null);
  assert.equal(stage.arrived[0]?.end, 'aborted');
});

test('PRDR: replies leave in RCPT order, each as soon as those before it are known', async (t) => {
  let release: () => void = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const settle = async (_: unknown, position: number): Promise<Reply> => {
    if (position === 1) await held;
    return reply(250, '2.0.0', `number ${position}`);
  };
  const { client } = await greeted(t, { settle });
  await send(client, ' PRDR', 2);
  assert.match((await client.reply()) ?? '', /^353 /);
  assert.equal(await client.reply(), '250 2.0.0 number 0');
  release();
  assert.equal(await client.reply(), '250 2.0.0 number 1');
  assert.match((await client.reply()) ?? '', /^250 2\.0\.0 Accepted for 2 of 2 recipients \(id \w+\)$/);
});

test('PRDR: where it is not offered it is refused, because nobody can be served as they ask', async (t) => {
  const { client } = await greeted(t);
  assert.match((await client.ask('MAIL FROM:<a@example.net> PRDR=1')) ?? '', /^501 5\.5\.4 /);
  for (const options of [{ protocol: 'lmtp' }, { protocol: 'smtp' }] as const) {
    const other = await openStage(options);
    t.after(() => other.listener.drain(0));
    const peer = await connectPeer(other.port);
    await peer.reply();
    const hello = await peer.ask(options.protocol === 'smtp' ? 'EHLO client.example' : 'LHLO client.example');
    assert.doesNotMatch(hello ?? '', /PRDR/);
    assert.match((await peer.ask('MAIL FROM:<a@example.net> PRDR')) ?? '', /^555 5\.5\.4 /);
    peer.socket.destroy();
  }
});
