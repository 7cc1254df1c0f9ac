import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Reply } from '../../src/core/reply.ts';
import { ReplyParser } from '../../src/smtp/reply-parser.ts';

interface Parsed {
  readonly replies: readonly Reply[];
  readonly broken: string | null;
  readonly empty: boolean;
}

function parse(pieces: readonly Buffer[]): Parsed {
  const parser = new ReplyParser();
  const replies: Reply[] = [];
  for (const piece of pieces) {
    parser.push(piece);
    for (let reply = parser.next(); reply !== null; reply = parser.next()) replies.push(reply);
  }
  return { replies, broken: parser.broken, empty: parser.empty };
}

const table: { name: string; given: string; replies: Reply[]; broken?: string; empty?: boolean }[] = [
  { name: 'one line', given: '250 2.1.5 Ok\r\n', replies: [{ code: 250, status: '2.1.5', text: 'Ok' }] },
  { name: 'no status', given: '250 Ok\r\n', replies: [{ code: 250, status: null, text: 'Ok' }] },
  { name: 'code alone', given: '250\r\n', replies: [{ code: 250, status: null, text: '' }] },
  { name: 'status alone', given: '250 2.0.0\r\n', replies: [{ code: 250, status: '2.0.0', text: '' }] },
  { name: 'LF alone', given: '250 Ok\n', replies: [{ code: 250, status: null, text: 'Ok' }] },
  {
    name: 'several lines',
    given: '550-5.7.1 One\r\n550-5.7.1 Two\r\n550 5.7.1 Three\r\n',
    replies: [{ code: 550, status: '5.7.1', text: 'One\nTwo\nThree' }],
  },
  {
    name: 'a status on some lines',
    given: '550-One\r\n550-5.7.1 Two\r\n550 Three\r\n',
    replies: [{ code: 550, status: '5.7.1', text: 'One\nTwo\nThree' }],
  },
  { name: 'a status of another class', given: '550 4.7.1 No\r\n', replies: [{ code: 550, status: null, text: 'No' }] },
  {
    name: 'numbers that are no status',
    given: '250 1.2.3.4 ok\r\n',
    replies: [{ code: 250, status: null, text: '1.2.3.4 ok' }],
  },
  { name: 'UTF-8', given: '550 né\r\n', replies: [{ code: 550, status: null, text: 'né' }] },
  {
    name: 'pipelined',
    given: '250 a\r\n550-b\r\n550 c\r\n354 d\r\n',
    replies: [
      { code: 250, status: null, text: 'a' },
      { code: 550, status: null, text: 'b\nc' },
      { code: 354, status: null, text: 'd' },
    ],
  },
  { name: 'half a line', given: '250 a\r\n250', replies: [{ code: 250, status: null, text: 'a' }], empty: false },
  { name: 'half a reply', given: '250-a\r\n', replies: [], empty: false },

  {
    name: 'two codes',
    given: '250-a\r\n550 b\r\n',
    replies: [],
    broken: 'the lines of a reply have different codes',
    empty: false,
  },
  { name: 'no code', given: 'Hello\r\n', replies: [], broken: 'a line is not part of a reply', empty: false },
  { name: 'four digits', given: '2500 a\r\n', replies: [], broken: 'a line is not part of a reply', empty: false },
  { name: 'code of no class', given: '150 a\r\n', replies: [], broken: 'a line is not part of a reply', empty: false },
  {
    name: 'an empty line',
    given: '250 a\r\n\r\n',
    replies: [{ code: 250, status: null, text: 'a' }],
    broken: 'a line is not part of a reply',
    empty: false,
  },
  {
    name: 'a line too long',
    given: `250 ${'a'.repeat(16_384)}\r\n`,
    replies: [],
    broken: 'a reply is too long',
    empty: false,
  },
  { name: 'no end of line', given: 'a'.repeat(16_385), replies: [], broken: 'a reply is too long', empty: false },
  { name: 'too many lines', given: '250-a\r\n'.repeat(3000), replies: [], broken: 'a reply is too long', empty: false },
];

for (const { name, given, replies, broken = null, empty = true } of table) {
  test(name, () => {
    const octets = Buffer.from(given);
    const expected = { replies, broken, empty };
    assert.deepEqual(parse([octets]), expected);
    const step = octets.length > 1000 ? 1000 : 1;
    const pieces: Buffer[] = [];
    for (let at = 0; at < octets.length; at += step) pieces.push(octets.subarray(at, at + step));
    assert.deepEqual(parse(pieces), expected);
  });
}

test('nothing is parsed behind a break', () => {
  assert.deepEqual(parse([Buffer.from('x\r\n250 a\r\n'), Buffer.from('250 b\r\n')]).replies, []);
});

test('many replies at once are no long reply', () => {
  assert.equal(parse([Buffer.from('250 2.1.5 Ok\r\n'.repeat(5000))]).replies.length, 5000);
});
