/**
 * content-field - the value and the parameters of Content-Type: and Content-Disposition: (RFC 2045 section 5.1, RFC 2183).
 *
 * Read liberally, as mail programs do: blanks in unquoted values, quotes that do not end, encoded words in quoted names
 * (RFC 2047 forbids them, everybody sends them), parameters cut in pieces and charsets (RFC 2231). Where a field says a
 * parameter more than once, or what ends it may be a comment, all its values are kept: two programs may pick two of them.
 * Nothing throws; costs are linear.
 */
import { decodeCharset } from './charset.ts';
import { withoutComments } from './comment.ts';
import { decodeText } from './text.ts';

/** Parameters behind this count are not looked at. */
const MOST_PARAMETERS = 200;

export interface ContentField {
  /** What stands in front of the parameters, in lower case: `text/plain`, `attachment`; empty where there is nothing. */
  readonly value: string;
  /** All values of a parameter, decoded, those of RFC 2231 first. `name` in lower case. */
  all(name: string): readonly string[];
}

/** A piece of a parameter, as RFC 2231 cuts it. */
interface Piece {
  readonly index: number;
  /** Percent-encoded, and the first one with charset and language. */
  readonly extended: boolean;
  readonly text: string;
}

/** `source` is the unfolded value of the field. */
export function parseContentField(source: string): ContentField {
  const first = endOfValue(source);
  const plain = new Map<string, string[]>();
  const pieces = new Map<string, Piece[]>();
  let at = first + 1;
  let end = -1;
  for (let count = 0; at < source.length && count < MOST_PARAMETERS; count += 1) {
    const forgotten = at <= end;
    if (!forgotten) end = endOfItem(source, at);
    const item = source.slice(at, end);
    const [before] = BEFORE_FORGOTTEN_SEMICOLON.exec(item) ?? [];
    addParameter(before ?? item, plain, pieces);
    // Others do not see that a semicolon was forgotten, and take the rest for a part of the value.
    if (before !== undefined && !forgotten) addParameter(item, plain, null);
    at += before?.length ?? item.length + 1;
  }
  return {
    value: bareValue(source.slice(0, first)),
    all: (name) => [...joined(pieces.get(name)), ...(plain.get(name) ?? [])],
  };
}

/** A parameter with white space behind it, and then another. */
const BEFORE_FORGOTTEN_SEMICOLON = /^[^=]*=\s*(?:"(?:[^"\\]|\\.)*"|[^\s"]+)\s+(?=[\w-]+(?:\*\d{0,4}\*?)?\s*=)/s;

/** Without `pieces` a piece is taken for the value itself. */
function addParameter(item: string, plain: Map<string, string[]>, pieces: Map<string, Piece[]> | null): void {
  const equals = item.indexOf('=');
  if (equals === -1) return;
  const name = nameOf(item.slice(0, equals));
  const [text, ...others] = textsOf(item.slice(equals + 1).trim());
  const [, base, index = '0', extended] = /^([^*]*)\*(?:(\d{1,4})(\*)?)?$/.exec(name) ?? [];
  if (base !== undefined && pieces !== null) {
    append(pieces, base, { index: Number(index), extended: extended !== undefined || name === `${base}*`, text });
  } else {
    for (const one of [text, ...others]) append(plain, base ?? name, decodeText(one));
  }
}

function append<T>(map: Map<string, T[]>, name: string, value: T): void {
  const known = map.get(name);
  if (known === undefined) map.set(name, [value]);
  else known.push(value);
}

/** The end of what stands in front of the parameters; some forget the first semicolon. */
function endOfValue(source: string): number {
  const end = endOfItem(source, 0);
  const [forgotten] = /^[^\s"=;]+\s+(?=[\w*-]+=)/.exec(source.slice(0, end)) ?? [];
  return forgotten === undefined ? end : forgotten.length - 1;
}

/** The semicolon that ends the item which begins at `from`, or the end. */
function endOfItem(source: string, from: number): number {
  let quoted = false;
  for (let at = from; at < source.length; at += 1) {
    const mark = source.charCodeAt(at);
    if (mark === 0x22) quoted = !quoted;
    else if (mark === 0x5c && quoted) at += 1;
    else if (mark === 0x3b && !quoted) return at;
  }
  return source.length;
}

function unquote(text: string): string {
  if (!text.startsWith('"')) return text;
  let plain = '';
  for (let at = 1; at < text.length && text[at] !== '"'; at += 1) {
    if (text[at] === '\\') at += 1;
    plain += text[at] ?? '';
  }
  return plain;
}

/** White space and comments may stand around the slash (RFC 822 section 3.1.4, which RFC 2045 is written for). */
function bareValue(text: string): string {
  const bare = withoutComments(text).trim().toLowerCase();
  return bare.includes('/') ? bare.replace(/\s*\/\s*/, '/') : bare;
}

/** A comment that holds a semicolon was cut: what stands behind its end is the name. */
function nameOf(text: string): string {
  const bare = withoutComments(text);
  return bare
    .slice(bare.lastIndexOf(')') + 1)
    .trim()
    .toLowerCase();
}

/** The value; where it may end in a comment, that without it first, and then as it stands. */
function textsOf(text: string): readonly [string, ...string[]] {
  if (text.startsWith('"') || !text.endsWith(')')) return [unquote(text)];
  const bare = withoutComments(text).trim();
  const trails = bare !== '' && /^\s+\(/.test(text.slice(bare.length)) && text.startsWith(bare);
  return trails ? [bare, text] : [text];
}

/** The pieces in the order of their numbers, as one value; nothing where there are none. */
function joined(pieces: readonly Piece[] | undefined): readonly string[] {
  if (pieces === undefined) return [];
  const [first, ...rest] = pieces.toSorted((a, b) => a.index - b.index);
  if (first === undefined) return [];
  const [, charset = '', text = first.text] = (first.extended && /^([^']*)'[^']*'(.*)$/s.exec(first.text)) || [];
  const octets = [{ ...first, text }, ...rest].map((piece) =>
    piece.extended ? fromPercents(piece.text) : Buffer.from(piece.text),
  );
  return [decodeCharset(Buffer.concat(octets), charset === '' ? 'utf-8' : charset)];
}

function fromPercents(text: string): Buffer {
  const octets = Buffer.from(text).toString('latin1');
  const decoded = octets.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(decoded, 'latin1');
}
