/**
 * The life of a service: what it keeps when it reads its configuration again, and how it ends.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { connectPeer } from '../support/peer.ts';
import { beginMessage, configuration, folderWith, freePort, postern, RULES, start } from './running.ts';

test('who has a message already is remembered over a reload, and not counted as a delivery', async (t) => {
  const [port, admin, nobody] = [await freePort(), await freePort(), await freePort()];
  const folder = folderWith(t, {
    'system.yaml': 'version: 1\n',
    'postern.yaml': `version: 1
listen: [ { smtp: "127.0.0.1:${port}" } ]
admin: 127.0.0.1:${admin}
downstreams: { inbox: { maildir: mail }, away: { lmtp: "127.0.0.1:${nobody}" } }
routes: [ { recipients: "news@lists.example.org", to: away }, { to: inbox } ]
rules: { system: system.yaml }
`,
  });
  const service = start(t, folder);
  await service.says(/"event":"listening"/);
  const attempt = async (): Promise<string | null> => {
    const client = await connectPeer(port);
    await client.reply();
    await client.ask('EHLO client.example');
    await client.ask('MAIL FROM:<ann@example.net>');
    await client.ask('RCPT TO:<gardeners@lists.example.org>');
    await client.ask('RCPT TO:<news@lists.example.org>');
    await client.ask('DATA');
    const reply = await client.ask('From: ann@example.net\r\nSubject: x\r\n\r\nx\r\n.');
    client.socket.destroy();
    return reply;
  };
  assert.match((await attempt()) ?? '', /^4/);
  service.process.kill('SIGHUP');
  await service.says(/"event":"reloaded"/);
  assert.match((await attempt()) ?? '', /^4/);
  assert.equal(readdirSync(join(folder, 'mail/lists.example.org/gardeners/new')).length, 1);
  const { downstreams } = JSON.parse(postern(folder, 'stats', '--json').stdout) as {
    downstreams: { name: string; deliveries: number }[];
  };
  assert.deepEqual(
    downstreams.map(({ name, deliveries }) => [name, deliveries]),
    [
      ['inbox', 1],
      ['away', 2],
    ],
  );
  service.process.kill('SIGTERM');
  assert.equal(await service.ended, 0);
});

const CONTENT = 'From: ann@example.net\r\nSubject: x\r\n\r\nx\r\n.';

test('SIGTERM: a message under way finishes, then 421; who is idle gets 421 at once; nobody new gets in', async (t) => {
  const port = await freePort();
  const folder = folderWith(t, { ...RULES, 'postern.yaml': configuration(`127.0.0.1:${port}`) });
  const service = start(t, folder);
  await service.says(/"event":"listening"/);
  const busy = await beginMessage(port, 'ann@example.net');
  const idle = await connectPeer(port);
  await idle.reply();
  const named = await connectPeer(port);
  await named.reply();
  await named.ask('LHLO client.example');
  await named.ask('MAIL FROM:<ann@example.net>');
  assert.match((await named.ask('RCPT TO:<gardeners@lists.example.org>')) ?? '', /^250 /);
  service.process.kill('SIGTERM');
  await service.says(/"event":"draining".*"sessions":3/);
  assert.match((await idle.reply()) ?? '', /^421 4\.3\.2 /);
  assert.equal(await idle.line(), null);
  assert.match((await named.reply()) ?? '', /^421 4\.3\.2 /);
  await assert.rejects(connectPeer(port), { code: 'ECONNREFUSED' });
  assert.match((await busy.ask(CONTENT)) ?? '', /^250 /);
  assert.match((await busy.reply()) ?? '', /^421 4\.3\.2 /);
  assert.equal(await busy.line(), null);
  assert.equal(await service.ended, 0);
  assert.equal(readdirSync(join(folder, 'mail/lists.example.org/gardeners/new')).length, 1);
  assert.match(service.output(), /"event":"transaction".*"end":"closed"[\s\S]*"end":"complete"/);
});

test("a second signal ends at once, and a message without its reply is nobody's", async (t) => {
  const port = await freePort();
  const folder = folderWith(t, { ...RULES, 'postern.yaml': configuration(`127.0.0.1:${port}`) });
  const service = start(t, folder);
  await service.says(/"event":"listening"/);
  const session = await beginMessage(port, 'ann@example.net');
  session.socket.write('From: ann@example.net\r\nSubject: x\r\n');
  service.process.kill('SIGINT');
  await service.says(/"event":"draining"/);
  service.process.kill('SIGTERM');
  assert.equal(await service.ended, 1);
  assert.equal(await session.reply(), null);
  assert.ok(!existsSync(join(folder, 'mail/lists.example.org/gardeners/new')));
});

test('a drain that a client holds up ends with its time: the client keeps its message', async (t) => {
  const port = await freePort();
  const text = configuration(`127.0.0.1:${port}`, 'timeouts: { drain: 300 milliseconds }\n');
  const service = start(t, folderWith(t, { ...RULES, 'postern.yaml': text }));
  await service.says(/"event":"listening"/);
  const session = await beginMessage(port, 'ann@example.net');
  service.process.kill('SIGTERM');
  assert.equal(await service.ended, 0);
  assert.equal(await session.reply(), null);
});

test("a list's file that is broken when SIGHUP comes: its last good rules stay in force", async (t) => {
  const port = await freePort();
  const file = 'lists/lists.example.org/gardeners.yaml';
  const folder = folderWith(t, {
    ...RULES,
    'postern.yaml': configuration(`127.0.0.1:${port}`),
    [file]: 'version: 1\nrules: [ { name: closed, when: { always: true }, then: { reject: Closed } } ]\n',
  });
  const service = start(t, folder);
  await service.says(/"event":"listening"/);
  const answer = async (): Promise<string | null> => {
    const client = await connectPeer(port);
    await client.reply();
    await client.ask('LHLO client.example');
    await client.ask('MAIL FROM:<ann@example.net>');
    const reply = await client.ask('RCPT TO:<gardeners@lists.example.org>');
    client.socket.destroy();
    return reply;
  };
  assert.match((await answer()) ?? '', /^550 5\.7\.1 Closed/);
  writeFileSync(join(folder, file), 'version: 1\nrules: broken\n');
  service.process.kill('SIGHUP');
  await service.says(/"event":"reloaded"/);
  assert.match((await answer()) ?? '', /^550 5\.7\.1 Closed/);
  assert.match(service.output(), /"event":"list-rules-set-aside".*"inForce":"the last good ones"/);
  service.process.kill('SIGTERM');
  assert.equal(await service.ended, 0);
});

test('a reload with messages under way in every session: each ends by the rules that it began with', async (t) => {
  const port = await freePort();
  const folder = folderWith(t, { ...RULES, 'postern.yaml': configuration(`127.0.0.1:${port}`) });
  const service = start(t, folder);
  await service.says(/"event":"listening"/);
  const sessions = await Promise.all(Array.from({ length: 20 }, () => beginMessage(port, 'ann@example.net')));
  for (const { socket } of sessions) socket.write('From: ann@example.net\r\n');
  const closed = 'version: 1\nbefore: [ { name: closed, when: { always: true }, then: { defer: Closed } } ]\n';
  writeFileSync(join(folder, 'system.yaml'), closed);
  for (let n = 0; n < 3; n += 1) service.process.kill('SIGHUP');
  await service.says(/"event":"reloaded"/);
  for (const session of sessions) {
    assert.match((await session.ask('Subject: x\r\n\r\nx\r\n.')) ?? '', /^250 /);
    await session.ask('MAIL FROM:<ann@example.net>');
    assert.match((await session.ask('RCPT TO:<gardeners@lists.example.org>')) ?? '', /^451 4\.7\.1 Closed/);
    session.socket.destroy();
  }
  service.process.kill('SIGTERM');
  assert.equal(await service.ended, 0);
});
