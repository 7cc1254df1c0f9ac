/**
 * What a service keeps when it reads its configuration again.
 */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { connectPeer } from '../support/peer.ts';
import { folderWith, freePort, postern, start } from './running.ts';

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
