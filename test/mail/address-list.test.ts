import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Mailbox, printMailbox } from '../../src/core/mailbox.ts';
import { parseAddressList } from '../../src/mail/address-list.ts';

function printed(mailboxes: readonly Mailbox[]): string[] {
  return mailboxes.map(printMailbox);
}

const lists: { name: string; given: string; expect: string[] }[] = [
  { name: 'nothing', given: '', expect: [] },
  { name: 'an address', given: 'ann@example.net', expect: ['ann@example.net'] },
  { name: 'a name and an address', given: 'Ann B. <ann@example.net>', expect: ['ann@example.net'] },
  { name: 'several', given: 'a@x, B <b@y>,"C, D" <c@z>', expect: ['a@x', 'b@y', 'c@z'] },
  { name: 'case: kept in the local-part, not in the domain', given: 'Ann@EXAMPLE.Net', expect: ['Ann@example.net'] },
  { name: 'a group', given: 'us: a@x, B <b@y>; c@z', expect: ['a@x', 'b@y', 'c@z'] },
  { name: 'an empty group', given: 'undisclosed-recipients:;', expect: [] },
  { name: 'comments', given: '(a) ann(b)@(c)example.net(d (e) f@g) (\\) h@i)', expect: ['ann@example.net'] },
  { name: 'a quoted local-part', given: '<"ann b"@example.net>', expect: ['"ann b"@example.net'] },
  { name: 'quotes that were not needed', given: '"ann"@example.net', expect: ['ann@example.net'] },
  { name: 'quoting within quotes', given: '"a\\"b\\\\"@x', expect: ['"a\\"b\\\\"@x'] },
  { name: 'an @ in quotes', given: '"a@b"@x', expect: ['"a@b"@x'] },
  {
    name: 'an address literal',
    given: 'a@[192.0.2.1], b@[IPv6:2001:DB8::1]',
    expect: ['a@[192.0.2.1]', 'b@[ipv6:2001:db8::1]'],
  },
  { name: 'an IDN', given: 'a@Bücher.example', expect: ['a@xn--bcher-kva.example'] },
  { name: 'A-labels', given: 'a@xn--bcher-kva.example', expect: ['a@xn--bcher-kva.example'] },
  { name: 'a local-part in UTF-8', given: 'grüße@example.net', expect: ['grüße@example.net'] },
  { name: 'an underscore and a final dot', given: 'a@b_c.example.', expect: ['a@b_c.example'] },
  { name: 'no domain, in brackets', given: 'Cron <root>', expect: ['root'] },
  { name: 'nothing in quotes, in brackets', given: 'x <"">', expect: [] },
  { name: 'a backslash at the end, in brackets', given: '<\\', expect: [] },
  // RFC 5322 section 4.4
  { name: 'obsolete: a source route', given: '<@a.example,@b.example:c@d.example>', expect: ['c@d.example'] },
  { name: 'obsolete: blanks around dots', given: 'ann . b @ example . net', expect: ['ann.b@example.net'] },
  { name: 'obsolete: words in a local-part', given: 'a."b c".d@x', expect: ['"a.b c.d"@x'] },
  { name: 'obsolete: empty items', given: ',, a@x, ,b@y,', expect: ['a@x', 'b@y'] },
  // what the grammar does not allow and mail has all the same
  { name: 'semicolons for commas', given: 'a@x; b@y', expect: ['a@x', 'b@y'] },
  { name: 'a comma in a name', given: 'Brown, Ann <ann@x>', expect: ['ann@x'] },
  { name: 'a colon in a name', given: 'Re: Ann <ann@x>', expect: ['ann@x'] },
  { name: 'brackets in a name', given: '[Bug 1] Ann <ann@x>', expect: ['ann@x'] },
  { name: 'no comma', given: 'A <a@x> B <b@y>', expect: ['a@x', 'b@y'] },
  { name: 'no comma and no brackets', given: 'a@x b@y', expect: ['a@x', 'b@y'] },
  { name: 'a name without brackets', given: 'Ann ann@x', expect: ['ann@x'] },
  { name: 'a name behind', given: '<ann@x> Ann', expect: ['ann@x'] },
  { name: 'no closing bracket', given: 'A <a@x, B <b@y', expect: ['a@x', 'b@y'] },
  { name: 'no opening bracket', given: 'a@x>, b@y', expect: ['a@x', 'b@y'] },
  { name: 'two brackets', given: '<<a@x>>', expect: ['a@x'] },
  { name: 'a link within', given: 'a@x<mailto:a@x>', expect: ['a@x'] },
  { name: 'no closing quote', given: '"Ann <ann@x>', expect: ['ann@x'] },
  { name: 'no closing parenthesis', given: 'Ann (work <ann@x>', expect: ['ann@x'] },
  { name: 'a parenthesis too many', given: 'Ann) <ann@x>', expect: ['ann@x'] },
  { name: 'empty brackets', given: 'Mailer-Daemon <>', expect: [] },
  { name: 'empty brackets behind an address', given: 'a@x <>', expect: ['a@x'] },
  { name: 'only a name', given: 'Ann', expect: [] },
  { name: 'no local-part', given: '@x, <@y>', expect: [] },
  { name: 'no domain behind the @', given: 'a@, <b@>', expect: [] },
  { name: 'several @: as Postfix, the last', given: 'a@b@c', expect: ['"a@b"@c'] },
  { name: 'a slash in an IDN', given: 'a@é.example/x', expect: ['a@é.example/x'] },
  // spoofing
  {
    name: 'an address as the name, quoted',
    given: '"member@example.org" <stranger@evil.example>',
    expect: ['stranger@evil.example'],
  },
  {
    name: 'an address as the name',
    given: 'member@example.org <stranger@evil.example>',
    expect: ['stranger@evil.example'],
  },
  {
    name: 'an address in a comment',
    given: '(member@example.org) stranger@evil.example',
    expect: ['stranger@evil.example'],
  },
  {
    name: 'brackets in the name',
    given: '"<member@example.org>" <stranger@evil.example>',
    expect: ['stranger@evil.example'],
  },
  {
    name: 'an encoded address as the name',
    given: '=?utf-8?q?member=40example.org?= <stranger@evil.example>',
    expect: ['stranger@evil.example'],
  },
  { name: 'an encoded word as a local-part', given: '=?utf-8?q?member?=@example.org', expect: [] },
  { name: 'an encoded word in brackets', given: '<=?utf-8?b?bWVtYmVy?=@example.org>', expect: [] },
  { name: 'an encoded word as a domain', given: 'member@=?utf-8?q?example=2Eorg?=', expect: [] },
  { name: 'an encoded mailbox', given: '=?utf-8?b?QW5uIDxhbm5AeD4=?=', expect: [] },
  {
    name: 'a second author',
    given: 'member@example.org, stranger@evil.example',
    expect: ['member@example.org', 'stranger@evil.example'],
  },
  {
    name: 'an address as the name of a group',
    given: 'stranger@evil.example: member@example.org;',
    expect: ['stranger@evil.example', 'member@example.org'],
  },
];
for (const { name, given, expect } of lists) {
  test(`parseAddressList: ${name}`, () => assert.deepEqual(printed(parseAddressList(given)), expect));
}

test('parseAddressList: a quarter of a mebibyte of trouble is read in one pass', () => {
  const size = 2 ** 18;
  for (const part of [
    '(',
    '"',
    '[',
    '\\',
    '<',
    '@',
    'a@[',
    'a@',
    '((a)',
    '"a" ',
    ',',
    'é@é',
    '=?',
    ' .',
    '(\\',
    '<a@b',
    '\\"',
  ]) {
    assert.doesNotThrow(() => parseAddressList(part.repeat(size / part.length)), part);
  }
  assert.equal(parseAddressList('a@b '.repeat(size / 4)).length, size / 4);
});

test('property: what is found can be printed and found again', () => {
  const piece = fc.constantFrom(
    'a',
    'b.c',
    '@',
    '@',
    '<',
    '>',
    ',',
    ';',
    ':',
    '"',
    '\\',
    '(',
    ')',
    '[',
    ']',
    ' ',
    '.',
    'é',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 25 }), (pieces) => {
      for (const mailbox of parseAddressList(pieces.join(''))) {
        const again = parseAddressList(`<${printMailbox(mailbox)}>`);
        if (mailbox.domain !== '') assert.deepEqual(again, [mailbox]);
      }
    }),
    { numRuns: 1000 },
  );
});

test('property: what most values look like is read as the grammar reads it', () => {
  const word = fc.stringMatching(/^[\w+=.@<>" ,;:?é-]{0,12}$/);
  const label = fc.stringMatching(/^[A-Za-z\d_.-]{0,8}$/);
  const name = fc.constantFrom('', '<', 'Ann <', 'Ann', 'Ann B. <', '<<', '"A" <', '@a:<');
  fc.assert(
    fc.property(
      name,
      word,
      label,
      label,
      fc.constantFrom('', '>', '>>', ' (x)', ','),
      (front, local, left, right, end) => {
        const value = `${front}${local}@${left}.${right}${end}`;
        // A blank at the end is no common form, and says the same.
        assert.deepEqual(parseAddressList(value), parseAddressList(`${value} `));
      },
    ),
    { numRuns: 5000 },
  );
});
