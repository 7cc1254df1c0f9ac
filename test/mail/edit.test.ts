import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Content } from '../../src/core/message.ts';
import type { HeaderEdit } from '../../src/core/verdict.ts';
import { editContent } from '../../src/mail/edit.ts';
import { headerSectionEnd, MOST_FIELDS, parseHeader } from '../../src/mail/header.ts';

function inMemory(slices: readonly Buffer[]): Content {
  return { size: slices.reduce((sum, slice) => sum + slice.length, 0), slices: () => slices };
}

function onDisk(slices: readonly Buffer[]): Content {
  async function* read(): AsyncGenerator<Buffer> {
    yield* slices;
  }
  return { size: inMemory(slices).size, slices: read };
}

async function read(content: Content): Promise<string> {
  const slices: Buffer[] = [];
  for await (const slice of content.slices()) slices.push(slice);
  return Buffer.concat(slices).toString('latin1');
}

/** `text` in slices of `step` octets. */
function cut(text: string, step: number): Buffer[] {
  const octets = Buffer.from(text, 'latin1');
  const slices: Buffer[] = [];
  for (let at = 0; at < octets.length; at += step) slices.push(octets.subarray(at, at + step));
  return slices;
}

const add = (name: string, value: string): HeaderEdit => ({ kind: 'add', name, value });
const remove = (name: string): HeaderEdit => ({ kind: 'remove', name });

const MESSAGE = 'A: 1\r\nSubject: tulips\r\n and more\r\nB: 2\r\nsubject : roses\r\n\r\nSubject: body\r\n';

const edits: { name: string; given: string; edits: HeaderEdit[]; expect: string }[] = [
  { name: 'a field on top', given: 'A: 1\r\n\r\nb\r\n', edits: [add('X', 'y')], expect: 'X: y\r\nA: 1\r\n\r\nb\r\n' },
  {
    name: 'fields on top in the order given',
    given: 'A: 1\r\n\r\n',
    edits: [add('X', '1'), add('Y', '2')],
    expect: 'X: 1\r\nY: 2\r\nA: 1\r\n\r\n',
  },
  {
    name: 'all fields of a name, folded ones whole, none of the body',
    given: MESSAGE,
    edits: [remove('SUBJECT')],
    expect: 'A: 1\r\nB: 2\r\n\r\nSubject: body\r\n',
  },
  { name: 'a field that is not there', given: MESSAGE, edits: [remove('C')], expect: MESSAGE },
  {
    name: 'what was added is not removed',
    given: 'X: old\r\nA: 1\r\n\r\n',
    edits: [add('X', 'new'), remove('x')],
    expect: 'X: new\r\nA: 1\r\n\r\n',
  },
  { name: 'all fields', given: 'A: 1\r\nA: 2\r\n\r\nb', edits: [remove('A')], expect: '\r\nb' },
  {
    name: 'forged fields',
    given: 'x-postern-hold: no\r\nA: 1\r\nX-Postern-Tag : a\r\n b\r\n\r\nX-Postern-Hold: body\r\n',
    edits: [add('X-Postern-Hold', 'new member')],
    expect: 'X-Postern-Hold: new member\r\nA: 1\r\n\r\nX-Postern-Hold: body\r\n',
  },
  { name: 'forged fields, nothing asked for', given: 'X-POSTERN-Tag: a\r\n\r\n', edits: [], expect: '\r\n' },
  { name: 'no header section', given: '\r\nbody\r\n', edits: [add('X', 'y')], expect: 'X: y\r\n\r\nbody\r\n' },
  { name: 'no fields', given: 'body\r\n', edits: [add('X', 'y')], expect: 'X: y\r\nbody\r\n' },
  { name: 'no empty line', given: 'A: 1\r\n', edits: [add('X', 'y'), remove('A')], expect: 'X: y\r\n' },
  { name: 'no octets', given: '', edits: [add('X', 'y')], expect: 'X: y\r\n' },
  {
    name: 'behind an mbox line',
    given: 'From ann@x Thu\r\nA: 1\r\n\r\n',
    edits: [add('X', 'y'), remove('A')],
    expect: 'From ann@x Thu\r\nX: y\r\n\r\n',
  },
  {
    name: 'behind a line that only Python passes over',
    given: 'A: 1\r\nFrom ann@x Thu\r\nX-Postern-Hold: forged\r\nB: 2\r\n\r\n',
    edits: [],
    expect: 'A: 1\r\nFrom ann@x Thu\r\nB: 2\r\n\r\n',
  },
  {
    name: 'a section that ends at a line which is no field',
    given: 'X-Postern-A: 1\r\nA: 1\r\nHello\r\nX-Postern-B: 2\r\n',
    edits: [add('X', 'y')],
    expect: 'X: y\r\nA: 1\r\nHello\r\nX-Postern-B: 2\r\n',
  },
];

for (const { name, given, edits: asked, expect } of edits) {
  test(`editContent: ${name}`, async () => {
    const header = parseHeader(Buffer.from(given, 'latin1'));
    for (let step = 1; step <= given.length + 1; step += 1) {
      const slices = cut(given, step);
      const edited = await editContent(inMemory(slices), header, asked);
      assert.equal(await read(edited), expect, `in memory, step ${step}`);
      assert.equal(edited.size, expect.length);
      assert.ok(Array.isArray(edited.slices()));
      const streamed = await editContent(onDisk(slices), header, asked);
      assert.equal(await read(streamed), expect, `on disk, step ${step}`);
      assert.equal(await read(streamed), expect, 'read twice');
      assert.equal(streamed.size, expect.length);
      // A header that was parsed from too few octets knows less and changes nothing.
      const cutShort = parseHeader(Buffer.from(given.slice(0, step), 'latin1'));
      assert.equal(await read(await editContent(onDisk(slices), cutShort, asked)), expect, `parsed up to ${step}`);
      assert.equal(await read(await editContent(inMemory(slices), cutShort, asked)), expect, `parsed up to ${step}`);
    }
  });
}

test('editContent: the same object where nothing changes', async () => {
  for (const given of ['A: 1\r\n\r\nb\r\n', '\r\nb', 'b\r\n', '', 'A: 1\r\nb', 'From x y\r\nA: 1\r\n\r\n']) {
    const content = inMemory([Buffer.from(given)]);
    assert.equal(await editContent(content, parseHeader(Buffer.from(given)), [remove('Other')]), content, given);
  }
  const stored = onDisk([Buffer.from(MESSAGE)]);
  assert.equal(await editContent(stored, parseHeader(Buffer.from(MESSAGE)), []), stored);
});

test('editContent: untouched octets are the slices they came in', async () => {
  const slices = cut(MESSAGE, 20);
  const edited = await editContent(inMemory(slices), parseHeader(Buffer.from(MESSAGE)), [
    add('X', 'y'),
    remove('Subject'),
  ]);
  const [first, ...rest] = edited.slices() as readonly Buffer[];
  assert.equal(first?.toString(), 'X: y\r\n');
  for (const slice of rest) assert.equal(slice.buffer, slices[0]?.buffer);
  assert.equal(rest.at(-1), slices.at(-1));
});

test('editContent: fields above the limits are removed too', async () => {
  const many = `${'a: 1\r\n'.repeat(MOST_FIELDS)}X-Postern-Hold: forged\r\n\r\nX-Postern-Hold: body\r\n`;
  const long = `A: ${'b'.repeat(2 ** 20)}\r\nX-Postern-Hold: forged\r\n c\r\n\r\nX-Postern-Hold: body\r\n`;
  const blanks = `X-Postern-Hold${' '.repeat(5000)}: forged\r\nFrom x y\r\n\r\n`;
  for (const given of [many, long, blanks]) {
    const header = parseHeader(Buffer.from(given));
    const expect = given.replace(/X-Postern-Hold *: forged\r\n( c\r\n)?/, '');
    assert.notEqual(expect, given);
    for (const step of [1000, 65_536, given.length]) {
      for (const content of [inMemory(cut(given, step)), onDisk(cut(given, step))]) {
        const text = await read(await editContent(content, header, []));
        assert.ok(text === expect, `step ${step}: ${text.length} octets, expected ${expect.length}`);
      }
    }
  }
});

test('editContent: a long line that can be no field begins the body, wherever the content is cut', async () => {
  const given = `\0${'x'.repeat(1500)}\r\nX-Postern-Hold: body\r\n`;
  const header = parseHeader(Buffer.from(given));
  for (const step of [1, 500, 1000, given.length]) {
    assert.equal(await read(await editContent(inMemory(cut(given, step)), header, [])), given, `step ${step}`);
  }
});

const values: { name: string; given: string; expect: string }[] = [
  { name: 'empty', given: '', expect: 'X-Field:\r\n' },
  { name: 'no line end comes through', given: 'a\r\nBcc: b\nc\rd\0e', expect: 'X-Field: a Bcc: b c de\r\n' },
  { name: 'ASCII only', given: 'grün\u2028\u{1f337}', expect: 'X-Field: gr?n ?\r\n' },
  { name: 'control characters', given: 'a\x1b[0m\x7fb\u0085', expect: 'X-Field: a[0mb\r\n' },
  {
    name: 'folded at blanks',
    given: `${'tulips '.repeat(12)}end`,
    expect: `X-Field: ${'tulips '.repeat(9)}tulips\r\n tulips tulips end\r\n`,
  },
  {
    name: 'a word without blanks',
    given: 'b'.repeat(2000),
    expect: `X-Field: ${'b'.repeat(989)}\r\n ${'b'.repeat(997)}\r\n ${'b'.repeat(14)}\r\n`,
  },
];
for (const { name, given, expect } of values) {
  test(`editContent: value of an added field: ${name}`, async () => {
    const octets = Buffer.from('\r\n');
    const edited = await editContent(inMemory([octets]), parseHeader(octets), [add('X-Field', given)]);
    assert.equal(await read(edited), `${expect}\r\n`);
  });
}

test('editContent: a name that is none is a bug', async () => {
  const octets = Buffer.from('\r\n');
  for (const name of ['', 'a b', 'a:', 'a\r\nb', 'ä']) {
    await assert.rejects(async () => editContent(inMemory([octets]), parseHeader(octets), [add(name, 'b')]), TypeError);
  }
});

test('property: by offsets or line by line, what was added can be removed, and nothing else changes', async () => {
  const line = fc.constantFrom(
    'A: 1\r\n',
    ' c\r\n',
    'X-Postern-T: 2\r\n',
    'From x y\r\n',
    '\r\n',
    'no field\r\n',
    '>',
    '\t\r\n',
  );
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 12 }), fc.integer({ min: 1, max: 9 }), async (lines, step) => {
      const given = lines.join('');
      const header = parseHeader(Buffer.from(given));
      const plain = await read(await editContent(inMemory(cut(given, step)), header, []));
      const added = await read(await editContent(onDisk(cut(given, step)), header, [add('X-New', 'v')]));
      assert.equal(added.replace('X-New: v\r\n', ''), plain);
      // Whatever is left, no header section that anybody reads holds a forged field.
      const end = headerSectionEnd(Buffer.from(plain));
      const section = plain.slice(0, end === -1 ? plain.length : end);
      assert.ok(!/^X-Postern/m.test(section), JSON.stringify(plain));
    }),
    { numRuns: 300 },
  );
});
