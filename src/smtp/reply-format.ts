/**
 * reply-format - a Reply as it goes on the wire (RFC 5321 section 4.2, RFC 2034).
 *
 * One code and one enhanced status code of its class on every line, ASCII only, bounded: beyond 2,048 octets Postfix
 * loses the last line of a reply and its client hangs. What does not fit is cut from the end, because the first line is
 * the one that reaches the author of a refused message; the transaction's id is kept, because it finds the rest in the log.
 */
import { ID, type Reply } from '../core/reply.ts';

/** Octets, with CRLF (RFC 5321 section 4.5.3.1.5 allows 512). */
const LONGEST_LINE = 510;
const MOST_LINES = 10;
/** Octets of the whole reply. */
const LONGEST_REPLY = 1500;

const PRINTABLE_ASCII = /^[\x20-\x7e]*$/;

/** The one before, because those of many recipients are often the same. */
let last: { readonly reply: Reply; readonly formatted: string } | null = null;

/** The reply's octets, all ASCII, with the CRLF that ends it. */
export function formatReply(reply: Reply): string {
  if (last?.reply !== reply) last = { reply, formatted: format(reply) };
  return last.formatted;
}

function format(reply: Reply): string {
  const { code, text } = reply;
  const status = statusOf(reply);
  const prefix = status === null ? '' : `${status} `;
  const room = LONGEST_LINE - 4 - prefix.length - 2;
  if (text.length <= room && PRINTABLE_ASCII.test(text)) return `${code} ${prefix}${text}\r\n`;

  const lines = fold(toAscii(text), room);
  const shown = bounded(lines, 4 + prefix.length + 2, room);
  const last = shown.pop() ?? '';
  return `${shown.map((line) => `${code}-${prefix}${line}\r\n`).join('')}${code} ${prefix}${last}\r\n`;
}

/**
 * The lines that fit; each costs `overhead` octets beside its own, and none is longer than `room`. An id on a line that does
 * not fit goes behind the last one that does, in place of its last words if need be.
 */
function bounded(lines: readonly string[], overhead: number, room: number): string[] {
  let left = LONGEST_REPLY;
  const shown: string[] = [];
  for (const line of lines.slice(0, MOST_LINES)) {
    if (line.length + overhead > left) break;
    left -= line.length + overhead;
    shown.push(line);
  }
  const id = ID.exec(lines.slice(shown.length).join('\n'))?.[0];
  const last = shown.at(-1);
  if (id !== undefined && last !== undefined && !shown.some((line) => line.includes(id))) {
    const space = Math.min(room, last.length + left);
    shown[shown.length - 1] = `${last.slice(0, space - id.length - 1).trimEnd()} ${id}`;
  }
  return shown;
}

/** The status where its class is that of the code, else class.0.0; none for 3yz and where none was given. */
function statusOf({ code, status }: Reply): string | null {
  const codeClass = Math.trunc(code / 100);
  if (status === null || codeClass === 3) return null;
  return status.startsWith(`${codeClass}.`) ? status : `${codeClass}.0.0`;
}

/** The lines of the text, none longer than `room`, broken at blanks where there are any. */
function fold(text: string, room: number): string[] {
  const lines: string[] = [];
  for (const line of text.split('\n')) {
    let rest = line.trim();
    while (rest.length > room) {
      const last = rest.lastIndexOf(' ', room);
      const blank = rest.endsWith(' (id', last) ? last - 4 : last;
      const end = blank > 0 ? blank : room;
      lines.push(rest.slice(0, end).trimEnd());
      rest = rest.slice(end).trimStart();
    }
    if (rest !== '') lines.push(rest);
  }
  return lines;
}

/** Letters and signs that a decomposition does not bring to ASCII. */
const TRANSLITERATION: ReadonlyMap<string, string> = new Map([
  ...Object.entries({ ß: 'ss', ẞ: 'SS', æ: 'ae', Æ: 'AE', œ: 'oe', Œ: 'OE', ø: 'o', Ø: 'O', ł: 'l', Ł: 'L' }),
  ...Object.entries({ đ: 'd', Đ: 'D', þ: 'th', Þ: 'Th', ð: 'd', Ð: 'D', ı: 'i' }),
  ...[...'‘’‚‛‹›′'].map((quote) => [quote, "'"] as const),
  ...[...'“”„‟«»'].map((quote) => [quote, '"'] as const),
  ...[...'‐‒–—―−'].map((dash) => [dash, '-'] as const),
]);

/** ASCII with line feeds: accents dropped, control characters as blanks, the rest as `?`. */
function toAscii(text: string): string {
  return text
    .replace(/\r\n?/g, '\n')
    .replace(/[^\n\P{Cc}]/gu, ' ')
    .normalize('NFKD')
    .replace(/[\p{M}\p{Cf}]/gu, '')
    .replace(/[^\n\x20-\x7e]/gu, (char) => TRANSLITERATION.get(char) ?? (/\s/.test(char) ? ' ' : '?'));
}
