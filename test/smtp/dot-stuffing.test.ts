import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { DotDecoder, DotEncoder } from '../../src/smtp/dot-stuffing.ts';

type Mode = 'reject' | 'normalize';

interface Decoded {
  readonly content: string;
  /** null: the end of mail data was not found. */
  readonly rest: string | null;
  readonly bareNewline: boolean;
  readonly nul: boolean;
}

/** Feeds the pieces one after the other, as a connection would. */
function decode(pieces: readonly string[], mode: Mode = 'reject'): Decoded {
  const decoder = new DotDecoder({ bareNewline: mode });
  let content = '';
  let rest: string | null = null;
  for (const piece of pieces) {
    if (rest !== null) {
      rest += piece;
      continue;
    }
    const decoded = decoder.push(Buffer.from(piece, 'latin1'));
    assert.notEqual(decoded.slice?.length, 0, 'an empty slice is null');
    content += decoded.slice?.toString('latin1') ?? '';
    rest = decoded.rest?.toString('latin1') ?? null;
  }
  assert.equal(decoder.size, content.length);
  return { content, rest, bareNewline: decoder.bareNewline, nul: decoder.nul };
}

/** The same by brute force: the whole text at once, one rule at a time. */
function decodeNaively(data: string, mode: Mode): Decoded {
  const end = data.startsWith('.\r\n') ? 0 : data.indexOf('\r\n.\r\n') + 2;
  const found = end !== 1;
  let text = found ? data.slice(0, end) : data;
  const rest = found ? data.slice(end + 3) : null;
  // What may still become the end of mail data is held back.
  if (!found) text = text.replace(/(^|\r\n)\.\r?$/, '$1');
  text = text.replace(/(^|\r\n)\./g, '$1');
  const open = mode === 'normalize' && !found && text.endsWith('\r');
  const bareNewline = /\r(?!\n)(?!$)|(?<!\r)\n/.test(text);
  const nul = text.includes('\0');
  if (mode === 'normalize') text = text.replace(/\r\n|\r|\n/g, '\r\n');
  return { content: open ? text.slice(0, -1) : text, rest, bareNewline, nul };
}

/** The text cut at the given places. */
function cut(text: string, places: readonly number[]): string[] {
  const at = [0, ...[...places].map((place) => Math.min(place, text.length)).sort((a, b) => a - b), text.length];
  return at.slice(1).map((end, index) => text.slice(at[index], end));
}

const table: { name: string; given: string; expect: Partial<Decoded>; normalized?: string }[] = [
  { name: 'text', given: 'a\r\nb\r\n.\r\n', expect: { content: 'a\r\nb\r\n', rest: '', bareNewline: false } },
  { name: 'no content', given: '.\r\nQUIT\r\n', expect: { content: '', rest: 'QUIT\r\n', bareNewline: false } },
  { name: 'commands behind', given: 'a\r\n.\r\nMAIL', expect: { content: 'a\r\n', rest: 'MAIL' } },
  { name: 'a stuffed dot', given: '..\r\n.\r\n', expect: { content: '.\r\n', rest: '' } },
  { name: 'one dot only goes', given: '...\r\n.\r\n', expect: { content: '..\r\n', rest: '' } },
  { name: 'an unstuffed dot', given: 'a\r\n.b\r\n.\r\n', expect: { content: 'a\r\nb\r\n', rest: '' } },
  { name: 'a dot within a line', given: 'a.\r\n b.\r\n.\r\n', expect: { content: 'a.\r\n b.\r\n', rest: '' } },
  { name: 'not ended', given: 'a\r\n.\r', expect: { content: 'a\r\n', rest: null, bareNewline: false } },
  {
    name: 'no un-stuffing behind a bare LF',
    given: 'a\n..\r\n.\r\n',
    expect: { content: 'a\n..\r\n', rest: '', bareNewline: true },
    normalized: 'a\r\n..\r\n',
  },
  {
    name: 'no un-stuffing behind a bare CR',
    given: 'a\r..\r\n.\r\n',
    expect: { content: 'a\r..\r\n', rest: '', bareNewline: true },
    normalized: 'a\r\n..\r\n',
  },
  {
    name: 'un-stuffing behind CR CR LF',
    given: 'a\r\r\n..b\r\n.\r\n',
    expect: { content: 'a\r\r\n.b\r\n', rest: '', bareNewline: true },
    normalized: 'a\r\n\r\n.b\r\n',
  },
  {
    name: 'the dot goes although a bare CR follows',
    given: '.\rb\r\n.\r\n',
    expect: { content: '\rb\r\n', rest: '', bareNewline: true },
    normalized: '\r\nb\r\n',
  },
  {
    name: 'NUL',
    given: 'a\0b\r\n.\r\n',
    expect: { content: 'a\0b\r\n', rest: '', nul: true, bareNewline: false },
  },
];

for (const { name, given, expect, normalized } of table) {
  test(`decoder: ${name}`, () => {
    for (let place = 0; place <= given.length; place++) {
      const pieces = cut(given, [place]);
      const decoded = decode(pieces);
      assert.deepEqual(decoded, { ...decoded, ...expect }, `cut at ${place}`);
      const { content } = decode(pieces, 'normalize');
      assert.equal(content, normalized ?? expect.content, `normalized, cut at ${place}`);
    }
    assert.deepEqual(decode([...given]), decode([given]));
    assert.deepEqual(decode([...given], 'normalize'), decode([given], 'normalize'));
  });
}

test('decoder: the slice is a part of the chunk where nothing is un-stuffed', () => {
  const chunk = Buffer.from('Subject: x\r\n\r\nbody\r\n.\r\nQUIT\r\n');
  const { slice, rest } = new DotDecoder({ bareNewline: 'reject' }).push(chunk);
  assert.equal(slice?.buffer, chunk.buffer);
  assert.equal(slice?.byteOffset, chunk.byteOffset);
  assert.equal(rest?.buffer, chunk.buffer);
});

test('decoder: nothing can be pushed behind the end', () => {
  const decoder = new DotDecoder({ bareNewline: 'reject' });
  decoder.push(Buffer.from('.\r\n'));
  assert.throws(() => decoder.push(Buffer.from('x')));
});

/** Each stands between two lines of text; none but the first is an end (SMTP smuggling). */
const SEQUENCES = [
  ...['\r\n.\r\n', '\n.\n', '\n.\r\n', '\r\n.\n', '\r.\r', '\r\n.\r', '\r.\r\n', '\n.\r', '\r.\n'],
  ...['\r\n\0.\r\n', '\r\n.\0\r\n', '\r\n.\r\r\n', '\r\n. \r\n'],
];

function assertSmuggling(sequence: string, endsData: boolean): void {
  const data = `one${sequence}two\r\n`;
  const whole = `${data}.\r\n`;
  for (const mode of ['reject', 'normalize'] as const) {
    for (let place = 0; place <= whole.length; place++) {
      const { content, rest, bareNewline, nul } = decode(cut(whole, [place]), mode);
      const where = `${JSON.stringify(sequence)} ${mode} cut at ${place}`;
      assert.equal(rest, endsData ? 'two\r\n.\r\n' : '', where);
      if (endsData) continue;
      assert.ok(content.startsWith('one') && content.endsWith('two\r\n'), where);
      // Sent on, the content must be one message to a server that takes any line end for an end.
      const sent = encode([content]);
      const clean = !/\r(?!\n)|(?<!\r)\n/.test(content);
      assert.ok(mode === 'reject' ? bareNewline || nul || clean : clean, where);
      if (clean) assert.equal(sent.search(/(^|[\r\n])\.[\r\n]/), sent.length - 4, where);
    }
  }
}

for (const sequence of SEQUENCES) {
  test(`smuggling: ${JSON.stringify(sequence)}`, () => assertSmuggling(sequence, sequence === '\r\n.\r\n'));
}

const corpus = join(resolve('..', 'shared'), 'corpus/tables/smtp/smuggling-end-of-data.tsv');
test('smuggling: the published sequences', (t) => {
  if (!existsSync(corpus)) {
    t.skip(`SKIPPED: ${corpus} is missing`);
    return;
  }
  const rows = readFileSync(corpus, 'utf8').trim().split('\n').slice(1);
  assert.ok(rows.length >= 13);
  for (const row of rows) {
    const [hex = '', , ends] = row.split('\t');
    assertSmuggling(Buffer.from(hex, 'hex').toString('latin1'), ends === 'yes');
  }
});

function encode(pieces: readonly string[]): string {
  const encoder = new DotEncoder();
  const sent = pieces.flatMap((piece) => encoder.push(Buffer.from(piece, 'latin1')));
  return Buffer.concat([...sent, encoder.end()]).toString('latin1');
}

const encoded: { name: string; given: string; expect: string }[] = [
  { name: 'text', given: 'a\r\nb\r\n', expect: 'a\r\nb\r\n.\r\n' },
  { name: 'empty', given: '', expect: '.\r\n' },
  { name: 'a dot first', given: '.', expect: '..\r\n.\r\n' },
  { name: 'dots', given: '.\r\n..\r\na.\r\n', expect: '..\r\n...\r\na.\r\n.\r\n' },
  { name: 'no line end', given: 'a', expect: 'a\r\n.\r\n' },
  { name: 'ends in CR', given: 'a\r', expect: 'a\r\r\n.\r\n' },
  { name: 'a dot behind a bare LF', given: 'a\n.\r\n', expect: 'a\n.\r\n.\r\n' },
];

for (const { name, given, expect } of encoded) {
  test(`encoder: ${name}`, () => {
    assert.equal(encode([given]), expect);
    assert.equal(encode([...given]), expect);
    for (let place = 0; place <= given.length; place++) assert.equal(encode(cut(given, [place])), expect);
  });
}

test('a hundred thousand lines of one dot, larger than a block, wherever they are cut', () => {
  const lines = 100_000;
  const content = '.\r\n'.repeat(lines);
  const sent = `${'..\r\n'.repeat(lines)}.\r\n`;
  for (let first = 0; first < 4; first++) {
    assert.ok(encode(cut(content, [first])) === sent, `encoder, cut at ${first}`);
    assert.ok(decode(cut(sent, [first]), 'reject').content === content, `decoder, cut at ${first}`);
  }
});

test('encoder: the same buffer where nothing is stuffed', () => {
  const encoder = new DotEncoder();
  const slice = Buffer.from('a\r\nb.\r\n');
  assert.deepEqual(encoder.push(slice), [slice]);
  assert.equal(encoder.push(slice)[0], slice);
  const stuffed = Buffer.from('.\r\n');
  assert.equal(encoder.push(stuffed)[0]?.toString(), '..\r\n');
  assert.equal(stuffed.toString(), '.\r\n');
});

const soup = fc
  .array(fc.constantFrom('\r', '\n', '\r\n', '.', '\0', 'a'), { maxLength: 40 })
  .map((all) => all.join(''));
const places = fc.array(fc.nat(80), { maxLength: 6 });

test('property: the decoder agrees with the naive one, wherever the octets are cut', () => {
  fc.assert(
    fc.property(soup, places, fc.constantFrom<Mode>('reject', 'normalize'), (data, at, mode) => {
      const expected = decodeNaively(data, mode);
      assert.deepEqual(decode(cut(data, at), mode), expected);
      assert.deepEqual(decode([...data], mode), expected);
    }),
    { numRuns: 2000 },
  );
});

test('property: what was encoded is decoded, wherever both are cut', () => {
  const lines = fc.array(fc.constantFrom('', '.', '..', '.a', 'a', 'a.b', '.\u00ff'), { maxLength: 12 });
  fc.assert(
    fc.property(lines, places, places, (all, at, again) => {
      const content = all.map((line) => `${line}\r\n`).join('');
      const sent = encode(cut(content, at));
      assert.deepEqual(decode(cut(`${sent}QUIT`, again)), { content, rest: 'QUIT', bareNewline: false, nul: false });
    }),
    { numRuns: 300 },
  );
});
