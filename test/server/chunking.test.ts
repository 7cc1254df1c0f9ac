import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { reply } from '../../src/core/reply.ts';
import { connectPeer, type Peer } from '../support/peer.ts';
import { openStage, type Stage, type StageOptions } from './stage.ts';

async function begun(t: TestContext, options: StageOptions = {}): Promise<{ stage: Stage; client: Peer }> {
  const stage = await openStage({ ...options, site: { chunking: true, ...options.site } });
  const client = await connectPeer(stage.port);
  t.after(async () => {
    client.socket.destroy();
    await stage.listener.drain(0);
  });
  await client.reply();
  assert.match((await client.ask('LHLO client.example')) ?? '', /CHUNKING/);
  await client.ask('MAIL FROM:<ann@example.net> BODY=8BITMIME');
  assert.equal(await client.ask('RCPT TO:<a@example.org>'), '250 2.1.5 Ok');
  return { stage, client };
}

const CONTENT = 'x: y\r\n\r\n.\r\n..\r\nQUIT\r\n';
const MESSAGE = `BDAT 10\r\n${CONTENT.slice(0, 10)}BDAT 0\r\nBDAT ${CONTENT.length - 10} LAST\r\n${CONTENT.slice(10)}`;

test('BDAT: chunks are content as they are; whatever the segments', async (t) => {
  for (let cut = 0; cut <= MESSAGE.length; cut++) {
    const { client, stage } = await begun(t);
    client.socket.write(MESSAGE.slice(0, cut), 'latin1');
    await new Promise((resolve) => setImmediate(resolve));
    client.socket.write(`${MESSAGE.slice(cut)}NOOP\r\n`, 'latin1');
    const expected = ['250 2.0.0 10 octets received', '250 2.0.0 0 octets received', '250 2.0.0 Ok', '250 2.0.0 OK'];
    for (const line of expected) assert.equal(await client.reply(), line, `cut at ${cut}`);
    assert.equal(stage.arrived[0]?.content.toString('latin1'), CONTENT);
    assert.equal(stage.arrived[0]?.end, 'complete');
    client.socket.destroy();
  }
});

test('BDAT: the last chunk may be empty, and the next message may follow in either way', async (t) => {
  const { client, stage } = await begun(t);
  client.socket.write('BDAT 8\r\nx: y\r\n\r\nBDAT 0 LAST\r\n');
  assert.equal(await client.reply(), '250 2.0.0 8 octets received');
  assert.equal(await client.reply(), '250 2.0.0 Ok');
  await client.ask('MAIL FROM:<ann@example.net>');
  await client.ask('RCPT TO:<a@example.org>');
  assert.match((await client.ask('DATA')) ?? '', /^354 /);
  client.socket.write('x: z\r\n\r\n.\r\n');
  assert.equal(await client.reply(), '250 2.0.0 Ok');
  assert.deepEqual(
    stage.arrived.map(({ content }) => content.toString()),
    ['x: y\r\n\r\n', 'x: z\r\n\r\n'],
  );
});

test('BDAT over LMTP: a reply for each recipient behind the last chunk', async (t) => {
  const settle = async (_whole: unknown, position: number) => reply(250, '2.0.0', `number ${position}`);
  const { client } = await begun(t, { settle });
  await client.ask('RCPT TO:<b@example.org>');
  client.socket.write('BDAT 8 LAST\r\nx: y\r\n\r\n');
  for (const position of [0, 1]) assert.equal(await client.reply(), `250 2.0.0 number ${position}`);
});

test('BDAT and DATA are not mixed, and no recipient comes once the content has begun', async (t) => {
  const { client, stage } = await begun(t);
  client.socket.write('BDAT 8\r\nx: y\r\n\r\n');
  assert.match((await client.reply()) ?? '', /^250 /);
  for (const command of ['DATA', 'MAIL FROM:<a@b.example>', 'RCPT TO:<b@example.org>']) {
    assert.match((await client.ask(command)) ?? '', /^503 5\.5\.1 /, command);
  }
  client.socket.write('BDAT 3 LAST\r\nend');
  assert.equal(await client.reply(), '250 2.0.0 Ok');
  assert.equal(stage.arrived[0]?.content.toString(), 'x: y\r\n\r\nend');
  assert.equal(stage.arrived[0]?.recipients.length, 1);
});

test('BDAT without a recipient: 503, and its octets are no commands', async (t) => {
  const { client, stage } = await begun(t);
  await client.ask('RSET');
  client.socket.write('BDAT 12\r\nNOOP\r\nNOOP\r\nBDAT 6 LAST\r\nQUIT\r\nNOOP\r\n');
  assert.equal(await client.reply(), '503 5.5.1 MAIL first');
  assert.equal(await client.reply(), '503 5.5.1 MAIL first');
  assert.equal(await client.reply(), '250 2.0.0 OK');
  await client.ask('MAIL FROM:<ann@example.net>');
  client.socket.write('BDAT 6 LAST\r\nQUIT\r\n');
  assert.equal(await client.reply(), '503 5.5.1 No valid recipients');
  assert.deepEqual(stage.arrived, []);
});

test('BDAT whose length nobody can know ends the session: what follows might be anything', async (t) => {
  const { client } = await begun(t);
  client.socket.write('BDAT 1x\r\nMAIL FROM:<evil@example.net>\r\n');
  assert.match((await client.reply()) ?? '', /^501 5\.5\.4 /);
  assert.equal(await client.line(), null);
});

test('BDAT: RSET between two chunks drops the message, and the next one is whole', async (t) => {
  const { client, stage } = await begun(t);
  client.socket.write('BDAT 8\r\nx: y\r\n\r\n');
  await client.reply();
  assert.match((await client.ask('RSET')) ?? '', /^250 /);
  await client.ask('MAIL FROM:<ann@example.net>');
  await client.ask('RCPT TO:<a@example.org>');
  client.socket.write('BDAT 4 LAST\r\na: b');
  assert.equal(await client.reply(), '250 2.0.0 Ok');
  assert.deepEqual(
    stage.arrived.map(({ end, content }) => [end, content.toString()]),
    [
      ['aborted', 'x: y\r\n\r\n'],
      ['complete', 'a: b'],
    ],
  );
  assert.equal(stage.arrived[0]?.transaction.signal.aborted, true);
  assert.deepEqual(stage.abandoned, []);
});

test('BDAT: a client that leaves at any octet leaves nothing behind', async () => {
  const stage = await openStage({ site: { chunking: true } });
  const dialogue = `LHLO c\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<a@example.org>\r\n${MESSAGE}QUIT\r\n`;
  for (let cut = 0; cut <= dialogue.length; cut++) {
    const client = await connectPeer(stage.port);
    client.socket.write(dialogue.slice(0, cut), 'latin1');
    if (cut % 2 === 0) client.socket.end();
    else client.socket.resetAndDestroy();
  }
  await stage.listener.drain(5000);
  assert.equal(stage.listener.sessions, 0);
  assert.deepEqual(stage.errors, []);
  assert.ok(stage.arrived.every(({ end, content }) => end === 'aborted' || content.toString('latin1') === CONTENT));
});

test('BDAT: size, bare newlines and NUL are judged as with DATA', async (t) => {
  const cases = [
    { content: 'x'.repeat(1001), end: 'too-large' },
    { content: 'x: y\n', end: 'bare-newline' },
    { content: 'x: y\r\n\r\nz\r', end: 'bare-newline' },
    { content: 'x: y\r\n\r\n\0', end: 'nul' },
    { content: 'x: y\r\n\r\nno newline', end: 'complete' },
  ];
  for (const { content, end } of cases) {
    const limits = { size: 1000, bareNewline: 'reject' as const, recipients: 100 };
    const { client, stage } = await begun(t, { site: { limits } });
    client.socket.write(
      `BDAT 4\r\n${content.slice(0, 4)}BDAT ${content.length - 4} LAST\r\n${content.slice(4)}NOOP\r\n`,
    );
    for (let n = 0; n < 3; n++) assert.match((await client.reply()) ?? '', /^250 /);
    assert.equal(stage.arrived[0]?.end, end);
  }
});

test('BDAT: thousands of small chunks in one segment', async (t) => {
  const { client, stage } = await begun(t, { site: { sessions: { perPeer: 9, errors: 9, commands: 99_999 } } });
  client.socket.write(`${'BDAT 1\r\nx'.repeat(5000)}BDAT 0 LAST\r\n`);
  for (let n = 0; n < 5000; n++) assert.equal(await client.reply(), '250 2.0.0 1 octets received');
  assert.equal(await client.reply(), '250 2.0.0 Ok');
  assert.equal(stage.arrived[0]?.content.length, 5000);
});

test('BDAT is no command where it is not offered; BODY=BINARYMIME is refused where it is', async (t) => {
  const { client } = await begun(t);
  await client.ask('RSET');
  assert.match((await client.ask('MAIL FROM:<ann@example.net> BODY=BINARYMIME')) ?? '', /^501 /);
  const stage = await openStage();
  t.after(() => stage.listener.drain(0));
  const other = await connectPeer(stage.port);
  await other.reply();
  assert.ok(!(await other.ask('LHLO client.example'))?.includes('CHUNKING'));
  assert.match((await other.ask('BDAT 0 LAST')) ?? '', /^500 5\.5\.2 /);
  other.socket.destroy();
});
