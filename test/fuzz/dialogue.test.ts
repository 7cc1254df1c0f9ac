/**
 * Whole dialogues, mutated and cut: whatever a client writes, it gets well-formed replies and an end, the process has no
 * error, and nothing is delivered that was not ended by CRLF.CRLF.
 *
 * FUZZ_RUNS sets the number of dialogues; a failing one is printed with its seed by fast-check.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { openChain } from '../support/chain.ts';
import { connectPeer } from '../support/peer.ts';
import { RecordingServer } from '../support/recording-server.ts';

const RUNS = Number(process.env['FUZZ_RUNS'] ?? 1000);

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
  test(`${RUNS} dialogues, bare_newline: ${bareNewline}`, async () => {
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
      { numRuns: RUNS },
    );
    await chain.close();
    server.close();
  });
}
