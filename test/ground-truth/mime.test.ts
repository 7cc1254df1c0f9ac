/**
 * Parts of real messages, as other parsers see them: file names and sizes on which mailparser, postal-mime and CPython's
 * email agree, the offsets and texts of stalwart's mail-parser, the texts of zbateson's mail-mime-parser.
 */
import { basename } from 'node:path';
import { isAttachment, isHtml, isText, sizesOf, structureOf, textsOf } from '../../src/mail/body.ts';
import type { BodyPart } from '../../src/mail/mime.ts';
import { messageOf, octetsOnTheWire, truthOf } from '../support/wire-corpus.ts';
import { scored } from './score.ts';

interface Agreed {
  readonly file: string;
  readonly attachment_names?: readonly string[];
  readonly attachment_sizes?: readonly (readonly [string, number, string])[];
}

/** The files in a message, by the name that is meant first. */
async function filesIn(file: string): Promise<readonly { readonly name: string; readonly size: number | undefined }[]> {
  const message = messageOf(octetsOnTheWire(file));
  const { parts } = await structureOf(message);
  const sizes = await sizesOf(message);
  const files = parts.filter((part) => isAttachment(part) && part.names.length > 0);
  return files.map((part) => ({ name: part.names[0] ?? '', size: sizes.get(part) }));
}

scored('peers-attachment-names', async (score) => {
  for (const { file, attachment_names: theirs } of truthOf<Agreed>('truth/peers/agreed.jsonl')) {
    if (theirs === undefined) continue;
    const ours = (await filesIn(file)).map(({ name }) => name);
    score.compare(file.slice('messages/'.length), ours.toSorted(), theirs.toSorted());
  }
});

scored('peers-attachment-sizes', async (score) => {
  for (const { file, attachment_sizes: agreed = [] } of truthOf<Agreed>('truth/peers/agreed.jsonl')) {
    const files = agreed.length === 0 ? [] : await filesIn(file);
    for (const [index, [name, size]] of agreed.entries()) {
      const found = files.filter((one) => one.name === name).find((one) => one.size === size);
      score.compare(`${file.slice('messages/'.length)} ${index}`, found, { name, size });
    }
  }
});

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

function places(leaves: readonly { readonly start: number; readonly end: number }[]): string {
  return leaves.map(({ start, end }) => `${start}-${end}`).join(' ');
}

interface Pair {
  readonly name: string;
  readonly message: ReturnType<typeof messageOf>;
  readonly ours: readonly BodyPart[];
  readonly theirs: readonly Leaf[];
}

/** The leaves of all trees, ours beside theirs. */
async function trees(): Promise<readonly Pair[]> {
  const rows = ['rfc', 'legacy', 'thirdparty', 'malformed'].flatMap((kind) =>
    truthOf<{ readonly file: string; readonly expected: Tree }>(`truth/stalwart/${kind}-crlf.jsonl`),
  );
  return Promise.all(
    rows.map(async ({ file, expected }) => {
      const message = messageOf(octetsOnTheWire(file));
      const { parts } = await structureOf(message);
      const ours = parts.filter(({ composite }) => !composite);
      return { name: basename(file, '.eml'), message, ours, theirs: leavesOf(expected) };
    }),
  );
}

scored('stalwart-parts', async (score) => {
  for (const { name, ours, theirs } of await trees()) score.compare(name, places(ours), places(theirs));
});

/** Of trees that are the same. */
async function samePairs(): Promise<readonly Pair[]> {
  return (await trees()).filter(({ ours, theirs }) => places(ours) === places(theirs));
}

scored('stalwart-sizes', async (score) => {
  for (const { name, message, ours, theirs } of await samePairs()) {
    const sizes = await sizesOf(message);
    for (const [index, part] of ours.entries()) {
      const length = lengthOf(theirs[index]?.body ?? {});
      if (length !== null) score.compare(`${name} ${index + 1}`, sizes.get(part), length);
    }
  }
});

function alike(text: string): string {
  return text.replaceAll('\r\n', '\n').trim();
}

scored('stalwart-texts', async (score) => {
  for (const { name, message, ours, theirs } of await samePairs()) {
    const texts = (await textsOf(message)).map(({ text }) => alike(text));
    for (const [index, part] of ours.entries()) {
      const text = theirs[index]?.body['Text'];
      if (!isText(part) || isHtml(part) || typeof text !== 'string' || text.trim() === '') continue;
      score.compare(`${name} ${index + 1}`, texts.includes(alike(text)), true);
    }
  }
});

interface Zbateson {
  readonly file: string;
  readonly exact_bytes_modulo_eol: boolean;
  readonly expected: { readonly text?: string; readonly html?: string; readonly attachments?: number };
}

function zbateson(): readonly Zbateson[] {
  return truthOf<Zbateson>('truth/hunny-zbateson.jsonl').filter((row) => row.exact_bytes_modulo_eol);
}

/** Letters alone: line ends and typography are those of the author. */
function words(text: string): string {
  return text.replace(/[^\p{L}]+/gu, ' ').trim();
}

scored('zbateson-texts', async (score) => {
  interface Known {
    readonly name: string;
    readonly iso8859_1_as_utf8: string;
  }
  const known = new Map(
    truthOf<Known>('truth/hunny-zbateson-texts.jsonl').map(({ name, iso8859_1_as_utf8: text }) => [name, words(text)]),
  );
  for (const { file, expected } of zbateson()) {
    const texts = await textsOf(messageOf(octetsOnTheWire(file)));
    for (const kind of ['text', 'html'] as const) {
      const text = known.get(expected[kind] ?? '');
      if (text === undefined) continue;
      const same = texts.some(
        (part) => (part.kind === 'html') === (kind === 'html') && words(part.text).includes(text),
      );
      score.compare(`${basename(file, '.eml')} ${kind}`, same, true);
    }
  }
});

scored('zbateson-attachments', async (score) => {
  for (const { file, expected } of zbateson()) {
    if (expected.attachments === undefined) continue;
    const { parts } = await structureOf(messageOf(octetsOnTheWire(file)));
    score.compare(basename(file, '.eml'), parts.filter(isAttachment).length, expected.attachments);
  }
});
