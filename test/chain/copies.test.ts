/**
 * What was accepted before, through the whole chain: remembered when the downstream took it, also what did not fit in
 * memory, and never what it refused.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openChain } from '../support/chain.ts';
import { connectPeer, type Peer } from '../support/peer.ts';
import { RecordingServer } from '../support/recording-server.ts';

const RULES = `version: 1
rules:
  - { name: copies, when: { seen: { key: KEY, within: 1 day } }, then: { reject: "A copy." } }
  - { name: brake, when: { rate: { per: envelope_from, above: 2 per day } }, then: { defer: "Slow down." } }
`;

async function send(client: Peer, from: string, content: string): Promise<string> {
  await client.ask(`MAIL FROM:<${from}>`);
  const rcpt = await client.ask('RCPT TO:<a@lists.example.org>');
  if (rcpt?.startsWith('250') !== true) {
    await client.ask('RSET');
    return rcpt ?? '';
  }
  await client.ask('DATA');
  return (await client.ask(`${content}.`)) ?? '';
}

for (const key of ['message_id', 'body']) {
  test(`copies by ${key}`, async () => {
    const server = new RecordingServer();
    const lists = { a: RULES.replace('KEY', key) };
    const chain = await openChain({ downstreamPort: await server.listen(), lists, limits: { memory: '64 KB' } });
    const client = await connectPeer(chain.port);
    await client.reply();
    await client.ask('LHLO client.example');
    const body = `${'x'.repeat(70)}\r\n`.repeat(3000);
    const message = (id: number) => `Message-ID: <${id}@example.net>\r\n\r\n${body}${key === 'body' ? '' : id}\r\n`;
    assert.equal(await send(client, 'ann@example.net', message(1)), '250 2.0.0 taken');
    assert.match(await send(client, 'bob@example.net', message(key === 'body' ? 2 : 1)), /^550 5\.7\.1 A copy\. \(id /);
    assert.equal(server.messages.length, 1);
    client.socket.destroy();
    await chain.close();
    server.close();
  });
}

test('the third message of a day has to wait', async () => {
  const server = new RecordingServer();
  const chain = await openChain({
    downstreamPort: await server.listen(),
    lists: { a: RULES.replace('KEY', 'message_id') },
  });
  const client = await connectPeer(chain.port);
  await client.reply();
  await client.ask('LHLO client.example');
  const answers: string[] = [];
  for (const from of ['ann@example.net', 'ann@example.net', 'bob@example.net', 'ann@example.net']) {
    answers.push(await send(client, from, `Message-ID: <${answers.length}@example.net>\r\n\r\n`));
  }
  assert.deepEqual(
    answers.map((answer) => answer.slice(0, 3)),
    ['250', '250', '250', '451'],
  );
  client.socket.destroy();
  await chain.close();
  server.close();
});
