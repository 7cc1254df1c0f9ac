/**
 * text - what a reader sees of a header field, and the form in which rules compare any text.
 *
 * Encoded words (RFC 2047) are found liberally, in quotes and touching each other too, because mail programs show them
 * so; libmime knows the charsets. Octets are joined before they are decoded, since senders cut characters in two.
 * Nothing here throws, and every cost is linear.
 */
import { decodeCharset } from './charset.ts';

/** Encoded words are looked for in so many characters of a value; what lies behind stays as it stands. */
export const LONGEST_DECODED = 65_536;

/** charset, perhaps a language (RFC 2231 section 5), encoding, encoded text. */
const ENCODED_WORD = /=\?([^?*\s]+)(?:\*[^?\s]*)?\?([bq])\?([^?]*)\?=/gi;
const WHITE_SPACE = /^[ \t\r\n]*$/;

/**
 * The value of a header field with its encoded words decoded; white space between two of them goes (RFC 2047 section
 * 6.2). A charset that nobody knows is taken for UTF-8.
 */
export function decodeText(value: string): string {
  if (!value.includes('=?')) return value;
  const limit = value.length <= LONGEST_DECODED ? value.length : value.lastIndexOf(' ', LONGEST_DECODED) + 1;
  let text = '';
  let charset = '';
  let octets: Buffer[] = [];
  let end = 0;

  const decodeRun = (): void => {
    if (octets.length > 0) text += decodeCharset(Buffer.concat(octets), charset);
    octets = [];
  };

  for (const word of value.slice(0, limit).matchAll(ENCODED_WORD)) {
    const [all, wordCharset = '', encoding = '', encoded = ''] = word;
    const between = value.slice(end, word.index);
    const adjacent = end > 0 && WHITE_SPACE.test(between);
    if (!adjacent || wordCharset.toLowerCase() !== charset) decodeRun();
    if (!adjacent) text += between;
    charset = wordCharset.toLowerCase();
    octets.push(encoding.toLowerCase() === 'b' ? fromB(encoded) : fromQ(encoded, charset));
    end = word.index + all.length;
  }
  decodeRun();
  return text + value.slice(end);
}

/** Padding may stand in the middle, where a sender joined what it had encoded before. */
function fromB(encoded: string): Buffer {
  return Buffer.concat(encoded.split(/=+/).map((part) => Buffer.from(part, 'base64')));
}

/**
 * Unlike quoted-printable, `_` is a space; white space behind `=` comes from folding where nobody may. What stands there
 * unencoded, which nobody may either, is in the charset of the word, unless it is no single octet.
 */
function fromQ(encoded: string, charset: string): Buffer {
  const isUtf8 = /^utf-?8$/.test(charset) || /[^\0-\xff]/.test(encoded);
  const decoded = Buffer.from(encoded, isUtf8 ? 'utf8' : 'latin1')
    .toString('latin1')
    .replaceAll('_', ' ')
    .replace(/=[ \t\r\n]*([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(decoded, 'latin1');
}

/** In a Q-encoded word that may stand anywhere (RFC 2047 section 5); longer words than this are not allowed (section 2). */
const SAFE_IN_WORD = /^[A-Za-z0-9!*+/-]$/;
const LONGEST_WORD = 75 - '=?UTF-8?Q??='.length;

/** A text for a header field: as it stands where it is printable ASCII, else as encoded words (RFC 2047). */
export function encodeText(text: string): string {
  if (/^[ -~]*$/.test(text) && !text.includes('=?')) return text;
  const words: string[] = [];
  let word = '';
  for (const character of text) {
    const encoded = encodeCharacter(character);
    if (word.length + encoded.length > LONGEST_WORD) {
      words.push(word);
      word = '';
    }
    word += encoded;
  }
  return [...words, word].map((one) => `=?UTF-8?Q?${one}?=`).join(' ');
}

function encodeCharacter(character: string): string {
  if (character === ' ') return '_';
  if (SAFE_IN_WORD.test(character)) return character;
  return Buffer.from(character).toString('hex').toUpperCase().replace(/../g, '=$&');
}

const PLAIN = /^[\t-\r -~]*$/;
/** What nobody sees: zero-width and bidirectional controls, soft hyphens, fillers, variation selectors, controls. */
const INVISIBLE = /(?![\t-\r])[\p{Default_Ignorable_Code_Point}\p{Cc}\ufff9-\ufffb]/gu;

/**
 * The form in which texts are compared: compatibility forms unified (NFKC), invisible characters removed, case folded
 * (`ß`, `ẞ` and `ss` are one, so are `σ` and `ς`), each run of white space one blank, because a folded header field holds
 * what its author's software put there. Folding twice is folding once.
 */
export function foldForMatch(text: string): string {
  if (PLAIN.test(text)) return oneBlank(text.toLowerCase());
  const decomposed = text.replace(INVISIBLE, '').normalize('NFKD');
  // JavaScript has no case folding; lower, upper and lower case come to the same.
  const folded = decomposed.toLowerCase().toUpperCase().toLowerCase().replaceAll('ς', 'σ');
  return oneBlank(folded.normalize('NFKC'));
}

function oneBlank(text: string): string {
  return /[^\S ]| {2}/.test(text) ? text.replace(/\s+/g, ' ') : text;
}
