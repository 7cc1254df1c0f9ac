/**
 * mime - the parts of a message by their offsets (RFC 2045, 2046, 2047, 2183, 2231).
 *
 * The content passes by once, slice by slice; nothing of it is kept but what the parts say of themselves. Bounded in depth,
 * in parts, and in the octets of each header section; what was beyond a bound is a fact (`malformed`). Nothing throws and
 * every cost is linear. A delimiter is looked for on each open level, first as the whole line, then, as RFC 2046 section
 * 5.1.1 wants, as the start of one: what another program may take for a part, a rule must see.
 */
import type { Content, Header } from '../core/message.ts';
import { type ContentField, parseContentField } from './content-field.ts';
import { andThen, type Eventual } from '../core/eventual.ts';
import { eachSlice } from './slices.ts';
import { colonOf, isEmptyLine, isPassedOver, lineEnd, parseHeader } from './header.ts';
import { type TransferEncoding, transferEncoding } from './transfer-encoding.ts';

/** Multiparts and messages within each other; what is deeper stays one part. */
export const DEEPEST = 64;
/** Parts behind this count are not looked at. */
export const MOST_PARTS = 10_000;
/** Octets of the header section of one part; the rest of a longer one is not looked at. */
const LONGEST_PART_HEADER = 64 * 1024;
/** Octets of a line that can be a delimiter; a boundary has up to 70 (RFC 2046 section 5.1.1), a line up to 998. */
const LONGEST_DELIMITER = 1200;
const LONGEST_BOUNDARY = 998;

export interface BodyPart {
  /** In lower case: `text/plain`. */
  readonly type: string;
  readonly charset: string | null;
  /** In lower case: `attachment`, `inline`; null where nothing is said. */
  readonly disposition: string | null;
  /** File names, decoded, the one that is meant first: programs differ in which of several they take. */
  readonly names: readonly string[];
  readonly encoding: TransferEncoding;
  /** Offsets of the body in the content; the CRLF in front of a delimiter belongs to the delimiter. */
  readonly start: number;
  readonly end: number;
  /** Whether it holds other parts: a multipart, or a message that was looked into. */
  readonly composite: boolean;
  /** Position of the part that holds it; -1 for the message itself. */
  readonly parent: number;
}

export interface Structure {
  /** In the order of the content; the first is the message itself. */
  readonly parts: readonly BodyPart[];
  /** Whether a bound was met. */
  readonly malformed: boolean;
}

/** Resolves later only where the content lies on disk; rejects only where it cannot be read. */
export function parseMime(header: Header, content: Content): Eventual<Structure> {
  const walker = new Walker(header);
  const walked = eachSlice(content, (slice) => walker.push(slice));
  return andThen(walked, () => walker.end(content.size));
}

const NOTHING: Buffer = Buffer.alloc(0);

type OpenPart = { -readonly [K in keyof BodyPart]: BodyPart[K] };

/** A multipart or a message whose end was not seen yet; a message has no boundary. */
interface Level {
  readonly position: number;
  readonly boundary: Buffer | null;
  readonly digest: boolean;
}

interface Delimiter {
  readonly level: number;
  readonly closing: boolean;
}

class Walker {
  readonly #parts: OpenPart[] = [];
  readonly #levels: Level[] = [];
  /** The part in whose body we are; null in what stands before, between and behind parts. */
  #leaf: OpenPart | null = null;
  /** The header section that is being read; null in a body. */
  #header: Buffer[] | null = null;
  #headerSize = 0;
  #malformed = false;
  /** The incomplete line at the end of what was pushed, and the offset at which it begins. */
  #rest = NOTHING;
  #offset = 0;
  /** Whether `#rest` continues a line that was judged by its beginning. */
  #midLine = false;
  #skip: number;

  constructor(header: Header) {
    this.#skip = header.size;
    this.#openPart(header, header.size, 'text/plain', -1);
  }

  /** False where nothing further is to be found. */
  push(slice: Buffer): boolean {
    if (this.#levels.length === 0 && this.#header === null) return false;
    if (this.#skip >= slice.length) {
      this.#skip -= slice.length;
      this.#offset += slice.length;
      return true;
    }
    const fresh = slice.subarray(this.#skip);
    this.#offset += this.#skip;
    this.#skip = 0;
    this.#read(this.#rest.length === 0 ? fresh : Buffer.concat([this.#rest, fresh]));
    return true;
  }

  /** `size`: of the whole content. */
  end(size: number): Structure {
    if (this.#rest.length > 0 && !this.#midLine) this.#line(this.#rest, this.#offset, size);
    if (this.#header !== null) this.#openBody(size);
    this.#close(0, size);
    return { parts: this.#parts, malformed: this.#malformed };
  }

  #read(octets: Buffer): void {
    const base = this.#offset;
    let at = 0;
    if (this.#midLine) {
      at = lineEnd(octets, 0);
      if (at === -1) {
        // A CR may be the first half of the line's end.
        this.#keep(octets, Math.max(0, octets.length - 1), base);
        return;
      }
      this.#midLine = false;
    }
    for (;;) {
      if (this.#header === null) at = nextDashes(octets, at);
      const end = lineEnd(octets, at);
      if (end === -1) break;
      this.#line(octets.subarray(at, end), base + at, base + end);
      at = end;
    }
    const inBody = this.#header === null;
    if (octets.length - at > (inBody ? LONGEST_DELIMITER : LONGEST_PART_HEADER)) {
      this.#line(octets.subarray(at), base + at, base + octets.length);
      if (!inBody) this.#malformed = true;
      this.#midLine = true;
      at = octets.length - 1;
    }
    this.#keep(octets, at, base);
  }

  #keep(octets: Buffer, from: number, base: number): void {
    this.#rest = octets.subarray(from);
    this.#offset = base + from;
  }

  /** A line, or the beginning of one that is too long. */
  #line(line: Buffer, start: number, end: number): void {
    const dashes = line[0] === 0x2d && line[1] === 0x2d;
    // It may be the first delimiter of the multipart whose header section no empty line has ended.
    if (dashes && this.#header !== null && colonOf(line, 0) === -1) this.#openBody(start);
    const delimiter = dashes ? this.#delimiterOf(line) : null;
    if (delimiter !== null) this.#delimit(delimiter, start, end);
    else if (this.#header === null) return;
    else if (isEmptyLine(line, 0)) this.#openBody(end);
    else if (colonOf(line, 0) === -1 && !isPassedOver(line, 0)) this.#openBody(start);
    else this.#take(line);
  }

  /** A line of a header section. */
  #take(line: Buffer): void {
    const room = LONGEST_PART_HEADER - this.#headerSize;
    this.#headerSize += line.length;
    if (room > 0) this.#header?.push(line.subarray(0, room));
    if (line.length > room) this.#malformed = true;
  }

  #delimiterOf(line: Buffer): Delimiter | null {
    let prefix: Delimiter | null = null;
    for (let level = this.#levels.length - 1; level >= 0; level -= 1) {
      const boundary = this.#levels[level]?.boundary;
      if (!boundary || !line.subarray(2, 2 + boundary.length).equals(boundary)) continue;
      const behind = line.toString('latin1', 2 + boundary.length);
      const delimiter = { level, closing: behind.startsWith('--') };
      if (/^(?:--)?[ \t]*\r?\n?$/.test(behind)) return delimiter;
      prefix ??= delimiter;
    }
    return prefix;
  }

  #delimit({ level, closing }: Delimiter, start: number, end: number): void {
    if (this.#header !== null) this.#openBody(start);
    this.#close(closing ? level : level + 1, start - 2);
    if (!closing) this.#openHeader(end);
  }

  /** Ends the part we are in and all levels from `level` on, the inner ones first. */
  #close(level: number, end: number): void {
    let innerEnd = end;
    if (this.#leaf !== null) {
      this.#leaf.end = Math.max(this.#leaf.start, end);
      innerEnd = this.#leaf.end;
    }
    this.#leaf = null;
    for (const { position } of this.#levels.splice(level).reverse()) {
      const part = this.#parts[position];
      if (part === undefined) continue;
      part.end = Math.max(part.start, innerEnd);
      innerEnd = part.end;
      // A multipart without a delimiter is what its reader sees as text.
      part.composite = position < this.#parts.length - 1;
    }
  }

  #openHeader(start: number): void {
    if (this.#parts.length >= MOST_PARTS) {
      this.#malformed = true;
      this.#close(0, start);
      return;
    }
    this.#header = [];
    this.#headerSize = 0;
  }

  /** The header section is over: what it says of its part. */
  #openBody(start: number): void {
    const header = parseHeader(Buffer.concat(this.#header ?? []));
    this.#header = null;
    const level = this.#levels.at(-1);
    this.#openPart(header, start, level?.digest === true ? 'message/rfc822' : 'text/plain', level?.position ?? -1);
  }

  #openPart(header: Header, start: number, defaultType: string, parent: number): void {
    const { part, boundary } = describe(header, defaultType, start, parent);
    this.#leaf = part;
    const position = this.#parts.push(part) - 1;
    const holdsMessage = isMessage(part.type) && part.encoding === 'identity';
    if (boundary === null && !holdsMessage) return;
    if (this.#levels.length >= DEEPEST) {
      this.#malformed = true;
      return;
    }
    part.composite = true;
    this.#leaf = null;
    this.#levels.push({ position, boundary, digest: part.type === 'multipart/digest' });
    if (holdsMessage) this.#openHeader(start);
  }
}

/** The next line that begins with two dashes, or the last line, if it is not complete; `from` is the start of a line. */
function nextDashes(octets: Buffer, from: number): number {
  if (octets[from] === 0x2d && octets[from + 1] === 0x2d) return from;
  const found = octets.indexOf('\r\n--', from);
  if (found !== -1) return found + 2;
  const last = octets.lastIndexOf('\r\n');
  return last < from ? from : last + 2;
}

function isMessage(type: string): boolean {
  return type === 'message/rfc822' || type === 'message/global' || type === 'message/news';
}

/** type "/" subtype, both of them tokens (RFC 2045 section 5.1). */
const TYPE = /^[^\s()<>@,;:\\"/[\]?=]+\/[^\s()<>@,;:\\"/[\]?=]+$/;
/** A file name may have no more characters than this. */
const LONGEST_NAME = 1000;
const MOST_NAMES = 10;

/** What a header section says of the part whose body begins at `start`; the boundary if it is a multipart with one. */
function describe(header: Header, defaultType: string, start: number, parent: number) {
  const types = fieldsOf(header, 'Content-Type');
  const dispositions = fieldsOf(header, 'Content-Disposition');
  const [contentType] = types;
  const type = contentType !== undefined && TYPE.test(contentType.value) ? contentType.value : defaultType;
  const part: OpenPart = {
    type,
    charset: contentType?.all('charset')[0]?.toLowerCase() ?? null,
    disposition: dispositions[0]?.value || null,
    names: namesOf(dispositions, types),
    encoding: transferEncoding(header.named('Content-Transfer-Encoding')[0]?.value ?? ''),
    start,
    end: start,
    composite: false,
    parent,
  };
  const [boundary = ''] = type.startsWith('multipart/') ? (contentType?.all('boundary') ?? []) : [];
  const usable = boundary !== '' && Buffer.byteLength(boundary) <= LONGEST_BOUNDARY;
  return { part, boundary: usable ? Buffer.from(boundary.trimEnd()) : null };
}

function fieldsOf(header: Header, name: string): readonly ContentField[] {
  return header.named(name).map(({ value }) => parseContentField(value));
}

function namesOf(dispositions: readonly ContentField[], types: readonly ContentField[]): readonly string[] {
  if (dispositions.length === 0 && types.length === 0) return [];
  const all = [
    ...dispositions.flatMap((field) => field.all('filename')),
    ...types.flatMap((field) => field.all('name')),
  ];
  const names = new Set(all.map((name) => name.trim().slice(0, LONGEST_NAME)));
  names.delete('');
  return [...names].slice(0, MOST_NAMES);
}
