/**
 * Body parts by offset: what they say of themselves, how slices are cut, and hostile structures in linear time.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isMalformed, structureOf } from '../../src/mail/body.ts';
import { type BodyPart, DEEPEST, MOST_PARTS, type Structure } from '../../src/mail/mime.ts';
import { messageOf, messageOnDisk } from '../support/wire-corpus.ts';

function wire(text: string): Buffer {
  return Buffer.from(text.replaceAll('\n', '\r\n'));
}

/** In memory a structure is there at once. */
function structure(octets: Buffer, slice?: number): Structure {
  const found = structureOf(messageOf(octets, slice));
  assert.ok(!(found instanceof Promise));
  return found;
}

/** Type and body of each part that holds no other. */
function leaves(text: string): readonly string[] {
  const octets = wire(text);
  return structure(octets)
    .parts.filter(({ composite }) => !composite)
    .map(({ type, start, end }) => `${type} ${octets.toString('latin1', start, end)}`);
}

const bodies: readonly { name: string; given: string; expect: readonly string[] }[] = [
  { name: 'no MIME at all', given: 'Subject: a\n\nx\n', expect: ['text/plain x\r\n'] },
  { name: 'no body', given: 'Subject: a\n', expect: ['text/plain '] },
  { name: 'a broken type', given: 'Content-Type: text\n\nx', expect: ['text/plain x'] },
  {
    name: 'a preamble and an epilogue',
    given: 'Content-Type: multipart/mixed; boundary=b\n\npre\n--b\n\nx\n--b--\nepi\n--b\n\ny\n',
    expect: ['text/plain x'],
  },
  {
    name: 'no last delimiter',
    given: 'Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/html\n\nx\n',
    expect: ['text/html x\r\n'],
  },
  {
    name: 'blanks behind a delimiter, and more than the boundary',
    given: 'Content-Type: multipart/mixed; boundary=b\n\n--b \t\n\nx\n--bcd\n\ny\n--b--',
    expect: ['text/plain x', 'text/plain y'],
  },
  {
    name: 'a boundary that begins another one',
    given:
      'Content-Type: multipart/mixed; boundary=ab\n\n--ab\nContent-Type: multipart/mixed; boundary=a\n\n--a\n\nx\n--a--\n--ab\n\ny\n--ab--\n',
    expect: ['text/plain x', 'text/plain y'],
  },
  {
    name: 'an outer delimiter ends inner parts',
    given:
      'Content-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: multipart/mixed; boundary=i\n\n--i\n\nx\n--o\n\ny\n--o--\n',
    expect: ['text/plain x', 'text/plain y'],
  },
  {
    name: 'a part without an empty line',
    given: 'Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/html\nno field\n--b--\n',
    expect: ['text/html no field'],
  },
  {
    name: 'a delimiter in a header section',
    given: 'Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/html\n--b\n\nx\n--b--\n',
    expect: ['text/html ', 'text/plain x'],
  },
  {
    name: 'a boundary with a colon, in a header section too',
    given: 'Content-Type: multipart/mixed; boundary="b:c"\n\n--b:c\nContent-Type: text/html\n--b:c\n\nx\n--b:c--\n',
    expect: ['text/html ', 'text/plain x'],
  },
  {
    name: 'an attached message',
    given:
      'Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/rfc822\n\nSubject: a\nContent-Type: text/html\n\nx\n--b--\n',
    expect: ['text/html x'],
  },
  {
    name: 'a digest',
    given: 'Content-Type: multipart/digest; boundary=b\n\n--b\n\nContent-Type: text/html\n\nx\n--b--\n',
    expect: ['text/html x'],
  },
  {
    name: 'an attached message in base64 stays one part',
    given: 'Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nQQ==\n',
    expect: ['message/rfc822 QQ==\r\n'],
  },
  {
    name: 'a multipart without a boundary, or without a delimiter',
    given: 'Content-Type: multipart/mixed\n\n--b\n',
    expect: ['multipart/mixed --b\r\n'],
  },
];

for (const { name, given, expect } of bodies) test(name, () => assert.deepEqual(leaves(given), expect));

function partOf(fields: string): BodyPart {
  const [part] = structure(wire(`${fields}\n\n`)).parts;
  assert.ok(part !== undefined);
  return part;
}

const names: readonly { fields: string; expect: readonly string[] }[] = [
  { fields: 'Content-Type: image/png; name=a.png', expect: ['a.png'] },
  {
    fields: 'Content-Disposition: attachment; filename="a.png"\nContent-Type: image/png; name=b.exe',
    expect: ['a.png', 'b.exe'],
  },
  { fields: 'Content-Disposition: attachment; filename=my file.pdf; size=3', expect: ['my file.pdf'] },
  { fields: 'Content-Disposition: attachment; filename="a;\\"b\\".txt"', expect: ['a;"b".txt'] },
  { fields: 'Content-Disposition: attachment; filename="not closed.exe', expect: ['not closed.exe'] },
  { fields: 'Content-Disposition: attachment; filename="=?utf-8?Q?gr=C3=BC=C3=9Fe=2Etxt?="', expect: ['grüße.txt'] },
  { fields: "Content-Disposition: attachment; filename*=iso-8859-1'de'gr%FC%DFe.txt", expect: ['grüße.txt'] },
  { fields: 'Content-Disposition: attachment; filename*0="a"; filename*1=".ex"; filename*2=e', expect: ['a.exe'] },
  {
    fields: "Content-Disposition: attachment; filename*1*=%9Fe; filename*2=.txt; filename*0*=UTF-8''gr%C3%BC%C3",
    expect: ['grüße.txt'],
  },
  {
    fields: "Content-Disposition: attachment; filename=a.txt; filename*=utf-8''b.exe; FILENAME=c.scr",
    expect: ['b.exe', 'a.txt', 'c.scr'],
  },
  { fields: "Content-Disposition: attachment; filename*=no-such-charset''a%2Etxt", expect: ['a.txt'] },
  { fields: 'Content-Disposition: attachment; filename=""', expect: [] },
  { fields: 'Content-Disposition: attachment\n filename=a.exe', expect: ['a.exe'] },
  { fields: 'Content-Disposition: ;\n filename=a.exe', expect: ['a.exe'] },
];

for (const { fields, expect } of names) test(fields, () => assert.deepEqual(partOf(fields).names, expect));

test('what a part says of itself', () => {
  const part = partOf('Content-Type: TEXT/Plain (a comment); Charset="KOI8-R"\nContent-Transfer-Encoding: Base64 ; x');
  assert.deepEqual(part, {
    type: 'text/plain',
    charset: 'koi8-r',
    disposition: null,
    names: [],
    encoding: 'base64',
    start: 97,
    end: 97,
    composite: false,
    parent: -1,
  });
});

/** Delimiters, fields and line ends in any order. */
const soup = fc
  .array(
    fc.constantFrom(
      ...['\r\n', '\r', '\n', '--', '--a', '--ab', '--a--', '-', 'x', ' ', '\r\n--a\r\n', '\r\n--ab--\r\n', '\r\n\r\n'],
      'Content-Type: multipart/mixed; boundary=a\r\n',
      'Content-Type: multipart/digest; boundary="ab"\r\n\r\n',
      'Content-Type: message/rfc822\r\n\r\n',
    ),
    { maxLength: 60 },
  )
  .map((pieces) => Buffer.from(`Content-Type: multipart/mixed; boundary=a\r\n${pieces.join('')}`));

test('wherever the content is cut, the parts are the same; and they lie in order within each other', async () => {
  await fc.assert(
    fc.asyncProperty(soup, fc.integer({ min: 1, max: 40 }), async (octets, slice) => {
      const whole = structure(octets);
      assert.deepEqual(structure(octets, slice), whole);
      assert.deepEqual(await structureOf(messageOnDisk(octets, slice)), whole);
      for (const [index, { start, end, parent }] of whole.parts.entries()) {
        assert.ok(start <= end && end <= octets.length);
        const holder = whole.parts[parent];
        assert.ok(holder === undefined ? index === 0 : parent < index && holder.start <= start && end <= holder.end);
      }
    }),
    { numRuns: 1500, seed: 1 },
  );
});

function nested(depth: number): Buffer {
  const boundary = (level: number): string => `b${String(level).padStart(4, '0')}`;
  const levels = Array.from(
    { length: depth },
    (_, level) => `--${boundary(level)}\nContent-Type: multipart/mixed; boundary=${boundary(level + 1)}\n\n`,
  );
  return wire(`Content-Type: multipart/mixed; boundary=${boundary(0)}\n\n${levels.join('')}`);
}

function many(count: number): Buffer {
  return wire(`Content-Type: multipart/mixed; boundary=b\n\n${'--b\n\nx\n'.repeat(count)}--b--\n`);
}

/** What is too long, too deep or too many ends early or stays as it is; `parts` of it are seen. */
const hostile: readonly { name: string; octets: Buffer; parts: number; malformed: boolean }[] = [
  { name: 'as deep as may be', octets: nested(DEEPEST - 1), parts: DEEPEST, malformed: false },
  { name: '2,000 nested multiparts', octets: nested(2000), parts: DEEPEST + 1, malformed: true },
  { name: 'as many as may be', octets: many(MOST_PARTS - 1), parts: MOST_PARTS, malformed: false },
  { name: '50,000 parts', octets: many(50_000), parts: MOST_PARTS, malformed: true },
  {
    name: 'a boundary of 1 MB',
    octets: wire(
      `Content-Type: multipart/mixed; boundary=${'b'.repeat(1_000_000)}\n\n${`--${'b'.repeat(1_000_000)}\n\nx\n`.repeat(3)}`,
    ),
    parts: 1,
    malformed: false,
  },
  {
    name: 'lines of 1 MB that begin as a delimiter does',
    octets: wire(
      `Content-Type: multipart/mixed; boundary=${'b'.repeat(900)}\n\n${`--${'b'.repeat(1_000_000)}\n`.repeat(5)}`,
    ),
    parts: 6,
    malformed: true,
  },
  {
    name: 'a part with a header field of 1 MB',
    octets: wire(
      `Content-Type: multipart/mixed; boundary=b\n\n--b\nX-Foo: ${'x'.repeat(1_000_000)}\nX-Bar: a\n\nx\n--b--\n`,
    ),
    parts: 2,
    malformed: true,
  },
  {
    name: '100,000 parameters, and quotes that do not end',
    octets: wire(
      `Content-Type: text/plain${';a="'.repeat(100_000)}\nContent-Disposition: a${';b*1*=c'.repeat(100_000)}\n\n`,
    ),
    parts: 1,
    malformed: false,
  },
  {
    name: '64 levels whose boundaries begin alike, and 100,000 lines that nearly fit',
    octets: wire(
      `Content-Type: multipart/mixed; boundary=${'a'.repeat(100)}0\n\n${Array.from(
        { length: 62 },
        (_, level) =>
          `--${'a'.repeat(100)}${level}\nContent-Type: multipart/mixed; boundary=${'a'.repeat(100)}${level + 1}\n\n`,
      ).join('')}${`--${'a'.repeat(100)}x\n`.repeat(20_000)}`,
    ),
    parts: 63,
    malformed: false,
  },
];

for (const { name, octets, parts, malformed } of hostile) {
  test(name, () => {
    const message = messageOf(octets, 16_384);
    const found = structureOf(message);
    assert.ok(!(found instanceof Promise));
    assert.equal(found.parts.length, parts);
    assert.equal(found.malformed, malformed);
  });
}

test('a header section of more than 1 MB or 10,000 fields is malformed too', () => {
  for (const [octets, expect] of [
    [wire(`X: ${'a'.repeat(2_000_000)}\n\n`), true],
    [wire(`${'X: a\n'.repeat(10_001)}\n`), true],
    [wire(`${'X: a\n'.repeat(9_000)}\n`), false],
  ] as const) {
    const message = messageOf(octets);
    const found = structureOf(message);
    assert.ok(!(found instanceof Promise));
    assert.equal(isMalformed(message, found), expect);
  }
});

test('the content is walked once, however many ask', async () => {
  let read = 0;
  const octets = many(3);
  const { header } = messageOf(octets);
  const slices = async function* () {
    read += 1;
    yield await octets;
  };
  const message = { header, content: { size: octets.length, slices } };
  const [first, second] = await Promise.all([structureOf(message), structureOf(message)]);
  assert.equal(first, second);
  assert.equal(structureOf(message), first);
  assert.equal(read, 1);
});

test('content that cannot be read rejects, and again whoever asks', async () => {
  const { header } = messageOf(many(1));
  const slices = async function* (): AsyncGenerator<Buffer> {
    yield await Promise.reject(new Error('the disk is gone'));
  };
  const message = { header, content: { size: 100, slices } };
  await assert.rejects(async () => structureOf(message), /disk/);
  await assert.rejects(async () => structureOf(message), /disk/);
});
