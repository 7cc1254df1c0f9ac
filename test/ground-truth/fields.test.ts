/**
 * Header fields one by one: the tables of stalwart's mail-parser, of CPython's email and of libmime.
 */
import type { HeaderField, Message } from '../../src/core/message.ts';
import { printMailbox } from '../../src/core/mailbox.ts';
import { parseAddressList } from '../../src/mail/address-list.ts';
import { structureOf } from '../../src/mail/body.ts';
import { parseContentField } from '../../src/mail/content-field.ts';
import { parseDate } from '../../src/mail/date.ts';
import { transferEncoding } from '../../src/mail/transfer-encoding.ts';
import { messageOf, readCorpus, truthOf } from '../support/wire-corpus.ts';
import { scored } from './score.ts';
import { type DateTime, oneBlank, timeOf } from './truth.ts';

interface Row<T> {
  readonly header: string;
  readonly expected: T | null;
}

function stalwart<T>(kind: string): readonly Row<T>[] {
  return JSON.parse(readCorpus(`tables/headers/stalwart-${kind}.json`));
}

/** A field of that body, with the line ends that it has on the wire. */
function field(name: string, body: string): HeaderField {
  const [first] = messageWith(name, body).header.fields;
  if (first === undefined) throw new Error(`no field: ${body}`);
  return first;
}

function messageWith(name: string, body: string): Message {
  return messageOf(Buffer.from(`${name}:${body.replace(/\r?\n/g, '\r\n').replace(/(?:\r\n)?$/, '\r\n')}\r\n`));
}

interface Named {
  readonly address: string | null;
}

scored('stalwart-address', (score) => {
  interface Expected {
    readonly List?: readonly Named[];
    readonly Group?: readonly { readonly addresses: readonly Named[] }[];
  }
  for (const [index, { header, expected }] of stalwart<Expected>('address').entries()) {
    const named = expected?.List ?? expected?.Group?.flatMap(({ addresses }) => addresses) ?? [];
    const found = parseAddressList(field('To', header).value).map(printMailbox);
    const lower = (list: readonly string[]): readonly string[] => list.map((address) => address.toLowerCase());
    score.compare(index, lower(found), lower(named.flatMap(({ address }) => address ?? [])));
  }
});

scored('stalwart-unstructured', (score) => {
  for (const [index, { header, expected }] of stalwart<string>('unstructured').entries()) {
    score.compare(index, oneBlank(field('Subject', header).text), oneBlank(expected ?? ''));
  }
});

/** Lists of phrases, such as Keywords:, are text to us; an encoded word must not hide a comma. */
scored('stalwart-list', (score) => {
  for (const [index, { header, expected }] of stalwart<readonly string[]>('list').entries()) {
    score.compare(
      index,
      field('Keywords', header)
        .text.split(',')
        .map((item) => oneBlank(item)),
      expected,
    );
  }
});

/** What `seen` compares copies by: the first Message-ID as it stands. */
scored('stalwart-id', (score) => {
  for (const [index, { header, expected }] of stalwart<readonly string[]>('id').entries()) {
    const ids = field('Message-ID', header).value.split(/(?<=>)\s+(?=<)/);
    score.compare(
      index,
      ids.map((one) => one.replace(/^<|>$/g, '')),
      expected,
    );
  }
});

scored('stalwart-date', (score) => {
  for (const [index, { header, expected }] of stalwart<DateTime>('date').entries()) {
    score.compare(index, parseDate(field('Date', header).value), expected && timeOf(expected));
  }
});

/** Of Received: nothing is read but that it is there; its date-time stands behind the last semicolon. */
scored('stalwart-received', (score) => {
  for (const [index, { header, expected }] of stalwart<{ readonly date?: DateTime | null }>('received').entries()) {
    const { value } = field('Received', header);
    const date = parseDate(value.slice(value.lastIndexOf(';') + 1));
    score.compare(index, date, expected?.date ? timeOf(expected.date) : null);
  }
});

scored('stalwart-content_type', (score) => {
  interface Expected {
    readonly c_type: string;
    readonly c_subtype: string | null;
    readonly attributes?: readonly (readonly [string, string])[] | null;
  }
  for (const [index, { header, expected }] of stalwart<Expected>('content_type').entries()) {
    const found = parseContentField(field('Content-Type', header).value);
    const named = (expected?.attributes ?? []).filter(([name]) => !name.endsWith('-language'));
    const subtype = expected?.c_subtype ?? '';
    const ours = { value: found.value, attributes: named.map(([name]) => [name, found.all(name)[0]]) };
    const type = `${expected?.c_type ?? ''}${subtype === '' ? '' : '/'}${subtype}`;
    score.compare(index, ours, { value: type.toLowerCase(), attributes: named });
  }
});

interface PythonCase {
  readonly class: string;
  readonly case: string;
  readonly values: readonly unknown[];
}

/** The cases of one class; some hold a Python expression, marked with an @. */
function python(name: string): readonly (PythonCase & { readonly given: string })[] {
  const rows = truthOf<PythonCase>('tables/headers/cpython-headerregistry.jsonl');
  return rows.filter((row) => row.class === name).map((row) => ({ ...row, given: String(row.values[0]) }));
}

scored('cpython-unstructured', (score) => {
  for (const row of python('TestUnstructuredHeader')) {
    score.compare(row.case, field('Subject', row.given).text, row.values[1]);
  }
});

scored('cpython-address', (score) => {
  for (const row of python('TestAddressHeader')) {
    const [, , , , , localPart, domain] = row.values;
    score.compare(row.case, parseAddressList(field('To', row.given).value), [{ localPart, domain }]);
  }
});

scored('cpython-content-type', async (score) => {
  for (const row of python('TestContentTypeHeader')) {
    if (score.isOutside(row.case)) continue;
    const [, type, , , parameters] = row.values;
    const { parts } = await structureOf(messageWith('Content-Type', ` ${row.given}`));
    const found = parseContentField(field('Content-Type', row.given).value);
    const expected = typeof parameters === 'object' && parameters !== null ? parameters : {};
    const ours = Object.keys(expected).map((name) => [name, found.all(name)[0]]);
    score.compare(row.case, [parts[0]?.type, Object.fromEntries(ours)], [type, expected]);
  }
});

scored('cpython-content-disposition', (score) => {
  for (const row of python('TestContentDisposition')) {
    const [, disposition, parameters] = row.values;
    const found = parseContentField(field('Content-Disposition', row.given).value);
    const expected = typeof parameters === 'object' && parameters !== null ? parameters : {};
    const ours = Object.keys(expected).map((name) => [name, found.all(name)[0]]);
    score.compare(row.case, [found.value || null, Object.fromEntries(ours)], [disposition, expected]);
  }
});

/** CPython names encodings that are none (7bit, 8bit, binary) by their names. */
scored('cpython-content-transfer-encoding', (score) => {
  for (const row of python('TestContentTransferEncoding')) {
    const expected = row.values[1] === '7bit' ? 'identity' : row.values[1];
    score.compare(row.case, transferEncoding(field('Content-Transfer-Encoding', row.given).value), expected);
  }
});

scored('cpython-mime-version', (score) => {
  for (const row of python('TestMIMEVersionHeader')) {
    if (!score.isOutside(row.case)) score.compare(row.case, null, row.values);
  }
});

scored('libmime-rfc2047', (score) => {
  const rows = truthOf<{ readonly input: string; readonly decoded: string }>('tables/headers/rfc2047-libmime.jsonl');
  for (const [index, { input, decoded }] of rows.entries()) score.compare(index, field('Subject', input).text, decoded);
});
