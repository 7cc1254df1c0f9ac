/**
 * content-field - the value and the parameters of Content-Type: and Content-Disposition: (RFC 2045 section 5.1, RFC 2183).
 *
 * Read liberally, as mail programs do: blanks in unquoted values, quotes that do not end, encoded words in quoted names
 * (RFC 2047 forbids them, everybody sends them), parameters cut in pieces and charsets (RFC 2231). Where a field says a
 * parameter more than once, all its values are kept: two programs may pick two of them. Nothing throws; costs are linear.
 */
import { decode } from 'libmime/lib/charset.js';
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
  for (let count = 0; at < source.length && count < MOST_PARAMETERS; count += 1) {
    const end = endOfItem(source, at);
    const item = source.slice(at, end);
    at = end + 1;
    const equals = item.indexOf('=');
    if (equals === -1) continue;
    const name = item.slice(0, equals).trim().toLowerCase();
    const text = unquote(item.slice(equals + 1).trim());
    const [, base, index = '0', extended] = /^([^*]*)\*(?:(\d{1,4})(\*)?)?$/.exec(name) ?? [];
    if (base === undefined) append(plain, name, decodeText(text));
    else append(pieces, base, { index: Number(index), extended: extended !== undefined || name === `${base}*`, text });
  }
  return {
    value: withoutComment(source.slice(0, first)).trim().toLowerCase(),
    all: (name) => [...joined(pieces.get(name)), ...(plain.get(name) ?? [])],
  };
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

function withoutComment(text: string): string {
  const comment = text.indexOf('(');
  return comment === -1 ? text : text.slice(0, comment);
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
  return [decode(Buffer.concat(octets), charset === '' ? 'utf-8' : charset)];
}

function fromPercents(text: string): Buffer {
  const octets = Buffer.from(text).toString('latin1');
  const decoded = octets.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(decoded, 'latin1');
}
