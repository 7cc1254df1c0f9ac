/**
 * Parts of real messages, as other parsers see them: file names and sizes on which mailparser, postal-mime and CPython's
 * email agree, and the offsets and texts of stalwart's mail-parser.
 */
import assert from 'node:assert/strict';
import { basename } from 'node:path';
import { test } from 'node:test';
import { isAttachment, isHtml, isText, sizesOf, structureOf, textsOf } from '../../src/mail/body.ts';
import { messageOf, missingCorpus, octetsOnTheWire, truthOf } from '../support/wire-corpus.ts';

interface Agreed {
  readonly file: string;
  readonly attachment_names?: readonly string[];
  readonly attachment_sizes?: readonly (readonly [string, number, string])[];
}

/** Where we see other names than three parsers, and why. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  'broken__empty-part': 'the attached message of no octets has a name all the same',
  malformed__017: 'the first semicolon is missing: a reader may find the boundary, and with it the part',
};

function shortName(file: string): string {
  return basename(file, '.eml');
}

test('names and sizes of attachments on which three parsers agree', async (t) => {
  if (missingCorpus !== null) {
    t.skip(missingCorpus);
    return;
  }
  const score = { names: 0, sizes: 0 };
  const differing: string[] = [];
  for (const { file, attachment_names: names, attachment_sizes: agreedSizes } of truthOf<Agreed>(
    'truth/peers/agreed.jsonl',
  )) {
    const message = messageOf(octetsOnTheWire(file));
    const { parts } = await structureOf(message);
    const sizes = await sizesOf(message);
    const attached = parts.filter((part) => isAttachment(part) && part.names.length > 0);
    const found = attached.map(({ names: [name] }) => name ?? '');
    if (names !== undefined) {
      if (JSON.stringify(found.toSorted()) === JSON.stringify(names.toSorted())) score.names += 1;
      else differing.push(shortName(file));
    }
    for (const [name, size] of agreedSizes ?? []) {
      if (attached.some((part) => part.names[0] === name && sizes.get(part) === size)) score.sizes += 1;
      else differing.push(`${shortName(file)} ${name}`);
    }
  }
  t.diagnostic(`${score.names} of 730 lists of names and ${score.sizes} of 116 sizes are the same`);
  assert.deepEqual(differing, Object.keys(OTHER_NAMES));
  assert.deepEqual(score, { names: 728, sizes: 116 });
});

/** Where we see other parts than stalwart's mail-parser, and why. */
const OTHER_PARTS: Readonly<Record<string, string>> = {
  rfc__008: 'a message in base64, which RFC 2046 section 5.2.1 forbids, stays one part',
  legacy__049: 'the file ends in half a line end, the wire form in a whole one',
  thirdparty__005: 'what stands behind other text is no delimiter (RFC 2046 section 5.1.1)',
  thirdparty__015: 'an attached message whose header section is cut: a multipart without delimiters is text',
  malformed__000: 'a colon in the boundary (RFC 2046 section 5.1.1, bcharsnospace): four parts, not none',
  malformed__001: 'a multipart without delimiters is text',
  malformed__007: 'the same',
  malformed__009: 'a delimiter of an outer multipart ends the inner ones (RFC 2046 section 5.1.2)',
  malformed__012: 'the same',
  malformed__016: 'the same',
  malformed__013: 'nothing stands behind the last delimiter: an empty part',
  malformed__014: 'the same',
  malformed__018: 'the CRLF at the end of the content belongs to the body',
  malformed__019: 'two boundaries that differ in case are two (RFC 2046 section 5.1.1)',
  malformed__020: 'of two Content-Type fields the first one counts',
  malformed__021: 'the same',
  malformed__022: 'what is attached as a message and has no header section is a message of its body alone',
};

/** Where we see another text in a plain text part, and why. */
const OTHER_TEXTS: Readonly<Record<string, string>> = {
  legacy__001: 'UTF-7 is not decoded: it smuggles markup past filters',
  legacy__005: 'the same',
  legacy__034: 'the same',
  legacy__052: 'undeclared octets that are not UTF-8 are Latin-1',
  thirdparty__002: 'octets behind a broken base64 text are decoded as far as they can be',
};

interface Body {
  readonly Multipart?: readonly number[];
  readonly Message?: Tree;
  readonly [kind: string]: unknown;
}

interface Tree {
  readonly parts: readonly { readonly body: Body; readonly offset_body: number; readonly offset_end: number }[];
}

interface Leaf {
  readonly body: Body;
  readonly start: number;
  readonly end: number;
}

function leavesOf({ parts }: Tree): readonly Leaf[] {
  return parts.flatMap(({ body, offset_body: start, offset_end: end }) => {
    if (body.Multipart !== undefined) return [];
    return body.Message === undefined ? [{ body, start, end }] : leavesOf(body.Message);
  });
}

/** Octets or characters that a body is said to have; null for a text that stands there itself. */
function lengthOf(body: Body): number | null {
  const binary = body['Binary'] ?? body['InlineBinary'];
  return typeof binary === 'object' && binary !== null && 'length' in binary ? Number(binary.length) : null;
}

function alike(text: string): string {
  return text.replaceAll('\r\n', '\n').trim();
}

test("parts as stalwart's mail-parser sees them", async (t) => {
  if (missingCorpus !== null) {
    t.skip(missingCorpus);
    return;
  }
  const score = { parts: 0, sizes: 0, texts: 0 };
  const otherParts: string[] = [];
  const otherTexts = new Set<string>();
  const rows = ['rfc', 'legacy', 'thirdparty', 'malformed'].flatMap((kind) =>
    truthOf<{ readonly file: string; readonly expected: Tree }>(`truth/stalwart/${kind}-crlf.jsonl`),
  );
  for (const { file, expected } of rows) {
    const name = basename(file, '.eml');
    const message = messageOf(octetsOnTheWire(file));
    const { parts } = await structureOf(message);
    const ours = parts.filter(({ composite }) => !composite);
    const theirs = leavesOf(expected);
    const places = (leaves: readonly { readonly start: number; readonly end: number }[]): string =>
      leaves.map(({ start, end }) => `${start}-${end}`).join(' ');
    if (places(ours) !== places(theirs)) {
      otherParts.push(name);
      continue;
    }
    score.parts += 1;
    const sizes = await sizesOf(message);
    const texts = (await textsOf(message)).map(({ text }) => alike(text));
    for (const [index, part] of ours.entries()) {
      const body = theirs[index]?.body ?? {};
      const length = lengthOf(body);
      if (length !== null) {
        assert.equal(sizes.get(part), length, file);
        score.sizes += 1;
      } else if (isText(part) && !isHtml(part) && typeof body['Text'] === 'string' && body['Text'].trim() !== '') {
        if (texts.includes(alike(body['Text']))) score.texts += 1;
        else otherTexts.add(name);
      }
    }
  }
  t.diagnostic(`${score.parts} of ${rows.length} trees, ${score.sizes} sizes and ${score.texts} texts are the same`);
  assert.deepEqual(otherParts.sort(), Object.keys(OTHER_PARTS).sort());
  assert.deepEqual([...otherTexts].sort(), Object.keys(OTHER_TEXTS).sort());
  assert.deepEqual(score, { parts: 89, sizes: 82, texts: 105 });
});

/** Where we see something else than zbateson's mail-mime-parser, and why. */
const OTHER_THAN_ZBATESON: Readonly<Record<string, string>> = {
  'legacy__001 text': 'UTF-7 is not decoded: it smuggles markup past filters',
  'legacy__005 text': 'the same',
  'legacy__049 0 attachments, not 3': 'uuencoded files in a text are text: they are not MIME',
  'legacy__030 3 attachments, not 2': 'an inline text that has a file name is a file too',
  'legacy__034 text': 'UTF-7 is not decoded',
};

interface Zbateson {
  readonly file: string;
  readonly exact_bytes_modulo_eol: boolean;
  readonly expected: { readonly text?: string; readonly html?: string; readonly attachments?: number };
}

test("texts and attachments as zbateson's mail-mime-parser sees them", async (t) => {
  if (missingCorpus !== null) {
    t.skip(missingCorpus);
    return;
  }
  const known = new Map(
    truthOf<{ readonly name: string; readonly iso8859_1_as_utf8: string }>('truth/hunny-zbateson-texts.jsonl').map(
      ({ name, iso8859_1_as_utf8: text }) => [name, words(text)],
    ),
  );
  const score = { texts: 0, attachments: 0 };
  const differing: string[] = [];
  for (const { file, exact_bytes_modulo_eol: exact, expected } of truthOf<Zbateson>('truth/hunny-zbateson.jsonl')) {
    if (!exact) continue;
    const message = messageOf(octetsOnTheWire(file));
    const { parts } = await structureOf(message);
    const texts = await textsOf(message);
    for (const kind of ['text', 'html'] as const) {
      const text = known.get(expected[kind] ?? '');
      if (text === undefined) continue;
      const same = texts.some(
        (part) => (part.kind === 'html') === (kind === 'html') && words(part.text).includes(text),
      );
      if (same) score.texts += 1;
      else differing.push(`${basename(file, '.eml')} ${kind}`);
    }
    if (expected.attachments === undefined) continue;
    const attached = parts.filter(isAttachment).length;
    if (attached === expected.attachments) score.attachments += 1;
    else differing.push(`${basename(file, '.eml')} ${attached} attachments, not ${expected.attachments}`);
  }
  t.diagnostic(`${score.texts} texts and ${score.attachments} counts of attachments are the same`);
  assert.deepEqual(differing, Object.keys(OTHER_THAN_ZBATESON));
  assert.deepEqual(score, { texts: 47, attachments: 24 });
});

/** Letters alone: line ends and typography are the sender's. */
function words(text: string): string {
  return text.replace(/[^\p{L}]+/gu, ' ').trim();
}
