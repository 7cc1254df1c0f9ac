import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { printMailbox } from '../../src/core/mailbox.ts';
import { parsePath } from '../../src/smtp/path.ts';

/** `raw | local-part | domain | rest`, or `null` for the null reverse-path, or what is wrong. */
function describe(command: 'MAIL' | 'RCPT', argument: string | Buffer): string {
  const parsed = parsePath(command, Buffer.from(argument).toString('latin1'));
  if ('problem' in parsed) return `problem: ${parsed.problem}`;
  const { path, rest } = parsed;
  const { mailbox } = path;
  return mailbox === null ? `null | ${rest}` : [path.raw, mailbox.localPart, mailbox.domain, rest].join(' | ');
}

const recipients: { name: string; given: string | Buffer; expect: string }[] = [
  { name: 'plain', given: ' TO:<a@b.example>', expect: 'a@b.example | a | b.example | ' },
  { name: 'any case', given: ' to:<A@B.Example>', expect: 'A@B.Example | A | b.example | ' },
  { name: 'blank behind the colon', given: ' To: <a@b.example>', expect: 'a@b.example | a | b.example | ' },
  { name: 'no brackets', given: ' TO:a@b.example', expect: 'a@b.example | a | b.example | ' },
  { name: 'no brackets, parameters', given: ' TO:a@b NOTIFY=NEVER', expect: 'a@b | a | b | NOTIFY=NEVER' },
  { name: 'blanks within the brackets', given: ' TO:< a@b >', expect: 'a@b | a | b | ' },
  { name: 'blanks at the end', given: ' TO:<a@b> \t ', expect: 'a@b | a | b | ' },
  { name: 'parameters', given: ' TO:<a@b>  X=1 Y=2', expect: 'a@b | a | b | X=1 Y=2' },
  { name: 'source route', given: ' TO:<@one.example,@two:a@b>', expect: 'a@b | a | b | ' },
  { name: 'quoted local-part', given: ' TO:<"a b"@x>', expect: '"a b"@x | a b | x | ' },
  { name: 'quoted @ and >', given: ' TO:<"a@b>c"@x> Z', expect: '"a@b>c"@x | a@b>c | x | Z' },
  { name: 'quoted pair', given: ' TO:<"a\\"b"@x>', expect: '"a\\"b"@x | a"b | x | ' },
  { name: 'quotes without need', given: ' TO:<"a"@x>', expect: '"a"@x | a | x | ' },
  { name: 'words and quotes', given: ' TO:<a."b c".d@x>', expect: 'a."b c".d@x | a.b c.d | x | ' },
  { name: 'quoted without brackets', given: ' TO:"a b"@x Z', expect: '"a b"@x | a b | x | Z' },
  { name: 'empty quotes', given: ' TO:<""@x>', expect: '""@x |  | x | ' },
  { name: 'dots anywhere', given: ' TO:<.a..b.@x>', expect: '.a..b.@x | .a..b. | x | ' },
  {
    name: 'all of atext',
    given: " TO:<a!#$%&'*+-/=?^_`{|}~b@x>",
    expect: "a!#$%&'*+-/=?^_`{|}~b@x | a!#$%&'*+-/=?^_`{|}~b | x | ",
  },
  { name: 'no domain', given: ' TO:<user>', expect: 'user | user |  | ' },
  { name: 'Postmaster', given: ' TO:<Postmaster>', expect: 'Postmaster | Postmaster |  | ' },
  { name: 'no domain, no brackets', given: ' TO:user', expect: 'user | user |  | ' },
  { name: 'underscore', given: ' TO:<a@b_c.example>', expect: 'a@b_c.example | a | b_c.example | ' },
  { name: 'final dot', given: ' TO:<a@x.example.>', expect: 'a@x.example. | a | x.example | ' },
  {
    name: 'A-label',
    given: ' TO:<a@XN--bcher-kva.example>',
    expect: 'a@XN--bcher-kva.example | a | xn--bcher-kva.example | ',
  },
  { name: 'U-label', given: ' TO:<a@bücher.example>', expect: 'a@bücher.example | a | xn--bcher-kva.example | ' },
  { name: 'UTF-8 local-part', given: ' TO:<Pelé@x>', expect: 'Pelé@x | Pelé | x | ' },
  { name: 'IPv4 literal', given: ' TO:<a@[192.0.2.1]>', expect: 'a@[192.0.2.1] | a | [192.0.2.1] | ' },
  {
    name: 'IPv6 literal',
    given: ' TO:<a@[IPv6:2001:DB8::1]>',
    expect: 'a@[IPv6:2001:DB8::1] | a | [ipv6:2001:db8::1] | ',
  },
  {
    name: 'a path of a file',
    given: ' TO:<../../etc/passwd@x>',
    expect: '../../etc/passwd@x | ../../etc/passwd | x | ',
  },
  { name: 'long', given: ` TO:<${'a'.repeat(900)}@x>`, expect: `${'a'.repeat(900)}@x | ${'a'.repeat(900)} | x | ` },

  { name: 'too long', given: ` TO:<${'a'.repeat(1000)}@x>`, expect: 'problem: The address is too long' },
  { name: 'too long in octets', given: ` TO:<${'é'.repeat(500)}@x>`, expect: 'problem: The address is too long' },
  { name: 'empty', given: '', expect: 'problem: RCPT needs TO:<address>' },
  { name: 'no colon', given: ' TO <a@b>', expect: 'problem: RCPT needs TO:<address>' },
  { name: 'the other keyword', given: ' FROM:<a@b>', expect: 'problem: RCPT needs TO:<address>' },
  { name: 'no address', given: ' TO:', expect: 'problem: The address is missing' },
  { name: 'no address but a parameter', given: ' TO: NOTIFY=NEVER', expect: 'problem: The address is missing' },
  { name: 'null path', given: ' TO:<>', expect: 'problem: The address is missing' },
  { name: 'open bracket', given: ' TO:<a@b', expect: 'problem: The angle brackets of the address are not balanced' },
  {
    name: 'bracket in bracket',
    given: ' TO:<a <a@b>>',
    expect: 'problem: The angle brackets of the address are not balanced',
  },
  { name: 'open quote', given: ' TO:<"a@b>', expect: 'problem: The angle brackets of the address are not balanced' },
  { name: 'closing bracket only', given: ' TO:a@b>', expect: 'problem: The domain of the address cannot be read' },
  { name: 'junk behind', given: ' TO:<a@b>x', expect: 'problem: Something stands right behind the address' },
  { name: 'two brackets', given: ' TO:<a@b>>', expect: 'problem: Something stands right behind the address' },
  {
    name: 'blank within',
    given: ' TO:<a b@x>',
    expect: 'problem: The part of the address before the @ cannot be read',
  },
  { name: 'comment', given: ' TO:<a(b)@x>', expect: 'problem: The part of the address before the @ cannot be read' },
  { name: 'list', given: ' TO:<a,b@x>', expect: 'problem: The part of the address before the @ cannot be read' },
  { name: 'no local-part', given: ' TO:<@x>', expect: 'problem: The source route of the address cannot be read' },
  { name: 'route alone', given: ' TO:<@x:>', expect: 'problem: Nothing stands before the @ of the address' },
  { name: 'empty domain', given: ' TO:<a@>', expect: 'problem: The domain of the address cannot be read' },
  { name: 'a dot as domain', given: ' TO:<a@.>', expect: 'problem: The domain of the address cannot be read' },
  { name: 'empty label', given: ' TO:<a@x..y>', expect: 'problem: The domain of the address cannot be read' },
  { name: 'two @', given: ' TO:<a@b@c>', expect: 'problem: The domain of the address cannot be read' },
  { name: 'no U-label', given: ' TO:<a@x\u2024\uff0f>', expect: 'problem: The domain of the address cannot be read' },
  {
    name: 'long domain',
    given: ` TO:<a@${'x.'.repeat(130)}x>`,
    expect: 'problem: The domain of the address cannot be read',
  },
  { name: 'open literal', given: ' TO:<a@[192.0.2.1>', expect: 'problem: The domain of the address cannot be read' },
  { name: 'NUL', given: ' TO:<a\0@x>', expect: 'problem: The command holds a control character' },
  { name: 'CR', given: ' TO:<a\r@x>', expect: 'problem: The command holds a control character' },
  { name: 'quoted LF', given: ' TO:<"a\n"@x>', expect: 'problem: The command holds a control character' },
  { name: 'DEL', given: ' TO:<a\x7f@x>', expect: 'problem: The command holds a control character' },
  { name: 'C1', given: ' TO:<a\u0085@x>', expect: 'problem: The command holds a control character' },
  {
    name: 'TAB within quotes',
    given: ' TO:<"a\tb"@x>',
    expect: 'problem: The part of the address before the @ cannot be read',
  },
  {
    name: 'not UTF-8',
    given: Buffer.from(' TO:<a\xff@x>', 'latin1'),
    expect: 'problem: The command is not valid UTF-8',
  },
  {
    name: 'overlong UTF-8',
    given: Buffer.from(' TO:<a\xc0\xae@x>', 'latin1'),
    expect: 'problem: The command is not valid UTF-8',
  },
];

for (const { name, given, expect } of recipients) {
  test(`RCPT: ${name}`, () => assert.equal(describe('RCPT', given), expect));
}

const reversePaths: { name: string; given: string; expect: string }[] = [
  { name: 'null', given: ' FROM:<>', expect: 'null | ' },
  { name: 'null with parameters', given: ' From: <> SIZE=1', expect: 'null | SIZE=1' },
  { name: 'null with a blank', given: ' FROM:< >', expect: 'null | ' },
  { name: 'no address but parameters', given: ' FROM: SIZE=1 BODY=7BIT', expect: 'problem: The address is missing' },
  { name: 'no path at all', given: ' FROM:', expect: 'problem: The address is missing' },
  { name: 'the other keyword', given: ' TO:<a@b>', expect: 'problem: MAIL needs FROM:<address>' },
  {
    name: 'VERP',
    given: ' FROM:<l-bounces+a=b.example@x>',
    expect: 'l-bounces+a=b.example@x | l-bounces+a=b.example | x | ',
  },
];

for (const { name, given, expect } of reversePaths) {
  test(`MAIL: ${name}`, () => assert.equal(describe('MAIL', given), expect));
}

test('property: any octets give a path or a problem, and a path is printable', () => {
  const piece = fc.constantFrom(...'<>@".,:;\\ \t[]()ab=', '\0', '\r', '\n', 'é', 'TO:', '\u2028');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), fc.uint8Array({ maxLength: 3 }), (pieces, octets) => {
      const argument = Buffer.concat([Buffer.from(` TO:<${pieces.join('')}>`), octets]);
      const parsed = parsePath('RCPT', argument.toString('latin1'));
      if ('problem' in parsed) assert.ok(parsed.problem.length > 0);
      else assert.doesNotMatch(parsed.path.raw, /\p{Cc}|^$/u);
    }),
    { numRuns: 500 },
  );
});

test('property: a printed mailbox parses to itself', () => {
  const localPart = fc.string({ unit: fc.constantFrom(...'ab.@ "\\<>é(,'), minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(localPart, fc.constantFrom('x', 'b-c.example', '[192.0.2.1]', ''), (local, domain) => {
      const mailbox = { localPart: local, domain };
      const parsed = parsePath('RCPT', Buffer.from(` TO:<${printMailbox(mailbox)}> A=1`).toString('latin1'));
      assert.deepEqual('path' in parsed ? [parsed.path.mailbox, parsed.rest] : parsed, [mailbox, 'A=1']);
    }),
    { numRuns: 300 },
  );
});

test('property: what most paths look like is read as the grammar reads it', () => {
  // A blank behind the colon is no common form, and says the same.
  const word = fc.stringMatching(/^[\w+=.@<>" \\é-]{0,12}$/);
  const label = fc.stringMatching(/^[A-Za-z\d_.-]{0,8}$/);
  const parts = fc.tuple(word, label, label, fc.constantFrom('', ' SIZE=1', ' \x01', ' é', '\t', 'x'));
  fc.assert(
    fc.property(parts, ([local, left, right, rest]) => {
      const path = `<${local}@${left}.${right}>${rest}`;
      assert.equal(describe('RCPT', ` TO:${path}`), describe('RCPT', ` TO: ${path}`));
      assert.equal(describe('MAIL', ` FROM:${path}`), describe('MAIL', ` FROM: ${path}`));
    }),
    { numRuns: 2000 },
  );
});
