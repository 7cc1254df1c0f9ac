import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type ProxyHeader, parseProxyHeader } from '../../src/smtp/proxy-header.ts';

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');

/** A version 2 header: version and command, family, what follows the fixed part; `length` where it is to lie. */
function binary(command: number, family: number, follows: Buffer, length = follows.length): Buffer {
  const fixed = Buffer.from([command, family, length >> 8, length & 0xff]);
  return Buffer.concat([SIGNATURE, fixed, follows]);
}

const hex = (text: string): Buffer => Buffer.from(text.replace(/ /g, ''), 'hex');
const IPV4 = hex('c0000207 7f000001 1267 0019');
const IPV6 = hex('20010db8000000000000000000000007 00000000000000000000000000000001 1267 0019');
const CRC32C = hex('03 0004 deadbeef');

const headers: readonly { name: string; given: Buffer | string; expect: object | string }[] = [
  { name: 'TCP4', given: 'PROXY TCP4 192.0.2.7 127.0.0.1 4711 25\r\n', expect: { address: '192.0.2.7', port: 4711 } },
  { name: 'TCP6', given: 'PROXY TCP6 2001:DB8::7 ::1 4711 25\r\n', expect: { address: '2001:db8::7', port: 4711 } },
  { name: 'UNKNOWN', given: 'PROXY UNKNOWN\r\n', expect: 'peer' },
  { name: 'UNKNOWN with anything', given: `PROXY UNKNOWN ${'f'.repeat(91)}\r\n`, expect: 'peer' },
  { name: 'v2 TCP4', given: binary(0x21, 0x11, IPV4), expect: { address: '192.0.2.7', port: 4711 } },
  { name: 'v2 TCP6', given: binary(0x21, 0x21, IPV6), expect: { address: '2001:db8::7', port: 4711 } },
  { name: 'v2 unix', given: binary(0x21, 0x31, Buffer.alloc(216, 0x61)), expect: { address: null, port: null } },
  { name: 'v2 LOCAL', given: binary(0x20, 0x00, Buffer.alloc(0)), expect: 'peer' },
  { name: 'v2 LOCAL with addresses', given: binary(0x20, 0x11, IPV4), expect: 'peer' },
  { name: 'v2 without family', given: binary(0x21, 0x00, CRC32C), expect: 'peer' },
  {
    name: 'v2 with a checksum behind the addresses',
    given: binary(0x21, 0x11, Buffer.concat([IPV4, CRC32C])),
    expect: { address: '192.0.2.7', port: 4711 },
  },
  {
    name: 'v2 of 536 octets',
    given: binary(0x21, 0x11, Buffer.concat([IPV4, Buffer.alloc(508)])),
    expect: { address: '192.0.2.7', port: 4711 },
  },
];

for (const { name, given, expect } of headers) {
  test(`${name}: whole, with octets behind it, and cut at every octet`, () => {
    const octets = Buffer.from(given as string, 'latin1');
    const whole = { kind: 'header', source: expect, length: octets.length };
    assert.deepEqual(parseProxyHeader(octets), whole);
    assert.deepEqual(parseProxyHeader(Buffer.concat([octets, Buffer.from('EHLO x\r\n')])), whole);
    for (let cut = 0; cut < octets.length; cut++) {
      assert.deepEqual(parseProxyHeader(octets.subarray(0, cut)), { kind: 'incomplete' }, `cut at ${cut}`);
    }
  });
}

test('IPv6 addresses of version 2 are written as RFC 5952 says', () => {
  const cases = [
    ['00000000000000000000000000000000', '::'],
    ['00000000000000000000000000000001', '::1'],
    ['20010db8000000000001000000000001', '2001:db8::1:0:0:1'],
    ['20010db8000000010001000100010001', '2001:db8:0:1:1:1:1:1'],
    ['00010000000000000000000000000000', '1::'],
    ['00100000000000100000000000000010', '10:0:0:10::10'],
  ];
  for (const [octets = '', expect = ''] of cases) {
    const follows = Buffer.concat([hex(octets), IPV6.subarray(16)]);
    const header = parseProxyHeader(binary(0x21, 0x21, follows));
    assert.ok(header.kind === 'header' && header.source !== 'peer');
    assert.equal(header.source.address, expect);
  }
});

const refused: readonly { name: string; given: Buffer | string }[] = [
  { name: 'a greeting', given: 'EHLO x\r\n' },
  { name: 'lower case', given: 'proxy TCP4 192.0.2.7 127.0.0.1 4711 25\r\n' },
  { name: 'no family', given: 'PROXY \r\n' },
  { name: 'unknown family', given: 'PROXY UDP4 192.0.2.7 127.0.0.1 4711 25\r\n' },
  { name: 'IPv6 in TCP4', given: 'PROXY TCP4 2001:db8::7 127.0.0.1 4711 25\r\n' },
  { name: 'IPv4 in TCP6', given: 'PROXY TCP6 192.0.2.7 ::1 4711 25\r\n' },
  { name: 'a zone', given: 'PROXY TCP6 fe80::1%eth0 ::1 4711 25\r\n' },
  { name: 'a port too many', given: 'PROXY TCP4 192.0.2.7 127.0.0.1 4711 25 26\r\n' },
  { name: 'a port missing', given: 'PROXY TCP4 192.0.2.7 127.0.0.1 4711\r\n' },
  { name: 'a port too high', given: 'PROXY TCP4 192.0.2.7 127.0.0.1 65536 25\r\n' },
  { name: 'a port with a zero before it', given: 'PROXY TCP4 192.0.2.7 127.0.0.1 04711 25\r\n' },
  { name: 'two blanks', given: 'PROXY TCP4  192.0.2.7 127.0.0.1 4711 25\r\n' },
  { name: 'no CRLF in 107 octets', given: `PROXY UNKNOWN ${'f'.repeat(200)}\r\n` },
  { name: 'v2 of version 3', given: binary(0x31, 0x11, IPV4) },
  { name: 'v2 with command 2', given: binary(0x22, 0x11, IPV4) },
  { name: 'v2 over UDP', given: binary(0x21, 0x12, IPV4) },
  { name: 'v2 of an unknown family', given: binary(0x21, 0x41, IPV4) },
  { name: 'v2 too short for its addresses', given: binary(0x21, 0x11, IPV4.subarray(1)) },
  { name: 'v2 of more than 536 octets', given: binary(0x21, 0x11, Buffer.concat([IPV4, Buffer.alloc(509)])) },
];

for (const { name, given } of refused) {
  test(`refused: ${name}`, () => {
    assert.equal(parseProxyHeader(Buffer.from(given as string, 'latin1')).kind, 'invalid');
  });
}

test('whatever comes: an answer, the same however it is cut, and never more than 536 octets waited for', () => {
  const start = fc.constantFrom(
    Buffer.alloc(0),
    SIGNATURE,
    binary(0x21, 0x11, IPV4),
    Buffer.from('PROXY TCP4 1.2.3.4 '),
  );
  fc.assert(
    fc.property(start, fc.uint8Array({ maxLength: 600 }), (head, tail) => {
      const octets = Buffer.concat([head, tail]);
      const whole = parseProxyHeader(octets);
      if (octets.length >= 536) assert.notEqual(whole.kind, 'incomplete');
      let first: ProxyHeader = { kind: 'incomplete' };
      for (let cut = 0; cut <= octets.length && first.kind === 'incomplete'; cut++) {
        first = parseProxyHeader(octets.subarray(0, cut));
      }
      assert.deepEqual(first, whole);
    }),
    { numRuns: 300 },
  );
});
