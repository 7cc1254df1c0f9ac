/**
 * Redirects, copies and quarantines through the whole chain, octet for octet.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type ChainOptions, openChain } from '../support/chain.ts';
import { connectPeer, type Peer } from '../support/peer.ts';
import { RecordingServer } from '../support/recording-server.ts';

const CONTENT = 'Subject:  =?utf-8?q?tulips?=\r\nX-Odd:\r\n folded\r\n\r\n..dot\r\n\xff\r\n';
const WIRE = CONTENT.replaceAll('\r\n.', '\r\n..');

const SYSTEM = `version: 1
before:
  - name: moved
    when: { list: { is: old@lists.example.org } }
    then: [ { add_header: { name: X-Moved, value: "{list}" } }, { redirect: new@lists.example.org } ]
  - name: archived
    when: { list: { like: "a*@*" } }
    then: [ { copy: archive@example.org }, { tag: archived } ]
  - name: odd
    when: { list: { is: odd@lists.example.org } }
    then: [ { tag: odd }, { quarantine: junk } ]
  - name: swallowed
    when: { list: { is: swallowed@lists.example.org } }
    then: [ { copy: archive@example.org }, { discard: copied } ]
`;

interface Stage {
  readonly client: Peer;
  readonly lists: RecordingServer;
  readonly archive: RecordingServer;
  readonly folder: string;
  readonly log: readonly string[];
  /** The replies to RCPT of each and, where all were accepted, those after the dot. */
  send(recipients: readonly string[], wire?: string): Promise<readonly string[]>;
}

async function staged(options: Partial<ChainOptions>, play: (stage: Stage) => Promise<void>): Promise<void> {
  const [lists, archive] = [new RecordingServer(), new RecordingServer()];
  const archivePort = await archive.listen();
  const chain = await openChain({
    downstreamPort: await lists.listen(),
    downstreams: { archive: `{ lmtp: "127.0.0.1:${archivePort}" }`, junk: '{ maildir: junk }' },
    routes: '{ recipients: "*@example.org", to: archive }',
    system: SYSTEM,
    ...options,
  });
  const client = await connectPeer(chain.port);
  const smtp = options.listener === 'smtp';
  await client.reply();
  await client.ask(`${smtp ? 'EHLO' : 'LHLO'} client.example`);
  const send = async (recipients: readonly string[], wire = WIRE): Promise<readonly string[]> => {
    await client.ask('MAIL FROM:<ann@example.net>');
    const replies: (string | null)[] = [];
    for (const name of recipients) replies.push(await client.ask(`RCPT TO:<${name}@lists.example.org>`));
    await client.ask('DATA');
    replies.push(await client.ask(`${wire}.`));
    for (const _ of smtp ? [] : recipients.slice(1)) replies.push(await client.reply());
    return replies.map((reply) => reply ?? 'lost');
  };
  const { folder, log } = chain;
  try {
    await play({ client, lists, archive, folder, log, send });
  } finally {
    client.socket.destroy();
    await chain.close();
    lists.close();
    archive.close();
  }
}

const OK = '250 2.1.5 Ok';
const TAKEN = '250 2.0.0 taken';

test('redirected: another recipient, two fields more, no other octet', async () => {
  await staged({}, async ({ lists, send }) => {
    assert.deepEqual(await send(['old']), [OK, TAKEN]);
    assert.deepEqual(
      lists.messages.map(({ mail, recipients, content }) => [mail, recipients, content.toString('latin1')]),
      [
        [
          'MAIL FROM:<ann@example.net>',
          ['RCPT TO:<new@lists.example.org>'],
          `X-Moved: old@lists.example.org\r\nX-Loop: old@lists.example.org\r\n${CONTENT}`,
        ],
      ],
    );
  });
});

for (const listener of ['lmtp', 'smtp'] as const) {
  test(`${listener}: redirected to an address that is a recipient too, it goes once`, async () => {
    await staged({ listener }, async ({ lists, send }) => {
      const replies = await send(['old', 'new']);
      assert.deepEqual(replies, [OK, OK, TAKEN, ...(listener === 'lmtp' ? [TAKEN] : [])]);
      assert.deepEqual(
        lists.messages.map(({ recipients, content }) => [recipients, content.toString('latin1')]),
        [[['RCPT TO:<new@lists.example.org>'], CONTENT]],
      );
    });
  });
}

test('what comes back is refused, and goes nowhere', async () => {
  await staged({}, async ({ lists, archive, send }) => {
    assert.deepEqual(await send(['a1']), [OK, TAKEN]);
    const [back] = archive.messages;
    assert.equal(back?.content.toString('latin1'), `X-Loop: a1@lists.example.org\r\n${CONTENT}`);
    const [rcpt, reply] = await send(['a1'], back?.content.toString('latin1').replaceAll('\r\n.', '\r\n..'));
    assert.equal(rcpt, OK);
    assert.match(reply ?? '', /^550 5\.4\.6 Mail loop: .* \(id \w{10}\)$/);
    assert.deepEqual([lists.messages.length, archive.messages.length], [1, 1]);
  });
});

test('a copy of two recipients goes once, as it came; each recipient gets its own', async () => {
  await staged({}, async ({ lists, archive, send }) => {
    assert.deepEqual(await send(['a1', 'a2', 'b']), [OK, OK, OK, TAKEN, TAKEN, TAKEN]);
    const marks = 'X-Loop: a1@lists.example.org\r\nX-Loop: a2@lists.example.org\r\n';
    assert.deepEqual(
      archive.messages.map(({ recipients, content }) => [recipients, content.toString('latin1')]),
      [[['RCPT TO:<archive@example.org>'], marks + CONTENT]],
    );
    const got = lists.messages.map(({ recipients, content }) => `${recipients.join()} ${content.toString('latin1')}`);
    assert.deepEqual(got.sort(), [
      `RCPT TO:<a1@lists.example.org>,RCPT TO:<a2@lists.example.org> X-Postern-Tag: archived\r\n${CONTENT}`,
      `RCPT TO:<b@lists.example.org> ${CONTENT}`,
    ]);
  });
});

for (const listener of ['lmtp', 'smtp'] as const) {
  test(`${listener}: where the copy has no server nobody has anything, and nobody hears 250`, async () => {
    await staged({ listener }, async ({ lists, archive, send, log }) => {
      archive.close();
      const replies = await send(['a1']);
      assert.match(
        replies.at(-1) ?? '',
        /^451 4\.3\.0 The message cannot be delivered to all it is for; .*\(id \w{10}\)$/,
      );
      const swallowed = await send(['swallowed']);
      assert.match(swallowed.at(-1) ?? '', /^451 4\.3\.0 /);
      assert.equal(lists.messages.length, 0);
      assert.ok(log.some((line) => line.includes('"copy-failed"') && line.includes('archive@example.org')));
    });
  });
}

test('discarded with a copy: the copy is there before the 250', async () => {
  await staged({}, async ({ lists, archive, send }) => {
    assert.deepEqual(await send(['swallowed']), [OK, '250 2.0.0 Ok']);
    assert.deepEqual([lists.messages.length, archive.messages.length], [0, 1]);
  });
});

test("quarantined: in the list's Maildir with its edits, and 250", async () => {
  await staged({}, async ({ lists, folder, send }) => {
    assert.deepEqual(await send(['odd-owner', 'odd+x']), [OK, OK, '250 2.0.0 Ok', '250 2.0.0 Ok']);
    assert.equal(lists.messages.length, 0);
    const place = join(folder, 'junk/lists.example.org/odd/new');
    const [file = '', ...more] = readdirSync(place);
    assert.deepEqual(more, []);
    const kept = readFileSync(join(place, file), 'latin1');
    assert.match(kept, /^Return-Path: <ann@example\.net>\nDelivered-To: odd-owner@lists\.example\.org\n/);
    assert.ok(kept.endsWith(`\nX-Postern-Tag: odd\n${CONTENT.replaceAll('\r\n', '\n')}`), kept);
  });
});

test('a list may redirect where the site delegates it, and the last layer of the system is asked all the same', async () => {
  const system = `version: 1
after:
  - { name: large, when: { size: { above: 1 KB } }, then: { reject: "Too large." } }
  - { name: rest, when: { always: "true" }, then: relay }
`;
  const gardeners = `version: 1
rules:
  - { name: away, when: { always: "true" }, then: { redirect: roses@lists.example.org } }
`;
  const may = { actions: '[redirect]' };
  await staged({ system, lists: { gardeners }, may }, async ({ lists, send }) => {
    assert.deepEqual(await send(['gardeners']), [OK, TAKEN]);
    assert.deepEqual(lists.messages[0]?.recipients, ['RCPT TO:<roses@lists.example.org>']);
    const [, refused] = await send(['gardeners'], `${CONTENT}${'x'.repeat(900)}\r\n${'x'.repeat(900)}\r\n`);
    assert.match(refused ?? '', /^550 5\.7\.1 Too large\./);
    assert.equal(lists.messages.length, 1);
  });
});
