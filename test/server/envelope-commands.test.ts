/** RCPT lines that were read before say the same again, and nothing else. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readRecipient } from '../../src/server/envelope-commands.ts';

function said(line: string): unknown {
  const read = readRecipient(line);
  return 'code' in read ? read : { ...read.forwardPath, raw: read.raw, parameters: [...read.parameters] };
}

test('a line that was read before says the same', () => {
  const lines = [
    'RCPT TO:<gardeners@lists.example.org>',
    'RCPT TO:<Gardeners@Lists.example.org>',
    'RCPT TO:<"gardeners"@lists.example.org>',
    'RCPT TO:<gardeners@lists.example.org> NOTIFY=NEVER',
    'RCPT TO:<gardeners@lists.example.org> NOTIFY=FAILURE',
    'RCPT TO:<gr\xc3\xbcn@lists.example.org>',
    'RCPT TO:<gr\xfcn@lists.example.org>',
    'RCPT TO:<>',
    'RCPT TO:<gardeners@lists.example.org> NOTIFY=SOON',
  ];
  const first = lines.map(said);
  assert.deepEqual(lines.map(said), first);
  assert.equal(new Set(first.map((one) => JSON.stringify(one))).size, lines.length);
});

test('a long line is not remembered: it is read anew each time', () => {
  const line = (octets: number): string => {
    const command = 'RCPT TO:<gardeners@lists.example.org> ORCPT=rfc822;';
    return command + 'a'.repeat(octets - command.length);
  };
  assert.equal(readRecipient(line(256)), readRecipient(line(256)));
  assert.notEqual(readRecipient(line(257)), readRecipient(line(257)));
  assert.deepEqual(said(line(257)), said(line(257)));
});

test('more lines than are remembered are each read as what they are', () => {
  const raws = Array.from({ length: 5_000 }, (_, index) => `list-${index}@lists.example.org`);
  for (let round = 0; round < 2; round++) {
    for (const raw of raws) {
      const read = readRecipient(`RCPT TO:<${raw}>`);
      assert.equal('raw' in read && read.raw, raw);
    }
  }
});
