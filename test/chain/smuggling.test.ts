/**
 * No sequence but CRLF.CRLF ends the data, whole or cut at every octet, and nothing that leaves can fool a downstream that
 * takes any of them for the end (RFC 5321 section 4.1.1.4).
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { openChain } from '../support/chain.ts';
import { connectPeer } from '../support/peer.ts';
import { RecordingServer } from '../support/recording-server.ts';

/** Beside those of the corpus, so that the matrix stands without it. */
const SEQUENCES = [
  '\r\n.\r\n',
  '\n.\n',
  '\n.\r\n',
  '\r\n.\n',
  '\r.\r',
  '\r\n.\r',
  '\r.\r\n',
  '\n.\r',
  '\r.\n',
  '\r\n\0.\r\n',
  '\r\n.\0\r\n',
  '\r\n.\r\r\n',
  '\r\r\n.\r\r\n',
  '\r\n. \r\n',
];
const CORPUS = '../shared/corpus/tables/smtp/smuggling-end-of-data.tsv';

function corpusSequences(): readonly string[] {
  if (!existsSync(CORPUS)) return [];
  const rows = readFileSync(CORPUS, 'utf8').trim().split('\n').slice(1);
  return rows.map((row) => Buffer.from(row.split('\t')[0] ?? '', 'hex').toString('latin1'));
}

const sequences = [...new Set([...SEQUENCES, ...corpusSequences()])];
const FORGED = 'MAIL FROM:<evil@example.com>\r\nRCPT TO:<victim@lists.example.org>\r\nDATA\r\nsmuggled\r\n.\r\n';

test('the corpus of sequences is there', (t) => {
  if (!existsSync(CORPUS)) t.skip(`${CORPUS} is missing: only the ${SEQUENCES.length} sequences named here are tried`);
});

for (const mode of ['reject', 'normalize'] as const) {
  for (const protocol of ['lmtp', 'smtp'] as const) {
    test(`${sequences.length} sequences, ${mode}, ${protocol}`, async () => {
      const victim = new RecordingServer({ protocol, gullible: true });
      const downstreamPort = await victim.listen();
      const options = { listener: protocol, downstream: protocol, downstreamPort, limits: { bare_newline: mode } };
      const chain = await openChain(options);
      try {
        for (const sequence of sequences) {
          const data = `Subject: x\r\n\r\nbody${sequence}${FORGED}`;
          const cuts = [0, ...Array(sequence.length + 1).keys()].map((n) => data.indexOf('body') + 4 + n);
          for (const cut of new Set(cuts)) await smuggle(chain.port, protocol, sequence, data, cut, mode, victim);
        }
      } finally {
        await chain.close();
        victim.close();
      }
    });
  }
}

async function smuggle(
  port: number,
  protocol: 'lmtp' | 'smtp',
  sequence: string,
  data: string,
  cut: number,
  mode: 'reject' | 'normalize',
  victim: RecordingServer,
): Promise<void> {
  const what = `${JSON.stringify(sequence)} cut at ${cut}`;
  victim.messages.length = 0;
  const client = await connectPeer(port);
  await client.reply();
  await client.ask(`${protocol === 'lmtp' ? 'LHLO' : 'EHLO'} client.example`);
  await client.ask('MAIL FROM:<ann@example.net>');
  await client.ask('RCPT TO:<a@lists.example.org>');
  await client.ask('DATA');
  client.socket.write(data.slice(0, cut), 'latin1');
  await new Promise((resolve) => setImmediate(resolve));
  client.socket.write(data.slice(cut), 'latin1');
  const answer = (await client.reply()) ?? '';
  if (sequence === '\r\n.\r\n') {
    // What stands behind the true end is commands, and they were the client's to give.
    assert.equal(answer, '250 2.0.0 taken', what);
    const second: string[] = [];
    for (let n = 0; n < 4; n++) second.push(((await client.reply()) ?? '').slice(0, 3));
    assert.deepEqual(second, ['250', '250', '354', '250'], what);
    assert.equal(victim.messages.length, 2, what);
    client.socket.destroy();
    return;
  }
  const bare = /\r(?!\n)|(?<!\r)\n/.test(sequence);
  const nul = sequence.includes('\0');
  if (nul || (bare && mode === 'reject')) {
    assert.match(answer, /^550 5\.6\.11 /, what);
    assert.deepEqual(victim.messages, [], what);
  } else {
    assert.equal(answer, '250 2.0.0 taken', what);
    assert.equal(victim.messages.length, 1, what);
    assert.deepEqual(victim.messages[0]?.recipients, ['RCPT TO:<a@lists.example.org>'], what);
    assert.match(victim.messages[0]?.content.toString('latin1') ?? '', /smuggled\r\n$/, what);
  }
  assert.match((await client.ask('NOOP')) ?? '', /^250 /, what);
  client.socket.destroy();
}
