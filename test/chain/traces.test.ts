/**
 * The trace of a live transaction in the log at the level debug: what each rule was asked and saw, before the record.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openChain } from '../support/chain.ts';
import { connectPeer } from '../support/peer.ts';
import { RecordingServer } from '../support/recording-server.ts';

const RULES = `version: 1
rules:
  - { name: known, when: { envelope_from: { is: eve@example.com } }, then: { reject: "No." } }
  - { name: large, when: { size: { above: 1 KB } }, then: { reject: "Too large." } }
  - { name: quiet, mode: shadow, when: { body: { contains: tulips } }, then: { discard: none } }
`;

interface Logged {
  readonly event: string;
  readonly id: string;
  readonly to: string;
  readonly steps: readonly { phase: string; rule: string; truth: unknown; shadow: boolean; clauses: unknown[] }[];
}

test('a trace of every recipient, whether it was refused at RCPT, after the dot or not at all', async () => {
  const server = new RecordingServer();
  const chain = await openChain({ downstreamPort: await server.listen(), lists: { a: RULES } });
  const client = await connectPeer(chain.port);
  await client.reply();
  await client.ask('LHLO client.example');
  for (const [from, body] of [
    ['eve@example.com', null],
    ['ann@example.net', 'roses'],
    ['ann@example.net', 'tulips '.repeat(10)],
    ['ann@example.net', `${'x'.repeat(990)}\r\n`.repeat(2)],
  ] as const) {
    await client.ask(`MAIL FROM:<${from}>`);
    await client.ask('RCPT TO:<a@lists.example.org>');
    if (body === null) await client.ask('RSET');
    else {
      await client.ask('DATA');
      await client.ask(`Subject: x\r\n\r\n${body}\r\n.`);
    }
  }
  client.socket.destroy();
  await chain.close();
  server.close();

  const lines = chain.log.map((line) => JSON.parse(line) as Logged);
  const events = lines.filter(({ event }) => event === 'trace' || event === 'transaction');
  assert.deepEqual(
    events.map(({ event }) => event),
    Array.from({ length: 4 }, () => ['trace', 'transaction']).flat(),
  );
  for (let index = 0; index < events.length; index += 2) assert.equal(events[index]?.id, events[index + 1]?.id);
  const traces = events.filter(({ event }) => event === 'trace');
  const known = (truth: boolean) => `envelope known ${truth}`;
  const asked = [known(false), 'envelope large later', 'header large later'];
  assert.deepEqual(
    traces.map(({ steps }) => steps.map(({ phase, rule, truth }) => `${phase} ${rule} ${String(truth)}`)),
    [
      [known(true)],
      [...asked, 'content large false', 'content quiet false'],
      [...asked, 'content large false', 'content quiet true'],
      [...asked, 'content large true'],
    ],
  );
  assert.deepEqual(traces[0]?.steps[0]?.clauses.length, 1);
});
