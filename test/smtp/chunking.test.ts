import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ChunkDecoder, parseBdat } from '../../src/smtp/chunking.ts';

test('BDAT: what stands behind the verb', () => {
  const cases: readonly [string, object | number][] = [
    ['0', { octets: 0, last: false }],
    ['86 LAST', { octets: 86, last: true }],
    ['86  last ', { octets: 86, last: true }],
    ['007', { octets: 7, last: false }],
    ...['', 'LAST', '-1', '1.5', '1e3', '0x10', '86 FIRST', '86LAST', '86 LAST LAST', '9'.repeat(20)].map(
      (text): [string, number] => [text, 501],
    ),
  ];
  for (const [given, expect] of cases) {
    const read = parseBdat(given);
    assert.deepEqual('code' in read ? read.code : read, expect, given);
  }
});

function decode(pieces: readonly Buffer[], bareNewline: 'reject' | 'normalize'): object {
  const decoder = new ChunkDecoder({ bareNewline });
  const slices = pieces.flatMap((piece) => decoder.push(piece).slice ?? []);
  const content = Buffer.concat([...slices, decoder.end() ?? Buffer.alloc(0)]).toString('latin1');
  assert.equal(decoder.size, content.length);
  return { content, bareNewline: decoder.bareNewline, nul: decoder.nul };
}

test('content comes out as it went in; bare newlines and NUL are noticed, wherever it is cut', () => {
  const octet = fc.constantFrom('\r', '\n', '\r\n', '.', '\0', 'a', '\xff', '\r\n.\r\n');
  const pieces = fc.array(fc.array(octet, { maxLength: 6 }).map((all) => Buffer.from(all.join(''), 'latin1')));
  fc.assert(
    fc.property(pieces, (cut) => {
      const whole = Buffer.concat(cut).toString('latin1');
      const bareNewline = /\r(?!\n)|(?<!\r)\n/.test(whole);
      const nul = whole.includes('\0');
      assert.deepEqual(decode(cut, 'reject'), { content: whole, bareNewline, nul });
      const content = whole.replace(/\r\n|\r|\n/g, '\r\n');
      assert.deepEqual(decode(cut, 'normalize'), { content, bareNewline, nul });
    }),
    { numRuns: 300 },
  );
});
