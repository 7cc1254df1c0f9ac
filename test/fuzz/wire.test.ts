/**
 * What a peer writes, nearly right: the parsers of commands, paths, parameters, replies, mail data and PROXY headers.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CommandLines } from '../../src/server/command-lines.ts';
import { parseXclient } from '../../src/server/xclient.ts';
import { parseXforward } from '../../src/server/xforward.ts';
import { ChunkDecoder, parseBdat } from '../../src/smtp/chunking.ts';
import { DotDecoder, DotEncoder } from '../../src/smtp/dot-stuffing.ts';
import { parseParameters } from '../../src/smtp/parameters.ts';
import { parsePath } from '../../src/smtp/path.ts';
import { parseProxyHeader } from '../../src/smtp/proxy-header.ts';
import { formatReply } from '../../src/smtp/reply-format.ts';
import { ReplyParser } from '../../src/smtp/reply-parser.ts';
import { cut, fuzz } from './fuzz.ts';

function repliesOf(pieces: readonly Buffer[]) {
  const parser = new ReplyParser();
  const replies: unknown[] = [];
  for (const piece of pieces) {
    parser.push(piece);
    for (let reply = parser.next(); reply !== null; reply = parser.next()) {
      assert.ok(reply.code >= 200 && reply.code < 600);
      assert.match(formatReply(reply), /^(?:\d{3}[ -][\x20-\x7e]*\r\n)+$/, 'what is passed on is well-formed');
      replies.push(reply);
    }
  }
  return { replies, broken: parser.broken };
}

fuzz(
  'replies: the same ones wherever the octets are cut, each well-formed when it is passed on',
  [
    '250 2.1.0 Ok\r\n550-5.7.1 One\r\n550-5.7.1 Two\r\n550 5.7.1 Three\r\n354 Go\r\n',
    '250-mail.example.org\r\n250-PIPELINING\r\n250-SIZE 10240000\r\n250 8BITMIME\r\n221 Bye\r\n',
    '421\r\n451 4.3.0 \xe4\xf6 \xc3\xa4\r\n250 \r\n',
  ],
  (octets, where) => assert.deepEqual(repliesOf(cut(octets, where)), repliesOf([octets])),
);

const PATHS = [
  ' FROM:<ann@example.net> SIZE=1000 BODY=8BITMIME RET=HDRS ENVID=x+2By',
  ' TO:<"a b"@example.net> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;a+2Bb@example.net',
  ' FROM:<@relay.example,@other.example:ann@example.net>',
  ' TO:<gr\xc3\xbc\xc3\x9fe@b\xc3\xbccher.example>',
  ' to: <a\\@b@[IPv6:2001:db8::1]>',
  ' FROM:<> AUTH=<> SMTPUTF8',
];

fuzz('paths and parameters: values without control characters, or one sentence', PATHS, (octets) => {
  for (const command of ['MAIL', 'RCPT'] as const) {
    const parsed = parsePath(command, octets.toString('latin1'));
    if ('problem' in parsed) {
      assert.match(parsed.problem, /^[\x20-\x7e]+$/);
      continue;
    }
    const { raw, mailbox } = parsed.path;
    assert.doesNotMatch(raw, /\p{Cc}/u);
    assert.equal(raw === '' && command === 'MAIL', mailbox === null);
    assert.ok(octets.includes(raw), 'an address as it was received');
    const read = parseParameters(command, parsed.rest);
    if ('reply' in read) assert.ok(read.reply.code === 501 || read.reply.code === 555);
    else
      for (const [keyword, value] of read.parameters)
        assert.match(`${keyword}=${value ?? ''}`, /^[A-Z0-9-]+=[^\s\p{Cc}]*$/u);
  }
});

fuzz(
  'what a trusted peer tells of the client: no control characters, or it is left out',
  [
    'NAME=mx.example.net ADDR=192.0.2.1 PORT=4711 HELO=a+20b PROTO=ESMTP',
    'ADDR=IPV6:2001:db8::1 NAME=[UNAVAILABLE] LOGIN=x',
  ],
  (octets) => {
    const text = octets.toString('utf8');
    for (const value of parseXforward(text).values()) assert.doesNotMatch(value, /\p{Cc}/u);
    const told = parseXclient(text);
    if (!('code' in told)) for (const value of told.values()) assert.doesNotMatch(value ?? '', /\p{Cc}/u);
  },
);

fuzz('BDAT: a length and a flag, or 501', ['1000', '86 LAST', '0 LAST', '99999999999999999999'], (octets) => {
  const bdat = parseBdat(octets.toString('latin1'));
  if ('code' in bdat) assert.equal(bdat.code, 501);
  else assert.ok(Number.isSafeInteger(bdat.octets) && bdat.octets >= 0);
});

function linesOf(pieces: readonly Buffer[]): readonly (string | null)[] {
  const lines = new CommandLines();
  const read: (string | null)[] = [];
  for (const piece of pieces) {
    lines.push(piece);
    for (let line = lines.next(); line !== null; line = lines.next()) {
      assert.ok(!line.includes('\n'));
      read.push(line);
    }
    if (lines.problem !== null) return [...read, lines.problem];
  }
  return read;
}

fuzz(
  'command lines: the same ones wherever the octets are cut; behind one that cannot be read none',
  [
    'EHLO client.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n',
    `${'x'.repeat(17_000)}\r\nNOOP\r\n`,
  ],
  (octets, where) => assert.deepEqual(linesOf(cut(octets, where)), linesOf([octets])),
);

interface Decoded {
  readonly content: string;
  readonly rest: string | null;
  readonly flags: readonly boolean[];
}

function decode(pieces: readonly Buffer[], bareNewline: 'reject' | 'normalize'): Decoded {
  const decoder = new DotDecoder({ bareNewline });
  const content: Buffer[] = [];
  for (const [index, piece] of pieces.entries()) {
    // The decoder may move what it is given.
    const { slice, rest } = decoder.push(Buffer.from(piece));
    if (slice !== null) content.push(slice);
    if (rest === null) continue;
    const behind = Buffer.concat([rest, ...pieces.slice(index + 1)]);
    return {
      content: Buffer.concat(content).toString('latin1'),
      rest: behind.toString('latin1'),
      flags: [decoder.bareNewline, decoder.nul],
    };
  }
  return { content: Buffer.concat(content).toString('latin1'), rest: null, flags: [decoder.bareNewline, decoder.nul] };
}

const MAIL_DATA = [
  'Subject: x\r\n\r\n..\r\n.x\r\n....\r\n.\r\nMAIL FROM:<a@b.example>\r\n',
  'a\r\n.\n.\r\nb\n.\r\nc\r.\r\n\r\n.\r\r\n.\r\n',
  '.\r\nQUIT\r\n',
];

fuzz(
  'mail data: it ends at CRLF.CRLF and nowhere else, and where it is cut changes nothing',
  MAIL_DATA,
  (octets, where) => {
    const text = octets.toString('latin1');
    const end = `\r\n${text}`.indexOf('\r\n.\r\n');
    for (const mode of ['reject', 'normalize'] as const) {
      const whole = decode([octets], mode);
      const inPieces = decode(cut(octets, where), mode);
      if (whole.rest !== null) assert.deepEqual(inPieces, whole);
      assert.equal(whole.rest, end < 0 ? null : text.slice(end + 3), mode);
    }
    if (end < 0) return;
    const { content } = decode([octets], 'reject');
    assert.equal(content, text.slice(0, end).replace(/(^|\r\n)\./g, '$1'));
  },
);

fuzz('content: what is stuffed comes back as it was, wherever it is cut', MAIL_DATA, (octets, where) => {
  const encoder = new DotEncoder();
  const stuffed = [...cut(octets, where).flatMap((piece) => encoder.push(piece)), encoder.end()];
  const { content, rest } = decode([Buffer.concat(stuffed)], 'reject');
  const text = octets.toString('latin1');
  assert.equal(rest, '');
  assert.equal(content, text === '' || text.endsWith('\r\n') ? text : `${text}\r\n`);
});

fuzz(
  'chunks: where they are cut changes nothing, and normalized there is no bare newline',
  MAIL_DATA,
  (octets, where) => {
    const read = (pieces: readonly Buffer[], bareNewline: 'reject' | 'normalize'): string => {
      const decoder = new ChunkDecoder({ bareNewline });
      const slices = pieces.map((piece) => decoder.push(piece).slice);
      return [...slices, decoder.end()].map((slice) => slice?.toString('latin1') ?? '').join('');
    };
    const pieces = cut(octets, where);
    assert.equal(read(pieces, 'reject'), octets.toString('latin1'));
    assert.equal(read(pieces, 'normalize'), read([octets], 'normalize'));
    assert.doesNotMatch(read(pieces, 'normalize'), /\r(?!\n)|(?<!\r)\n/);
  },
);

const VERSION_2 = Buffer.from('0d0a0d0a000d0a515549540a2111000cc0000201c00002026d560019', 'hex');

fuzz(
  'PROXY headers: known by their own octets alone, and within their bounds',
  [
    'PROXY TCP4 192.0.2.1 192.0.2.2 4711 25\r\nEHLO x\r\n',
    'PROXY UNKNOWN\r\n',
    'PROXY TCP6 2001:db8::1 ::1 4711 25\r\n',
    VERSION_2,
  ],
  (octets) => {
    const whole = parseProxyHeader(octets);
    if (octets.length > 536) assert.notEqual(whole.kind, 'incomplete');
    for (let length = 0; length < Math.min(octets.length, 600); length += 1) {
      const part = parseProxyHeader(octets.subarray(0, length));
      if (part.kind !== 'incomplete') {
        assert.deepEqual(part, whole);
        break;
      }
    }
  },
);

test('the bound of a reply and of a line is one, wherever the octets are cut', () => {
  const endless = Buffer.from(`250-${'x'.repeat(60)}\r\n`.repeat(300));
  const pieces = Array.from(endless, (octet) => Buffer.from([octet]));
  assert.deepEqual(repliesOf(pieces), { replies: [], broken: 'a reply is too long' });
  assert.deepEqual(linesOf(Array.from(Buffer.alloc(17_000, 'x'), (octet) => Buffer.from([octet]))), ['too-long']);
});
