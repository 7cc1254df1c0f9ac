/**
 * Prefixes: in front of the value, once, and no other octet changed; in memory, on disk, wherever the slices end.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Content } from '../../src/core/message.ts';
import type { HeaderEdit } from '../../src/core/verdict.ts';
import { editContent } from '../../src/mail/edit.ts';
import { parseHeader } from '../../src/mail/header.ts';

const prefix = (text: string): HeaderEdit => ({ kind: 'prefix', name: 'Subject', text });
const remove: HeaderEdit = { kind: 'remove', name: 'subject' };
const add = (value: string): HeaderEdit => ({ kind: 'add', name: 'Subject', value });
const G = prefix('[G]');

const cases: readonly { name: string; given: string; edits: readonly HeaderEdit[]; expect: string; text?: string }[] = [
  {
    name: 'in front of the value',
    given: 'A: 1\r\nSubject: tulips\r\nB: 2\r\n\r\nSubject: body\r\n',
    edits: [G],
    expect: 'A: 1\r\nSubject: [G] tulips\r\nB: 2\r\n\r\nSubject: body\r\n',
  },
  { name: 'without a blank', given: 'subject :tulips\r\n\r\n', edits: [G], expect: 'subject :[G] tulips\r\n\r\n' },
  { name: 'an empty value', given: 'Subject: \r\n\r\n', edits: [G], expect: 'Subject: [G]\r\n\r\n' },
  {
    name: 'a value on the next line',
    given: 'Subject:\r\n tulips\r\n\r\n',
    edits: [G],
    expect: 'Subject:\r\n [G] tulips\r\n\r\n',
  },
  { name: 'no such field', given: 'A: 1\r\n\r\n', edits: [G], expect: 'Subject: [G]\r\nA: 1\r\n\r\n' },
  { name: 'no field at all', given: '\r\n', edits: [G], expect: 'Subject: [G]\r\n\r\n' },
  {
    name: 'in front of Re:',
    given: 'Subject: Re: tulips\r\n\r\n',
    edits: [G],
    expect: 'Subject: [G] Re: tulips\r\n\r\n',
  },
  {
    name: 'there already, behind Re:',
    given: 'Subject: Re: [g] tulips\r\n\r\n',
    edits: [G],
    expect: 'Subject: Re: [g] tulips\r\n\r\n',
  },
  {
    name: 'there already, encoded',
    given: 'Subject: =?UTF-8?B?UmU6IFtHXSB0dWxpcHM=?=\r\n\r\n',
    edits: [G],
    expect: 'Subject: =?UTF-8?B?UmU6IFtHXSB0dWxpcHM=?=\r\n\r\n',
  },
  {
    name: 'only the first of several',
    given: 'Subject: a\r\nSubject: b\r\n\r\n',
    edits: [G],
    expect: 'Subject: [G] a\r\nSubject: b\r\n\r\n',
  },
  {
    name: 'not ASCII, in front of ASCII',
    given: 'Subject: tulips\r\n\r\n',
    edits: [prefix('[Gärten]')],
    expect: 'Subject: =?UTF-8?Q?=5BG=C3=A4rten=5D?= tulips\r\n\r\n',
    text: '[Gärten] tulips',
  },
  {
    name: 'not ASCII, in front of an encoded word',
    given: 'Subject: =?iso-8859-1?q?T=FClpen?=\r\n\r\n',
    edits: [prefix('[Gärten]')],
    expect: 'Subject: =?UTF-8?Q?=5BG=C3=A4rten=5D_?= =?iso-8859-1?q?T=FClpen?=\r\n\r\n',
    text: '[Gärten] Tülpen',
  },
  {
    name: 'on a line of its own where the line would be long',
    given: `Subject: ${'tulips '.repeat(10)}\r\n and more\r\n\r\n`,
    edits: [G],
    expect: `Subject: [G]\r\n ${'tulips '.repeat(10)}\r\n and more\r\n\r\n`,
  },
  {
    name: 'two of them, the last one first',
    given: 'Subject: tulips\r\n\r\n',
    edits: [G, prefix('[H]'), G],
    expect: 'Subject: [H] [G] tulips\r\n\r\n',
  },
  {
    name: 'removed behind it',
    given: 'Subject: tulips\r\nA: 1\r\n\r\n',
    edits: [G, remove],
    expect: 'A: 1\r\n\r\n',
  },
  {
    name: 'of a field that a rule put in place of another',
    given: 'Subject: tulips\r\n\r\n',
    edits: [remove, add('roses'), G, G],
    expect: 'Subject: [G] roses\r\n\r\n',
  },
  {
    name: 'behind an mbox line, with a forged field',
    given: 'From ann@x Thu\r\nX-Postern-Tag: a\r\nSubject: tulips\r\n\r\nb\r\n',
    edits: [G, { kind: 'add', name: 'X', value: 'y' }],
    expect: 'From ann@x Thu\r\nX: y\r\nSubject: [G] tulips\r\n\r\nb\r\n',
  },
];

async function read(content: Content): Promise<string> {
  const slices: Buffer[] = [];
  for await (const slice of content.slices()) slices.push(slice);
  assert.equal(
    content.size,
    slices.reduce((sum, slice) => sum + slice.length, 0),
  );
  return Buffer.concat(slices).toString('latin1');
}

for (const { name, given, edits, expect, text } of cases) {
  test(`prefix: ${name}`, async () => {
    const octets = Buffer.from(given, 'latin1');
    const header = parseHeader(octets);
    for (let step = 1; step <= given.length; step += 1) {
      const slices: Buffer[] = [];
      for (let at = 0; at < octets.length; at += step) slices.push(octets.subarray(at, at + step));
      async function* later(): AsyncGenerator<Buffer> {
        yield* slices;
      }
      for (const source of [() => slices, later]) {
        const edited = await editContent({ size: octets.length, slices: source }, header, edits);
        assert.equal(await read(edited), expect, `step ${step}`);
      }
    }
    if (text !== undefined) assert.equal(parseHeader(Buffer.from(expect)).named('Subject')[0]?.text, text);
  });
}
