import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeXtext, encodeXtext, parseParameters } from '../../src/smtp/parameters.ts';

/** The parameters as `KEYWORD=value` words, or `code status`. */
function describe(command: 'MAIL' | 'RCPT', text: string): string {
  const parsed = parseParameters(command, text);
  if ('reply' in parsed) return `${parsed.reply.code} ${parsed.reply.status} ${parsed.reply.text}`;
  return [...parsed.parameters].map(([key, value]) => (value === null ? key : `${key}=${value}`)).join(' ');
}

const table: { name: string; command?: 'RCPT'; given: string; expect: string }[] = [
  { name: 'none', given: '', expect: '' },
  { name: 'keyword in upper case, value as it came', given: 'body=8bitMIME', expect: 'BODY=8bitMIME' },
  { name: 'blanks between', given: 'SIZE=1 \t SMTPUTF8 ', expect: 'SIZE=1 SMTPUTF8' },
  {
    name: 'all that Postfix forwards to a proxy filter',
    given: 'SIZE=300 BODY=7BIT SMTPUTF8 RET=FULL ENVID=a+2Bb AUTH=<>',
    expect: 'SIZE=300 BODY=7BIT SMTPUTF8 RET=FULL ENVID=a+2Bb AUTH=<>',
  },
  { name: 'MT-PRIORITY', given: 'MT-PRIORITY=-4', expect: 'MT-PRIORITY=-4' },
  { name: 'NOTIFY', command: 'RCPT', given: 'NOTIFY=success,DELAY', expect: 'NOTIFY=success,DELAY' },
  { name: 'ORCPT', command: 'RCPT', given: 'ORCPT=rfc822;a+2Bb@x', expect: 'ORCPT=rfc822;a+2Bb@x' },
  { name: 'ORCPT in UTF-8', command: 'RCPT', given: 'ORCPT=utf-8;é@x', expect: 'ORCPT=utf-8;é@x' },
  {
    name: 'ORCPT with escapes of RFC 6533',
    command: 'RCPT',
    given: 'ORCPT=utf-8;\\x{E9}@x',
    expect: 'ORCPT=utf-8;\\x{E9}@x',
  },

  { name: 'unknown', given: 'FOO=1', expect: '555 5.5.4 Parameter FOO is not supported by MAIL' },
  {
    name: 'of the other command',
    command: 'RCPT',
    given: 'SIZE=1',
    expect: '555 5.5.4 Parameter SIZE is not supported by RCPT',
  },
  {
    name: 'named as a property of objects',
    given: 'constructor=1',
    expect: '555 5.5.4 Parameter CONSTRUCTOR is not supported by MAIL',
  },
  {
    name: 'REQUIRETLS, which would bind us',
    given: 'REQUIRETLS',
    expect: '555 5.5.4 Parameter REQUIRETLS is not supported by MAIL',
  },
  ...['BY=120;RT', 'HOLDFOR=60', 'HOLDUNTIL=2026-01-01T00:00:00Z', 'TRANSID=<12@x>', 'CONPERM'].map((given) => ({
    name: `${given}, which would bind us`,
    given,
    expect: `555 5.5.4 Parameter ${given.split('=')[0]} is not supported by MAIL`,
  })),
  { name: 'twice', given: 'SIZE=1 size=1', expect: '501 5.5.4 Parameter SIZE is given twice' },
  { name: 'no number', given: 'SIZE=1k', expect: '501 5.5.4 Bad value for parameter SIZE' },
  { name: 'no value', given: 'SIZE', expect: '501 5.5.4 Bad value for parameter SIZE' },
  { name: 'empty value', given: 'SIZE=', expect: '501 5.5.4 Syntax error in the parameters' },
  { name: 'a value where none belongs', given: 'SMTPUTF8=1', expect: '501 5.5.4 Bad value for parameter SMTPUTF8' },
  { name: 'BINARYMIME', given: 'BODY=BINARYMIME', expect: '501 5.5.4 Bad value for parameter BODY' },
  { name: 'RET', given: 'RET=ALL', expect: '501 5.5.4 Bad value for parameter RET' },
  { name: 'ENVID no xtext', given: 'ENVID=a+zz', expect: '501 5.5.4 Bad value for parameter ENVID' },
  { name: 'ENVID too long', given: `ENVID=${'a'.repeat(101)}`, expect: '501 5.5.4 Bad value for parameter ENVID' },
  {
    name: 'NEVER is alone',
    command: 'RCPT',
    given: 'NOTIFY=NEVER,DELAY',
    expect: '501 5.5.4 Bad value for parameter NOTIFY',
  },
  {
    name: 'ORCPT without type',
    command: 'RCPT',
    given: 'ORCPT=a@x',
    expect: '501 5.5.4 Bad value for parameter ORCPT',
  },
  {
    name: 'ORCPT without address',
    command: 'RCPT',
    given: 'ORCPT=rfc822;',
    expect: '501 5.5.4 Bad value for parameter ORCPT',
  },
  {
    name: 'ORCPT no xtext',
    command: 'RCPT',
    given: 'ORCPT=rfc822;é@x',
    expect: '501 5.5.4 Bad value for parameter ORCPT',
  },
  { name: 'no keyword', given: '=1', expect: '501 5.5.4 Syntax error in the parameters' },
  { name: 'junk', given: 'SIZE=1 <x>', expect: '501 5.5.4 Syntax error in the parameters' },
  { name: 'keyword beyond measure', given: 'A'.repeat(65), expect: '501 5.5.4 Syntax error in the parameters' },
];

for (const { name, command = 'MAIL', given, expect } of table) {
  test(`${command}: ${name}`, () => assert.equal(describe(command, given), expect));
}

const xtexts: { given: string; expect: string | null }[] = [
  { given: '', expect: '' },
  { given: 'abc', expect: 'abc' },
  { given: 'a+2Bb+3Dc+20d', expect: 'a+b=c d' },
  { given: '+c3+A9', expect: 'é' },
  { given: '+FF', expect: null },
  { given: '+2', expect: null },
  { given: 'a=b', expect: null },
  { given: 'a b', expect: null },
  { given: 'é', expect: null },
  { given: '[UNAVAILABLE]', expect: '[UNAVAILABLE]' },
];

for (const { given, expect } of xtexts) {
  test(`xtext: ${JSON.stringify(given)}`, () => assert.equal(decodeXtext(given), expect));
}

test('property: text survives xtext, which is printable and holds no blank', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      const encoded = encodeXtext(text);
      assert.match(encoded, /^[!-~]*$/);
      assert.equal(decodeXtext(encoded), text);
    }),
    { numRuns: 300 },
  );
});
