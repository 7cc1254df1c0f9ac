import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { headerSectionEnd, MOST_FIELDS, parseHeader } from '../../src/mail/header.ts';

function octets(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

/** `fields`: name and value; `body`: what stands behind the header section, null where the section has no end yet. */
const sections: { name: string; given: string; fields: [string, string][]; body: string | null }[] = [
  {
    name: 'fields and body',
    given: 'From: ann@example.net\r\nSubject: tulips\r\n\r\nHello\r\n',
    fields: [
      ['From', 'ann@example.net'],
      ['Subject', 'tulips'],
    ],
    body: 'Hello\r\n',
  },
  { name: 'no body', given: 'A: 1\r\n\r\n', fields: [['A', '1']], body: '' },
  { name: 'no header section', given: '\r\nHello\r\n', fields: [], body: 'Hello\r\n' },
  { name: 'nothing', given: '', fields: [], body: null },
  { name: 'no empty line', given: 'A: 1\r\n', fields: [['A', '1']], body: null },
  { name: 'no line end', given: 'A: 1', fields: [['A', '1']], body: null },
  { name: 'half an empty line', given: 'A: 1\r\n\r', fields: [['A', '1']], body: null },
  { name: 'empty value', given: 'A:\r\n\r\n', fields: [['A', '']], body: '' },
  { name: 'colons in the value', given: 'A: b: c\r\n\r\n', fields: [['A', 'b: c']], body: '' },
  { name: 'folded', given: 'A: b\r\n c\r\n\td\r\n\r\n', fields: [['A', 'b c\td']], body: '' },
  { name: 'folded behind the colon', given: 'A:\r\n b\r\n\r\n', fields: [['A', 'b']], body: '' },
  {
    name: 'a continuation of blanks does not end the section',
    given: 'A: b\r\n \t\r\nC: d\r\n\r\n',
    fields: [
      ['A', 'b'],
      ['C', 'd'],
    ],
    body: '',
  },
  { name: 'white space before the colon', given: 'A \t: b\r\n\r\n', fields: [['A', 'b']], body: '' },
  { name: 'no-break space is no white space', given: 'A: \xa0b\xa0\r\n\r\n', fields: [['A', '\xa0b\xa0']], body: '' },
  { name: 'UTF-8', given: 'A: gr\xc3\xbc\xc3\x9fe\r\n\r\n', fields: [['A', 'grüße']], body: '' },
  { name: 'Latin-1', given: 'A: gr\xfc\xdfe\r\n\r\n', fields: [['A', 'grüße']], body: '' },
  { name: 'bare CR and LF stay in the line', given: 'A: b\nC: d\re\r\n\r\n', fields: [['A', 'b\nC: d\re']], body: '' },
  {
    name: 'a line that is no field',
    given: 'A: b\r\nHello\r\nC: d\r\n',
    fields: [['A', 'b']],
    body: 'Hello\r\nC: d\r\n',
  },
  { name: 'a blank in a name', given: 'A b: c\r\n\r\n', fields: [], body: 'A b: c\r\n\r\n' },
  { name: 'an eight-bit name', given: 'Gr\xfc\xdfe: c\r\n\r\n', fields: [], body: 'Gr\xfc\xdfe: c\r\n\r\n' },
  { name: 'no name', given: ': b\r\n\r\n', fields: [], body: ': b\r\n\r\n' },
  { name: 'an mbox line first', given: 'From ann@x Thu\r\nA: b\r\n\r\nc', fields: [['A', 'b']], body: 'c' },
  { name: 'a quoted mbox line first', given: '>From ann@x Thu\r\nA: b\r\n\r\nc', fields: [['A', 'b']], body: 'c' },
  {
    name: 'an mbox line among the fields',
    given: 'A: b\r\nFrom ann@x Thu\r\nC: d\r\n\r\ne',
    fields: [
      ['A', 'b'],
      ['C', 'd'],
    ],
    body: 'e',
  },
  { name: 'From with white space before its colon', given: 'From : a@x\r\n\r\n', fields: [['From', 'a@x']], body: '' },
  { name: 'a continuation of nothing', given: ' From: a@x\r\nA: b\r\n\r\nc', fields: [['A', 'b']], body: 'c' },
  { name: 'an mbox line cut short', given: 'From ann@x', fields: [], body: null },
];

for (const { name, given, fields, body } of sections) {
  test(`header: ${name}`, () => {
    const content = octets(given);
    const header = parseHeader(content);
    assert.deepEqual(
      header.fields.map((field) => [field.name, field.value]),
      fields,
    );
    assert.equal(header.fieldCount, fields.length);
    for (const field of header.fields) assert.ok(given.slice(field.start, field.end).startsWith(field.name));
    const end = headerSectionEnd(content);
    assert.equal(end === -1 ? null : given.slice(end), body);
    if (end !== -1) assert.equal(header.size, end);
  });
}

test('header: the end is found as soon as it is there, wherever one looked before', () => {
  for (const { given } of sections) {
    const content = octets(given);
    const end = headerSectionEnd(content);
    let [found, looked] = [-1, 0];
    for (let length = 0; found === -1 && length <= content.length; length += 1) {
      found = headerSectionEnd(content.subarray(0, length), looked);
      looked = length;
    }
    assert.equal(found, end, JSON.stringify(given));
    for (let step = 2; step < content.length; step += 1) {
      const notYet = headerSectionEnd(content.subarray(0, step)) === -1;
      if (notYet) assert.equal(headerSectionEnd(content, step), end, JSON.stringify(given));
    }
  }
});

test('header: fields by name, without case, in order, of any name', () => {
  const header = parseHeader(octets('To: a\r\nX: b\r\ntO: c\r\n__proto__: d\r\n\r\n'));
  const values = (name: string): string[] => header.named(name).map((field) => field.value);
  assert.deepEqual(values('TO'), ['a', 'c']);
  assert.deepEqual(values('__proto__'), ['d']);
  assert.deepEqual(values('constructor'), []);
});

test('header: values are computed once', () => {
  const content = octets('Subject: =?utf-8?q?tulips?=\r\nFrom: a@x\r\n\r\n');
  const header = parseHeader(content);
  const [subject] = header.named('Subject');
  assert.equal(subject?.value, '=?utf-8?q?tulips?=');
  assert.equal(subject?.text, 'tulips');
  const { authors } = header;
  content.fill(0x20);
  assert.equal(subject?.value, '=?utf-8?q?tulips?=');
  assert.equal(header.authors, authors);
});

const authors: { name: string; given: string; expect: string[] }[] = [
  { name: 'none', given: 'To: a@x\r\n\r\n', expect: [] },
  { name: 'several fields', given: 'From: a@x\r\nFROM: b@y, c@z\r\n\r\n', expect: ['a@x', 'b@y', 'c@z'] },
  { name: 'a folded field', given: 'From: "Ann\r\n B."\r\n <ann@x>\r\n\r\n', expect: ['ann@x'] },
  { name: 'a group', given: 'From: us: a@x, b@y;\r\n\r\n', expect: ['a@x', 'b@y'] },
  { name: 'Sender is none', given: 'Sender: a@x\r\n\r\n', expect: [] },
];
for (const { name, given, expect } of authors) {
  test(`authors: ${name}`, () => {
    const found = parseHeader(octets(given)).authors;
    assert.deepEqual(
      found.map(({ localPart, domain }) => `${localPart}@${domain}`),
      expect,
    );
  });
}

test('limits: fields above them are counted and left out, and the section ends where it ends', () => {
  const many = octets(`${'a:\r\n'.repeat(MOST_FIELDS + 5)}\r\nbody`);
  const header = parseHeader(many);
  assert.equal(header.fields.length, MOST_FIELDS);
  assert.equal(header.fieldCount, MOST_FIELDS + 5);
  assert.equal(header.size, many.length - 4);

  const long = octets(`A: ${'b'.repeat(2 ** 20)}\r\nC: d\r\n\r\nbody`);
  const ofLong = parseHeader(long);
  assert.deepEqual([ofLong.fields.length, ofLong.fieldCount, ofLong.size], [1, 2, long.length - 4]);
});

test('limits: a mebibyte of trouble is read in one pass', () => {
  const size = 2 ** 20;
  for (const part of ['\n', '\r', 'a', ' ', '>', '\r\n ', 'a:\r\n', 'From x\r\n', ' \r\n', '\r\n\t\xff']) {
    for (const given of [part.repeat(size / part.length), `A: ${part.repeat(size / part.length)}`]) {
      const content = octets(given);
      const header = parseHeader(content);
      const end = headerSectionEnd(content);
      if (end !== -1) assert.equal(header.size, end);
      for (const field of header.fields.slice(0, 2)) assert.ok(field.text.length <= content.length);
    }
  }
});

test('property: fields are in order and apart, and both functions agree on the end', () => {
  const piece = fc.constantFrom('\r\n', '\r', '\n', ' ', '\t', 'A', ':', 'From ', 'x', '>', '\xe9', 'From: a@x\r\n');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const content = octets(pieces.join(''));
      const header = parseHeader(content);
      const end = headerSectionEnd(content);
      if (end !== -1) assert.equal(header.size, end);
      let before = 0;
      for (const { start, end: behind } of header.fields) {
        assert.ok(before <= start && start < behind && behind <= header.size);
        before = behind;
      }
    }),
    { numRuns: 500 },
  );
});
