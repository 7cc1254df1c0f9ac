/**
 * Texts, links and sizes of parts: decoded, bounded, and the same however the content is cut.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isAttachment, sizesOf, structureOf, TEXT_WINDOW, textsOf } from '../../src/mail/body.ts';
import { readHtml } from '../../src/mail/html.ts';
import { hostsOf } from '../../src/mail/links.ts';
import { createDecoder } from '../../src/mail/transfer-encoding.ts';
import { messageOf, messageOnDisk } from '../support/wire-corpus.ts';

function message(header: string, body: string | Buffer) {
  return messageOf(Buffer.concat([Buffer.from(`${header}\r\n\r\n`), Buffer.from(body)]), 1000);
}

async function textOf(header: string, body: string | Buffer): Promise<string> {
  return (await textsOf(message(header, body))).map(({ text }) => text).join('|');
}

const QP = 'Content-Transfer-Encoding: quoted-printable';
const texts: readonly { name: string; header: string; body: string | Buffer; expect: string }[] = [
  { name: 'UTF-8 without a word', header: 'A: b', body: 'grüße', expect: 'grüße' },
  { name: 'Latin-1 without a word', header: 'A: b', body: Buffer.from('grüße', 'latin1'), expect: 'grüße' },
  { name: 'a charset', header: 'Content-Type: text/plain; charset=koi8-r', body: Buffer.from([0xd4]), expect: 'т' },
  { name: 'an unknown charset', header: 'Content-Type: text/plain; charset=x-none', body: 'grüße', expect: 'grüße' },
  { name: 'base64', header: 'Content-Transfer-Encoding: BASE64', body: 'Z3LD\r\n vMO\r\nfZQ==', expect: 'grüße' },
  { name: 'base64 joined', header: 'Content-Transfer-Encoding: base64', body: 'YQ==YQ==', expect: 'aa' },
  { name: 'quoted-printable', header: QP, body: 'gr=C3=bc=\r\n=C3=9Fe =3D = \r\n=x', expect: 'grüße = =x' },
  { name: 'HTML', header: 'Content-Type: text/html', body: '<p>a<b>b</b></p>&auml;&#x62;', expect: '\nab\näb' },
  { name: 'an attachment is no text', header: 'Content-Disposition: attachment', body: 'a', expect: '' },
];

for (const { name, header, body, expect } of texts)
  test(name, async () => assert.equal(await textOf(header, body), expect));

test('octets of ASCII are the text, in whatever charset that they are given with', async () => {
  const body = 'All ~@[\\]^_`{|}\r\n the\ttulips\r\n';
  for (const charset of ['us-ascii', 'utf-8', 'iso-8859-1', 'iso-8859-15', 'windows-1252', 'unknown-8bit']) {
    const [part] = await textsOf(message(`Content-Type: text/plain; charset=${charset}`, body));
    assert.equal(part?.octets?.toString('latin1').replaceAll('\r\n', '\n'), part?.text, charset);
  }
  for (const type of ['text/plain; charset=utf-16', 'text/plain; charset=iso-2022-jp', 'text/html'])
    assert.equal((await textsOf(message(`Content-Type: ${type}`, body)))[0]?.octets, null, type);
});

const pages: readonly { given: string; text: string; links?: readonly string[] }[] = [
  { given: 'a < b &lt; c & d', text: 'a < b < c & d' },
  { given: 'a<script>b</script>c<STYLE>d</style >e', text: 'a\n\nc\n\ne' },
  { given: 'a<!-- b > c -->d<!doctype x>e<?x?>f', text: 'adef' },
  { given: 'a<img alt=">">b', text: 'a\nb' },
  { given: 'vi<span>a</span>gra', text: 'viagra' },
  { given: 'a<!-- b', text: 'a' },
  { given: 'a<p title="b', text: 'a\n' },
  { given: '<A HREF=x>1</a><form action="y"><a class=q href = \'z&amp;\' >', text: '1\n', links: ['x', 'y', 'z&'] },
  { given: '&#0;&#xd800;&#99999999;&nosuch;', text: '\ufffd\ufffd\ufffd&nosuch;' },
];

for (const { given, text, links = [] } of pages) {
  test(`HTML ${given}`, () => assert.deepEqual(readHtml(given), { text, links }));
}

const links: readonly { text: string; links?: readonly string[]; expect: readonly string[] }[] = [
  { text: 'see (https://Example.COM/a), or www.example.org.', expect: ['example.com', 'www.example.org'] },
  {
    text: 'http://user:pw@example.com:8080/ http://[::1]/ http://bücher.example',
    expect: ['example.com', '[::1]', 'xn--bcher-kva.example'],
  },
  { text: 'http://example.com./', expect: ['example.com'] },
  { text: 'http://0x7f.1/ no.link ann@example.net', expect: ['127.0.0.1'] },
  {
    text: '',
    links: ['//a.example', '/b', 'mailto:c@d.example', 'hTtP:\\\\e.example', 'javascript:f', 'h\nttp://g.example', ''],
    expect: ['a.example', 'e.example', 'g.example'],
  },
  { text: '', links: ['http://%65vil.example', 'http://a b', 'https://'], expect: ['evil.example'] },
];

for (const { text, expect, ...more } of links) {
  test(`hosts of ${text} ${more.links ?? ''}`, () => assert.deepEqual(hostsOf(text, more.links ?? []), expect));
}

test('decoders do not mind where their input is cut', () => {
  const soup = fc.array(fc.constantFrom('=', 'A', '4', 'f', ' ', '\r\n', '\r', '\n', '+', 'é', '=\r\n', '= \t\r\n'), {
    maxLength: 40,
  });
  fc.assert(
    fc.property(
      soup,
      fc.constantFrom('base64', 'quoted-printable', 'identity'),
      fc.integer({ min: 1, max: 9 }),
      (marks, encoding, size) => {
        const octets = Buffer.from(marks.join(''));
        const decode = createDecoder(encoding);
        const pieces: Buffer[] = [];
        for (let at = 0; at < octets.length; at += size) pieces.push(decode(octets.subarray(at, at + size)));
        const whole = createDecoder(encoding)(octets);
        assert.deepEqual(Buffer.concat(pieces), whole);
      },
    ),
    { numRuns: 3000, seed: 1 },
  );
});

test('base64 is decoded as Node decodes it', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (octets) => {
      const encoded = Buffer.from(Buffer.from(octets).toString('base64'));
      assert.deepEqual(createDecoder('base64')(encoded), Buffer.from(octets));
    }),
    { numRuns: 500, seed: 1 },
  );
});

const ALTERNATIVE = 'Content-Type: multipart/alternative; boundary=b';

test('rules see a window of the plain texts and one of the HTML texts', async () => {
  const long = 'x'.repeat(TEXT_WINDOW - 10);
  const body = [
    `--b\r\n\r\n${long}`,
    '--b\r\n\r\n0123456789abc',
    '--b\r\n\r\nunseen',
    `--b\r\nContent-Type: text/html\r\n\r\n<p>${long}<p>0123456789abc`,
    '--b--\r\n',
  ].join('\r\n');
  const found = await textsOf(message(ALTERNATIVE, body));
  assert.deepEqual(
    found.map(({ kind, text, cut }) => [kind, text.length, text.slice(-3), cut]),
    [
      ['plain', TEXT_WINDOW - 10, 'xxx', false],
      ['plain', 10, '789', true],
      ['plain', 0, '', true],
      ['html', TEXT_WINDOW, '567', true],
    ],
  );
});

test('an attachment that lies on disk is not read for the text in front of it', async () => {
  const octets = Buffer.from(
    `Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntulips\r\n--b\r\nContent-Type: application/pdf\r\n\r\n${'x'.repeat(100_000)}\r\n--b--\r\n`,
  );
  const { header } = messageOf(octets);
  let read = 0;
  const slices = async function* () {
    for (let at = 0; at < octets.length; at += 1000) {
      read += 1;
      yield await octets.subarray(at, at + 1000);
    }
  };
  const onDisk = { header, content: { size: octets.length, slices } };
  const { parts } = await structureOf(onDisk);
  assert.equal(parts.filter(isAttachment).length, 1);
  read = 0;
  assert.equal((await textsOf(onDisk))[0]?.text, 'tulips');
  assert.equal(read, 1);
});

test('sizes are those of the decoded part', async () => {
  const body = '--b\r\nContent-Transfer-Encoding: base64\r\n\r\nYWJj\r\nZA==\r\n--b\r\n\r\nabc\r\n--b--\r\n';
  const octets = Buffer.from(`${ALTERNATIVE}\r\n\r\n${body}`);
  for (const given of [messageOf(octets), messageOnDisk(octets, 3)]) {
    const sizes = await sizesOf(given);
    const { parts } = await structureOf(given);
    assert.deepEqual(
      parts.map((part) => sizes.get(part)),
      [body.length - 9, 4, 3],
    );
  }
});

const HOSTILE: readonly { readonly name: string; readonly page: string }[] = [
  { name: 'tags that do not end', page: '<a '.repeat(80_000) },
  { name: 'quotes that do not end', page: '<a href="'.repeat(25_000) },
  { name: 'comments that do not end', page: '<!--'.repeat(60_000) },
  { name: 'styles that do not end', page: '<style>'.repeat(35_000) },
  { name: 'slashes and blanks', page: `<a ${'/ '.repeat(100_000)}` },
  { name: 'entities', page: '&#'.repeat(120_000) },
  { name: 'angle brackets', page: '<'.repeat(200_000) },
  { name: 'links', page: '<a href=//x>'.repeat(20_000) },
];

for (const { name, page } of HOSTILE) {
  test(`HTML of ${name} is read in one pass`, () => assert.ok(readHtml(page).text.length <= page.length));
}
