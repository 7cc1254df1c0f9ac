/**
 * Messages, nearly right: header section, MIME structure, texts and edits.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Content } from '../../src/core/message.ts';
import { parseAddressList } from '../../src/mail/address-list.ts';
import { parseAuthenticationResults } from '../../src/mail/authentication-results.ts';
import { archivesOf, textsOf } from '../../src/mail/body.ts';
import { parseContentField } from '../../src/mail/content-field.ts';
import { parseDate } from '../../src/mail/date.ts';
import { editContent } from '../../src/mail/edit.ts';
import { parseHeader } from '../../src/mail/header.ts';
import { readHtml } from '../../src/mail/html.ts';
import { parseMime } from '../../src/mail/mime.ts';
import { decodeText, encodeText } from '../../src/mail/text.ts';
import { corpusMessages, missingCorpus, octetsOnTheWire } from '../support/wire-corpus.ts';
import { cut, fuzz, RUNS } from './fuzz.ts';

const MULTIPART = `From: =?utf-8?q?Gr=C3=BC=C3=9Fe?= <ann@example.net>, "B, C" <b@example.net>
To: Gardeners: a@example.net, (comment) b@example.net;
Date: Wed, 25 Nov 2026 10:00:00 +0000
Authentication-Results: mx.example.net; spf=pass smtp.mailfrom=example.net; dkim=fail (bad) header.d=example.net
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="one two";
\tcharset*0*=utf-8''a%20; charset*1=b

preamble
--one two
Content-Type: multipart/alternative; boundary=inner

--inner
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

Gr=FC=DFe =
soft
--inner
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: base64

PHA+SGVsbG8gPGI+d29ybGQ8L2I+ICZhbXA7PC9wPg==
--inner--
--one two
Content-Type: message/rfc822

Subject: within

body
--one two
Content-Type: application/zip; name="=?utf-8?q?a.zip?="
Content-Disposition: attachment; filename*=utf-8''a%2Ezip
Content-Transfer-Encoding: base64

UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA==
--one two--
epilogue
`.replaceAll('\n', '\r\n');

const PLAIN = 'Subject: one\r\n two\r\nX : y\r\n: nothing\r\nno colon\r\nReceived: x\r\n\r\nbody\r\n';

/** The largest of the corpus take their time and find no more. */
const LARGEST_SEED = 20_000;
const real =
  missingCorpus === null
    ? corpusMessages()
        .map(octetsOnTheWire)
        .filter(({ length }) => length < LARGEST_SEED)
    : [];
const SEEDS = [MULTIPART, PLAIN, ...real];

test('the real messages are among the seeds', (t) => {
  if (missingCorpus !== null) t.skip(missingCorpus);
  else assert.ok(real.length > 500);
});

function contentOf(pieces: readonly Buffer[]): Content {
  return { size: pieces.reduce((sum, { length }) => sum + length, 0), slices: () => pieces };
}

async function octetsOf(content: Content): Promise<string> {
  const slices: Buffer[] = [];
  for await (const slice of content.slices()) slices.push(slice);
  return Buffer.concat(slices).toString('latin1');
}

const runs = RUNS * 5;

fuzz(
  'header sections: fields in order and apart, whose values hold no line end',
  SEEDS,
  (octets) => {
    const { fields, size } = parseHeader(octets);
    let last = 0;
    for (const { start, end, name, value } of fields) {
      assert.ok(last <= start && start < end && end <= size);
      assert.match(name, /^[!-9;-~]+$/);
      assert.doesNotMatch(value, /\r\n/);
      last = end;
    }
  },
  { runs },
);

fuzz(
  'MIME: the same structure wherever the octets are cut, each part within the one that holds it',
  SEEDS,
  async (octets, where) => {
    const header = parseHeader(octets);
    const whole = await parseMime(header, contentOf([octets]));
    assert.deepEqual(await parseMime(header, contentOf(cut(octets, where))), whole);
    for (const [index, { start, end, parent }] of whole.parts.entries()) {
      const around = whole.parts[parent];
      assert.ok(parent < index && start <= end && end <= octets.length);
      assert.ok(around === undefined || (around.start <= start && end <= around.end));
    }
  },
  { runs },
);

fuzz(
  'texts: whatever stands in a message can be asked',
  SEEDS,
  async (octets) => {
    const message = { header: parseHeader(octets), content: contentOf([octets]) };
    for (const { text } of await textsOf(message)) assert.ok(text.length <= 65_536);
    for (const names of (await archivesOf(message)).names.values()) assert.ok(names.length <= 5000);
  },
  { runs: RUNS },
);

fuzz(
  'edits: without the fields that are removed and those that are added the octets are what they were',
  SEEDS,
  async (octets, where) => {
    const header = parseHeader(octets);
    // A line that is all name so far is taken for a field before its colon is seen; see cut.ts.
    if (/^[!-9;-~][!-9;-~ \t]{990}/m.test(octets.toString('latin1'))) return;
    const content = contentOf(cut(octets, where));
    assert.equal(await octetsOf(await editContent(content, header, [])), octets.toString('latin1'));
    const edited = await octetsOf(
      await editContent(content, header, [
        { kind: 'remove', name: 'Received' },
        { kind: 'add', name: 'X-Added', value: 'yes' },
      ]),
    );
    const left = [...header.fields]
      .filter(({ name }) => name.toLowerCase() === 'received')
      .reverse()
      .reduce((text, { start, end }) => text.slice(0, start) + text.slice(end), octets.toString('latin1'));
    assert.equal(edited.replace(/X-Added: yes\r\n/, ''), left);
  },
  { runs, kept: [`\0eceived: (${'x'.repeat(3000)}\r\nReceived: x\r\n`] },
);

fuzz(
  'values of fields: a list of addresses, a date, parameters, results, words',
  [
    '"Ann, A." <ann@example.net>, Gardeners: b@example.net, (c (d)) e@[192.0.2.1];, =?utf-8?q?x?= <f@example.net>',
    'Wed, 25 Nov 2026 10:00:00 +0000 (UTC)',
    'multipart/mixed; boundary="a\\"b"; name*0*=utf-8\'\'a%20; name*1=b; charset=utf-8',
    'mx.example.net 1; spf=pass (ok) smtp.mailfrom=a@example.net; dkim=fail reason="x" header.d=example.net',
    '=?utf-8?b?R3LDvMOfZQ==?= =?iso-8859-1?q?=FC?= plain =?x?y?z?=',
    '<p>Hello <a href="http://example.net/?a=1&amp;b">x</a> &#x41; &nbsp; <!-- c --> <style>p{}</style>',
  ],
  (octets) => {
    const text = octets.toString('utf8');
    for (const { localPart, domain } of parseAddressList(text)) assert.ok(localPart.length + domain.length > 0);
    const date = parseDate(text);
    assert.ok(date === null || Number.isFinite(date));
    parseContentField(text);
    parseAuthenticationResults(text);
    decodeText(text);
    assert.match(encodeText(text.replace(/\p{Cc}/gu, '')), /^[\x20-\x7e]*$/);
    readHtml(text);
  },
);
