/**
 * What hostile and careless clients send, through the whole chain: a right reply each, nothing left behind.
 */
import assert from 'node:assert/strict';
import { existsSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Chain, openChain } from '../support/chain.ts';
import { openDescriptors, watchTemporaryFiles } from '../support/leftovers.ts';
import { connectPeer, type Peer } from '../support/peer.ts';
import { RecordingServer } from '../support/recording-server.ts';

interface Scene {
  readonly chain: Chain;
  readonly server: RecordingServer;
}

async function withChain(options: Partial<Parameters<typeof openChain>[0]>, act: (scene: Scene) => Promise<void>) {
  const server = new RecordingServer();
  const chain = await openChain({ ...options, downstreamPort: await server.listen() });
  try {
    await act({ chain, server });
    const errors = chain.log.filter((line) => line.includes('"level":"error"'));
    assert.deepEqual(errors, [], 'no error in the log');
  } finally {
    await chain.close();
    server.close();
  }
}

async function greeted(chain: Chain): Promise<Peer> {
  const client = await connectPeer(chain.port);
  await client.reply();
  await client.ask('LHLO client.example');
  return client;
}

const temporaryFiles = watchTemporaryFiles();

const GOOD =
  'MAIL FROM:<ann@example.net>\r\nRCPT TO:<a@lists.example.org>\r\nDATA\r\nSubject: x\r\n\r\n.x\r\n..\r\n.\r\n';

test('one octet a segment: the same dialogue', () =>
  withChain({}, async ({ chain, server }) => {
    const client = await greeted(chain);
    for (const octet of GOOD) {
      client.socket.write(octet, 'latin1');
      await new Promise((resolve) => setImmediate(resolve));
    }
    for (const code of ['250', '250', '354', '250']) assert.equal((await client.reply())?.slice(0, 3), code);
    assert.equal(server.messages[0]?.content.toString(), 'Subject: x\r\n\r\nx\r\n.\r\n');
    client.socket.destroy();
  }));

const RECIPIENTS: readonly { path: string; replies: RegExp }[] = [
  { path: '<../../etc/passwd@x>', replies: /^250 / },
  { path: '</etc/passwd@x>', replies: /^250 / },
  { path: '<a@../../../etc>', replies: /^501 5\.1\.3 / },
  { path: '<"../a"@lists.example.org>', replies: /^250 / },
  { path: '<"a b"@x>', replies: /^250 / },
  { path: '<a@xn--bcher-kva.example>', replies: /^250 / },
  { path: '<user>', replies: /^250 / },
  { path: '<__proto__@constructor>', replies: /^250 / },
  { path: `<${'a'.repeat(900)}@x>`, replies: /^250 / },
  { path: `<${'a'.repeat(1100)}@x>`, replies: /^501 5\.1\.3 / },
  { path: '<a\0b@x>', replies: /^501 5\.1\.3 / },
  { path: '<a@x', replies: /^501 5\.1\.3 / },
  { path: '<\xff\xfe@x>', replies: /^501 5\.1\.3 / },
];

test('paths of every kind are taken or refused, arrive as they were written, and never name a file', () =>
  withChain({ lists: { _default: 'version: 1\nrules: []\n' } }, async ({ chain, server }) => {
    for (const { path, replies } of RECIPIENTS) {
      const client = await greeted(chain);
      await client.ask('MAIL FROM:<ann@example.net>');
      const answer = (await client.ask(`RCPT TO:${path}`)) ?? '';
      assert.match(answer, replies, JSON.stringify(path));
      if (answer.startsWith('250')) {
        await client.ask('DATA');
        assert.match((await client.ask('x: y\r\n\r\n.')) ?? '', /^250 2\.0\.0 taken/, path);
        assert.deepEqual(server.messages.at(-1)?.recipients, [`RCPT TO:${path}`]);
      }
      client.socket.destroy();
    }
  }));

test('a client that leaves at every octet: nothing is delivered before its dot, nothing is left open', () =>
  withChain({ limits: { memory: '1 KB' } }, async ({ chain, server }) => {
    const dialogue = `LHLO client.example\r\n${GOOD}QUIT\r\n`;
    const end = dialogue.indexOf('\r\n.\r\n') + 5;
    for (let cut = 0; cut <= dialogue.length; cut++) {
      server.messages.length = 0;
      const client = await connectPeer(chain.port);
      client.socket.write(dialogue.slice(0, cut), 'latin1');
      if (cut % 2 === 0) client.socket.end();
      else client.socket.resetAndDestroy();
      while (chain.listener.sessions > 0) await new Promise((resolve) => setImmediate(resolve));
      if (cut < end) assert.equal(server.messages.length, 0, `cut at ${cut}`);
    }
    assert.equal(chain.listener.connections, 0);
  }));

test('large messages that are cut off leave no temporary file and no descriptor', async (t) => {
  const before = openDescriptors();
  if (before === null) {
    t.skip('/proc/self/fd is missing: descriptors were not counted');
    return;
  }
  await withChain({ limits: { memory: '64 KB' } }, async ({ chain }) => {
    for (let n = 0; n < 10; n++) {
      const client = await greeted(chain);
      await client.ask('MAIL FROM:<ann@example.net>');
      await client.ask('RCPT TO:<a@lists.example.org>');
      await client.ask('DATA');
      client.socket.write(`Subject: x\r\n\r\n${'0123456789abcdef\r\n'.repeat(30_000)}`);
      await new Promise((resolve) => setImmediate(resolve));
      client.socket.destroy();
      while (chain.listener.sessions > 0) await new Promise((resolve) => setImmediate(resolve));
    }
    assert.deepEqual(temporaryFiles(), []);
  });
  const left = openDescriptors() ?? 0;
  assert.ok(left <= before, `${before} descriptors before, ${left} after`);
});

test('a unix socket: opened with its mode, a stale one replaced, a live one left alone', async () => {
  const folder = tmpdir();
  const path = join(folder, `postern-test-${process.pid}.sock`);
  const listen = { lmtp: `unix:${path}`, mode: '"0600"' };
  await withChain({ listen }, async ({ chain }) => {
    assert.equal(statSync(path).mode & 0o777, 0o600);
    const client = await connectPeer(path);
    assert.match((await client.reply()) ?? '', /^220 /);
    client.socket.destroy();
    await assert.rejects(openChain({ listen, downstreamPort: 1 }), { code: 'EADDRINUSE' });
    assert.equal(chain.listener.port, null);
  });
  assert.ok(!existsSync(path), 'the socket is gone with its listener');
  writeFileSync(path, '');
  await assert.rejects(openChain({ listen, downstreamPort: 1 }), { code: 'EADDRINUSE' });
  assert.ok(existsSync(path), 'a file that is no socket is left alone');
  rmSync(path);
});
