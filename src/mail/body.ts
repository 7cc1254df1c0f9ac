/**
 * body - what rules ask of the parts of a message: texts, links, sizes, names in archives.
 *
 * Each fact is computed when the first recipient's rules ask for it, once for all of them. Where the content lies on disk it
 * is read again, as far as the fact needs; no part is ever held in memory whole but an archive, and of those one at a time.
 */
import { isUtf8 } from 'node:buffer';
import type { Message } from '../core/message.ts';
import { decodeCharset } from './charset.ts';
import { looksLikeZip, namesInArchive, openArchiveBudget } from './archive.ts';
import { andThen, type Eventual, oncePer } from '../core/eventual.ts';
import { type Range, readRanges } from './slices.ts';
import { LONGEST_SECTION, MOST_FIELDS } from './header.ts';
import { readHtml } from './html.ts';
import { hostsOf } from './links.ts';
import { type BodyPart, parseMime, type Structure } from './mime.ts';
import { createDecoder } from './transfer-encoding.ts';

/** Characters of text that rules see of a message, for plain texts and for HTML each. */
export const TEXT_WINDOW = 64 * 1024;
/** Octets of HTML that are looked at, for its markup is no text. */
const HTML_SOURCE = 256 * 1024;
/** Octets of the largest archive that is looked into. */
export const LARGEST_ARCHIVE = 16 * 1024 * 1024;
/** Archives of a message that are looked into. */
const MOST_ARCHIVES = 50;
/** Encoded octets that show whether a part is an archive. */
const ARCHIVE_HEAD = 1024;

export const structureOf: (message: Message) => Eventual<Structure> = oncePer(({ header, content }: Message) =>
  parseMime(header, content),
);

/**
 * Header section, fields, depth or parts beyond what is looked at (protocol limits of this product). Of a header section that
 * did not fit in memory no more than the limit is there.
 */
export function isMalformed({ header }: Message, { malformed }: Structure): boolean {
  return malformed || header.size >= LONGEST_SECTION || header.fields.length >= MOST_FIELDS;
}

/** A part that is shown as text: `text/*` and not an attachment, or a multipart that cannot be taken apart. */
export function isText({ type, disposition, composite }: BodyPart): boolean {
  const text = type.startsWith('text/') && type !== 'text/calendar';
  return !composite && disposition !== 'attachment' && (text || type.startsWith('multipart/'));
}

export function isHtml({ type }: BodyPart): boolean {
  return type === 'text/html' || type === 'text/x-amp-html';
}

/** A part that is a file to its reader: it is said to be one, has a name, or is no text. */
export function isAttachment(part: BodyPart): boolean {
  const { type, composite, names } = part;
  if (composite) return !type.startsWith('multipart/') && part.parent !== -1;
  return !isText(part) || names.length > 0;
}

export interface TextPart {
  readonly kind: 'plain' | 'html';
  /** In lower case: `text/plain`. */
  readonly type: string;
  /** Decoded, and of HTML what a reader sees. Lines end in LF, so that `(?m)` finds both ends of one. */
  readonly text: string;
  /** Those that `text` is decoded from, each its character if it is one of ASCII; null where it is made in another way. */
  readonly octets: Buffer | null;
  /** Hosts of its links. */
  readonly hosts: readonly string[];
  /** Whether there is more of it than was looked at. */
  readonly cut: boolean;
}

/** The text parts in order, as far as the windows reach. */
export const textsOf: (message: Message) => Eventual<readonly TextPart[]> = oncePer((message: Message) =>
  andThen(structureOf(message), ({ parts }) => {
    const room = { plain: TEXT_WINDOW, html: HTML_SOURCE };
    const texts = parts.filter((part) => isText(part) && part.end > part.start);
    const sources = texts.map((part) => new TextSource(part, room));
    return andThen(readRanges(message.content, sources), () => readTexts(sources));
  }),
);

function readTexts(sources: readonly TextSource[]): readonly TextPart[] {
  let room = TEXT_WINDOW;
  return sources.map((source) => {
    if (source.kind === 'plain') return new PlainText(source.part, source.read(), source.cut);
    const { text, links } = readHtml(linesOf(source.read(), source.part.charset));
    const seen = text.slice(0, room);
    room -= seen.length;
    return new HtmlText(source.part, seen, links, source.cut || seen.length < text.length);
  });
}

// Classes, because most of what they tell is computed only where it is asked for.
class PlainText implements TextPart {
  readonly kind = 'plain';
  readonly type: string;
  readonly cut: boolean;
  readonly #octets: Buffer;
  readonly #charset: string | null;
  #text: string | undefined;
  #hosts: readonly string[] | undefined;

  constructor({ type, charset }: BodyPart, octets: Buffer, cut: boolean) {
    this.type = type;
    this.cut = cut;
    this.#octets = octets;
    this.#charset = charset;
  }

  get octets(): Buffer | null {
    return this.#charset === null || HOLDS_ASCII.test(this.#charset) ? this.#octets : null;
  }

  /** No charset makes more characters than there are octets, so it is within the window. */
  get text(): string {
    this.#text ??= linesOf(this.#octets, this.#charset);
    return this.#text;
  }

  get hosts(): readonly string[] {
    this.#hosts ??= hostsOf(this.text, []);
    return this.#hosts;
  }
}

class HtmlText implements TextPart {
  readonly kind = 'html';
  readonly type: string;
  readonly text: string;
  readonly octets = null;
  readonly cut: boolean;
  readonly #links: readonly string[];
  #hosts: readonly string[] | undefined;

  constructor({ type }: BodyPart, text: string, links: readonly string[], cut: boolean) {
    this.type = type;
    this.text = text;
    this.cut = cut;
    this.#links = links;
  }

  get hosts(): readonly string[] {
    this.#hosts ??= hostsOf(this.text, this.#links);
    return this.#hosts;
  }
}

interface Room {
  plain: number;
  html: number;
}

/** Gathers the first decoded octets of a part, as far as there is room. */
class TextSource implements Range {
  readonly part: BodyPart;
  readonly kind: 'plain' | 'html';
  readonly start: number;
  readonly end: number;
  cut = false;
  readonly #room: Room;
  readonly #decode;
  readonly #pieces: Buffer[] = [];

  constructor(part: BodyPart, room: Room) {
    this.part = part;
    this.kind = isHtml(part) ? 'html' : 'plain';
    this.start = part.start;
    this.end = part.end;
    this.#room = room;
    this.#decode = createDecoder(part.encoding);
  }

  push(encoded: Buffer): boolean {
    const octets = this.#decode(encoded);
    const left = this.#room[this.kind];
    this.cut = octets.length > left;
    const seen = this.cut ? octets.subarray(0, left) : octets;
    this.#room[this.kind] = left - seen.length;
    this.#pieces.push(seen);
    return !this.cut;
  }

  read(): Buffer {
    const [first, ...more] = this.#pieces;
    return first !== undefined && more.length === 0 ? first : Buffer.concat(this.#pieces);
  }
}

/** Charsets in which the octets of ASCII are the characters of ASCII; there are more of them. */
const HOLDS_ASCII = /^(?:us-ascii|ascii|utf-?8|unknown-8bit|8bit|iso-8859-\d+|windows-125\d)$/;

function linesOf(octets: Buffer, charset: string | null): string {
  return decode(octets, charset).replaceAll('\r\n', '\n');
}

/** Where no charset is named, or one that says too little, UTF-8 if it is UTF-8, else Latin-1. */
function decode(octets: Buffer, charset: string | null): string {
  if (charset !== null && !/^(?:us-ascii|ascii|utf-?8|unknown-8bit|8bit)$/.test(charset))
    return decodeCharset(octets, charset);
  // A window may cut a character in two.
  return isUtf8(octets) || charset?.startsWith('utf') === true ? octets.toString('utf8') : octets.toString('latin1');
}

/** Decoded octets of each part that is no composite; composites have those of the content. */
export const sizesOf: (message: Message) => Eventual<ReadonlyMap<BodyPart, number>> = oncePer((message: Message) =>
  andThen(structureOf(message), ({ parts }) => {
    const sizes = new Map(parts.map((part) => [part, part.end - part.start]));
    const encoded = parts.filter(({ composite, encoding }) => !composite && encoding !== 'identity');
    const ranges = encoded.map((part): Range => {
      const decodePiece = createDecoder(part.encoding);
      sizes.set(part, 0);
      const push = (octets: Buffer): boolean => {
        sizes.set(part, (sizes.get(part) ?? 0) + decodePiece(octets).length);
        return true;
      };
      return { start: part.start, end: part.end, push };
    });
    return andThen(readRanges(message.content, ranges), () => sizes);
  }),
);

/** Archives are read one after the other, whoever's they are: each of them lies in memory whole. */
let lastArchive: Promise<unknown> = Promise.resolve();

export interface Archives {
  /** By part, in the order of the directory of each. */
  readonly names: ReadonlyMap<BodyPart, readonly string[]>;
  /** Whether there are names that were not seen. */
  readonly unread: boolean;
}

/** What is in the archives among the parts. Rejects only where the content cannot be read. */
export const archivesOf: (message: Message) => Eventual<Archives> = oncePer(async (message: Message) => {
  const names = new Map<BodyPart, readonly string[]>();
  const budget = openArchiveBudget();
  const archives = await findArchives(message);
  for (const part of archives.slice(0, MOST_ARCHIVES)) {
    const turn = lastArchive.then(async () => namesInArchive(await decodePart(message, part), budget));
    lastArchive = turn.catch(() => {});
    names.set(part, await turn);
  }
  return { names, unread: budget.unread || archives.length > MOST_ARCHIVES };
});

/** Parts that begin as zip archives do, whatever they are called. */
async function findArchives(message: Message): Promise<readonly BodyPart[]> {
  const { parts } = await structureOf(message);
  const archives: BodyPart[] = [];
  const ranges = parts
    .filter(({ composite, type }) => !composite && !type.startsWith('text/'))
    .map((part): Range => {
      const decodePiece = createDecoder(part.encoding);
      let head: Buffer = Buffer.alloc(0);
      const push = (octets: Buffer): boolean => {
        head = Buffer.concat([head, decodePiece(octets.subarray(0, ARCHIVE_HEAD))]);
        if (head.length < 4) return true;
        if (looksLikeZip(head)) archives.push(part);
        return false;
      };
      return { start: part.start, end: part.end, push };
    });
  await readRanges(message.content, ranges);
  return archives;
}

/** The decoded octets of an archive; nothing, which is no archive, where it is too large. */
async function decodePart(message: Message, { encoding, start, end }: BodyPart): Promise<Buffer> {
  const decodePiece = createDecoder(encoding);
  const pieces: Buffer[] = [];
  let size = 0;
  const push = (encoded: Buffer): boolean => {
    const octets = decodePiece(encoded);
    size += octets.length;
    pieces.push(octets);
    return size <= LARGEST_ARCHIVE;
  };
  await readRanges(message.content, [{ start, end, push }]);
  return size > LARGEST_ARCHIVE ? Buffer.alloc(0) : Buffer.concat(pieces, size);
}
