/**
 * Whole dialogues, mutated and cut: whatever a client writes, it gets well-formed replies and an end, the process has no
 * error, and nothing is delivered that was not ended by CRLF.CRLF.
 *
 * A failing one is printed with its seed by fast-check; see fuzz.ts.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { openChain } from '../support/chain.ts';
import { connectPeer } from '../support/peer.ts';
import { RecordingServer } from '../support/recording-server.ts';
import { RUNS, SEED } from './fuzz.ts';

const line = fc.constantFrom(
  'LHLO client.example',
  'EHLO client.example',
  'MAIL FROM:<ann@example.net>',
  'MAIL FROM:<> SIZE=100 BODY=8BITMIME',
  'MAIL FROM:<ann@example.net> SIZE=99999999999',
  'RCPT TO:<a@lists.example.org>',
  'RCPT TO:<../../etc/passwd@x>',
  'RCPT TO:<"a b"@x>',
  'RCPT TO:<a@xn--bcher-kva.example>',
  'RCPT TO:<user>',
  'RCPT TO:<>',
  'DATA',
  'Subject: x',
  '',
  '.',
  '..',
  'RSET',
  'NOOP',
  'VRFY x',
  'XFORWARD ADDR=192.0.2.1 NAME=[UNAVAILABLE]',
  'QUIT',
  'A'.repeat(3000),
);
const ending = fc.oneof(
  { weight: 20, arbitrary: fc.constant('\r\n') },
  { weight: 1, arbitrary: fc.constantFrom('\n', '\r', '\r\r\n', '\0\r\n', '') },
);
const garbage = fc.uint8Array({ maxLength: 40 }).map((octets) => Buffer.from(octets).toString('latin1'));
const piece = fc.oneof(
  { weight: 30, arbitrary: fc.tuple(line, ending).map(([text, end]) => text + end) },
  { weight: 1, arbitrary: garbage },
);
const GOOD = 'LHLO c\r\nMAIL FROM:<ann@example.net>\r\nRCPT TO:<a@lists.example.org>\r\nDATA\r\n';
const dialogue = fc
  .tuple(fc.boolean(), fc.array(piece, { maxLength: 25 }), fc.array(fc.nat(4000), { maxLength: 5 }))
  .map(([good, pieces, cuts]) => ({ octets: (good ? GOOD : '') + pieces.join(''), cuts }));

for (const bareNewline of ['reject', 'normalize']) {
  test(`${RUNS} dialogues, bare_newline: ${bareNewline}`, async (t) => {
    t.diagnostic(`FUZZ_SEED=${SEED}`);
    const server = new RecordingServer({ gullible: true });
    const chain = await openChain({
      downstreamPort: await server.listen(),
      listen: { client_from: 'xforward' },
      limits: { bare_newline: bareNewline, message: '4 KB' },
    });
    await fc.assert(
      fc.asyncProperty(dialogue, async ({ octets, cuts }) => {
        const client = await connectPeer(chain.port);
        let from = 0;
        for (const cut of [...cuts.sort((a, b) => a - b), octets.length]) {
          client.socket.write(octets.slice(from, cut), 'latin1');
          from = Math.max(from, cut);
          await new Promise((resolve) => setImmediate(resolve));
        }
        client.socket.end();
        for (let reply = await client.reply(); reply !== null; reply = await client.reply()) {
          for (const got of reply.split('\n')) assert.match(got, /^[2345]\d\d[ -][\x20-\x7e]*(<no CRLF>)?$/);
        }
        // Whoever closes its side behind the dot has left; its message may be downstream only after its connection is gone.
        while (chain.listener.sessions > 0) await new Promise((resolve) => setImmediate(resolve));
        assert.deepEqual(
          chain.log.filter((entry) => entry.includes('"level":"error"')),
          [],
        );
        chain.log.length = 0;
        for (const message of server.messages.splice(0)) {
          assert.ok(octets.includes('\r\n.\r\n'), 'a message that the client did not end');
          assert.ok(message.recipients.every((recipient) => octets.includes(recipient.slice(8))));
        }
      }),
      { numRuns: RUNS, seed: SEED },
    );
    await chain.close();
    server.close();
  });
}

const DIALOGUES = {
  DATA: 'MAIL FROM:<ann@example.net> SIZE=30\r\nRCPT TO:<a@lists.example.org>\r\nRCPT TO:<b@x\r\nDATA\r\nSubject: x\r\n\r\n..\r\n.x\r\n.\r\n',
  BDAT: 'MAIL FROM:<>\r\nRCPT TO:<a@lists.example.org>\r\nBDAT 5\r\nSubjeBDAT 9 LAST\r\nct: x\r\n\r\n',
  'out of place':
    'DATA\r\nRCPT TO:<a@x>\r\nWHAT\r\nXFORWARD ADDR=192.0.2.1\r\nMAIL FROM:<a@x>\r\nMAIL FROM:<b@x>\r\nRSET\r\n',
};

for (const [name, dialogue] of Object.entries(DIALOGUES)) {
  test(`${name}: the same replies and the same message, at whichever octet the dialogue is cut`, async () => {
    const server = new RecordingServer();
    const chain = await openChain({
      downstreamPort: await server.listen(),
      listen: { client_from: 'xforward', chunking: 'true' },
    });
    const octets = `LHLO c\r\n${dialogue}QUIT\r\n`;
    const play = async (cut: number): Promise<unknown> => {
      const client = await connectPeer(chain.port);
      client.socket.write(octets.slice(0, cut), 'latin1');
      await new Promise((resolve) => setImmediate(resolve));
      client.socket.write(octets.slice(cut), 'latin1');
      const replies: string[] = [];
      for (let reply = await client.reply(); reply !== null; reply = await client.reply()) {
        replies.push(reply.replace(/\(id \w+\)/, ''));
      }
      return { replies, messages: server.messages.splice(0).map(({ content }) => content.toString('latin1')) };
    };
    // What the downstream offers is known, and so offered, from the second session on.
    await play(octets.length);
    const whole = await play(octets.length);
    for (let cut = 1; cut < octets.length; cut += 1) assert.deepEqual(await play(cut), whole, `cut at ${cut}`);
    await chain.close();
    server.close();
  });
}
