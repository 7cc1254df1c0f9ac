import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type EnhancedStatusCode, reply } from '../../src/core/reply.ts';
import { formatReply } from '../../src/smtp/reply-format.ts';
import { ReplyParser } from '../../src/smtp/reply-parser.ts';

type Given = [code: number, status: EnhancedStatusCode | null, text: string];

const table: { name: string; given: Given; expect: string }[] = [
  { name: 'one line', given: [250, '2.1.5', 'Ok'], expect: '250 2.1.5 Ok\r\n' },
  { name: 'no status', given: [220, null, 'mx ESMTP'], expect: '220 mx ESMTP\r\n' },
  { name: 'no status on 3yz', given: [354, '2.0.0', 'Go on'], expect: '354 Go on\r\n' },
  { name: 'status of another class', given: [550, '4.7.1', 'No'], expect: '550 5.0.0 No\r\n' },
  { name: 'several lines', given: [550, '5.7.1', 'One\nTwo\n'], expect: '550-5.7.1 One\r\n550 5.7.1 Two\r\n' },
  { name: 'CR LF and empty lines', given: [550, null, 'One\r\n\r\nTwo'], expect: '550-One\r\n550 Two\r\n' },
  { name: 'no text', given: [250, '2.0.0', ''], expect: '250 2.0.0 \r\n' },
  { name: 'line feeds only', given: [250, '2.0.0', '\n\n'], expect: '250 2.0.0 \r\n' },
  { name: 'control characters', given: [550, null, 'a\0b\tc\x1bd\x7fe\u0085f'], expect: '550 a b c d e f\r\n' },
  { name: 'accents', given: [550, null, 'Grüße à Łódź, Søren'], expect: '550 Grusse a Lodz, Soren\r\n' },
  { name: 'typography', given: [550, null, '“a” – ‘b’ — c…\u00a0d'], expect: '550 "a" - \'b\' - c... d\r\n' },
  { name: 'no letters of ours', given: [550, null, '件名 🙂 x\u200by'], expect: '550 ?? ? xy\r\n' },
  { name: 'a lone surrogate', given: [550, null, 'x\ud800y'], expect: '550 x?y\r\n' },
];

for (const { name, given, expect } of table) {
  test(name, () => assert.equal(formatReply(reply(...given)), expect));
}

const words = (count: number): string => Array.from({ length: count }, (_, index) => `word${index}`).join(' ');

test('a long line is folded at blanks, the status on every line', () => {
  const wire = formatReply(reply(550, '5.7.1', words(100)));
  const lines = wire.split('\r\n').slice(0, -1);
  assert.equal(lines.length, 2);
  assert.ok(lines.every((line) => /^550[- ]5\.7\.1 word\d+/.test(line) && line.length + 2 <= 510));
  assert.equal(lines.map((line) => line.slice(10)).join(' '), words(100));
});

test('a long word is cut hard', () => {
  const lines = formatReply(reply(550, null, 'x'.repeat(700))).split('\r\n');
  assert.deepEqual(lines, [`550-${'x'.repeat(504)}`, `550 ${'x'.repeat(196)}`, '']);
});

test('what does not fit is cut from the end', () => {
  const many = formatReply(reply(550, '5.7.1', Array.from({ length: 150 }, (_, line) => `line ${line}`).join('\n')));
  assert.equal(many.match(/\r\n/g)?.length, 10);
  assert.ok(many.startsWith('550-5.7.1 line 0\r\n') && many.endsWith('550 5.7.1 line 9\r\n'));
  const long = formatReply(reply(550, '5.7.1', words(1000)));
  assert.ok(long.length <= 1500 && long.startsWith('550-5.7.1 word0 '));
});

test('the id of the transaction is kept, whatever is cut', () => {
  const id = '(id 0123456789)';
  for (const [name, text] of Object.entries({
    'many lines': `${Array.from({ length: 30 }, (_, line) => `line ${line}`).join('\n')} ${id}`,
    'many words': `${words(1000)} ${id}`,
    'one long word': `${'x'.repeat(5000)} ${id}`,
    'long lines': `${Array.from({ length: 9 }, () => 'y'.repeat(480)).join('\n')}\n${id}`,
    'letters that become longer': `${'ß'.repeat(1000)} ${id}`,
  })) {
    const lines = formatReply(reply(550, '5.7.1', text))
      .split('\r\n')
      .slice(0, -1);
    assert.ok(lines.at(-1)?.endsWith(` ${id}`), name);
    assert.ok(lines.length <= 10 && lines.every((line) => line.length + 2 <= 510), name);
    assert.ok(lines.join('\r\n').length + 2 <= 1500, name);
  }
});

test('an id is not broken over two lines', () => {
  for (let length = 470; length < 510; length++) {
    const wire = formatReply(reply(550, '5.7.1', `${'x'.repeat(length)} (id 0123456789)`));
    assert.ok(wire.endsWith(' (id 0123456789)\r\n'), `${length}`);
  }
});

test('an id on a line that is shown is not told again', () => {
  const many = Array.from({ length: 30 }, (_, line) => `line ${line} (id 0123456789)`).join('\n');
  assert.equal(formatReply(reply(550, '5.7.1', many)).split('\r\n')[9], '550 5.7.1 line 9 (id 0123456789)');
});

test('property: always a well-formed reply within the bounds', () => {
  const codes = fc.constantFrom(250, 354, 421, 451, 550);
  const statuses = fc.constantFrom<EnhancedStatusCode | null>('2.0.0', '4.3.0', '5.7.1', null);
  const text = fc.string({
    unit: fc.constantFrom('a', ' ', '\n', '\r', '\0', 'é', '件', 'x'.repeat(60)),
    maxLength: 60,
  });
  fc.assert(
    fc.property(codes, statuses, text, (code, status, words) => {
      const wire = formatReply(reply(code, status, words));
      assert.match(wire, /^(?:\d{3}-[\x20-\x7e]*\r\n)*\d{3} [\x20-\x7e]*\r\n$/);
      const lines = wire.split('\r\n').slice(0, -1);
      assert.ok(wire.length <= 1500 && lines.length <= 10 && lines.every((line) => line.length + 2 <= 510));
      const parser = new ReplyParser();
      parser.push(Buffer.from(wire));
      assert.equal(parser.next()?.code, code);
      assert.ok(parser.empty && parser.broken === null);
    }),
    { numRuns: 300 },
  );
});
