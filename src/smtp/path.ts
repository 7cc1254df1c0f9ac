/**
 * path - the argument of MAIL and RCPT: FROM:<reverse-path> and TO:<forward-path> (RFC 5321 section 4.1.2, RFC 6531).
 *
 * Takes what Postfix's smtpd takes, because a proxy filter gets those paths word for word: any case, blanks behind the
 * colon, no brackets, a source route (dropped), any quoting of the local-part, no domain, a domain with underscores or a
 * final dot. What is kept of a path is what was received; only its parsed form is made canonical.
 *
 *     argument   = *WSP ( "FROM:" / "TO:" ) *WSP path [ 1*WSP parameters ]
 *     path       = "<" *WSP [ [ route ":" ] address ] *WSP ">"  /  address
 *     route      = at-domain *( "," at-domain )
 *     address    = local-part [ "@" ( domain / "[" 1*dcontent "]" ) ]
 *     local-part = 1*( quoted-string / "\" CHAR / atext / "." )      ; wider than RFC 5321: Dot-string / Quoted-string
 *     domain     = label *( "." label ) [ "." ]                      ; label: letters, digits, "-", "_", UTF8-non-ascii
 */
import { domainToASCII } from 'node:url';
import type { Mailbox } from '../core/mailbox.ts';

export interface Path {
  /** null for the null reverse-path `<>` only. */
  readonly mailbox: Mailbox | null;
  /** The address as it was received, without angle brackets and source route; empty for `<>`. */
  readonly raw: string;
}

/** `problem`: one plain sentence for the text of a 501. `rest`: the text of the parameters. */
export type ParsedPath = { readonly path: Path; readonly rest: string } | { readonly problem: string };

/** Octets. RFC 5321 section 4.5.3.1.3 asks for 256; VERP and SRS addresses are longer. */
const LONGEST_PATH = 1000;
/** Octets (RFC 5321 section 4.5.3.1.2). */
const LONGEST_DOMAIN = 255;

const KEYWORD = { MAIL: /[ \t]*FROM:[ \t]*/iy, RCPT: /[ \t]*TO:[ \t]*/iy } as const;
const PRINTABLE_ASCII = /^[\t\x20-\x7e]*$/;
/** C0 apart from TAB, DEL, C1. */
const CONTROL = /[^\t\P{Cc}]/u;
const ROUTE = /^(?:@[\w.-]+|@\[[^[\]\\\s]+\])(?:,(?:@[\w.-]+|@\[[^[\]\\\s]+\]))*:/;
/** One word of a local-part, or a run of dots. */
const LOCAL_WORD = /"(?:[^"\\\t]|\\[\x20-\x7e])*"|\\[\x20-\x7e]|[^\s"(),:;<>@[\\\]]+/y;
const DOMAIN = /^[\w-]+(?:\.[\w-]+)*\.?$/;
const DOMAIN_WITH_U_LABELS = /^[\w\u0080-\u{10ffff}-]+(?:\.[\w\u0080-\u{10ffff}-]+)*\.?$/u;
const LITERAL = /^\[[^[\]\\\s]+\]$/;
const NO_ADDRESS = 'The address is missing';

/** What nearly every path looks like: the grammar below comes to the same. */
const PLAIN = {
  MAIL: /^ FROM:<([\w+=-]+(?:\.[\w+=-]+)*)@([a-z\d-]+(?:\.[a-z\d-]+)+)>(?= |$)/,
  RCPT: /^ TO:<([\w+=-]+(?:\.[\w+=-]+)*)@([a-z\d-]+(?:\.[a-z\d-]+)+)>(?= |$)/,
} as const;
const LONGEST_PLAIN = 250;

/** Parses what stands behind `MAIL` or `RCPT`, without the CRLF that ends the line: one character for each octet. Never throws. */
export function parsePath(command: 'MAIL' | 'RCPT', argument: string): ParsedPath {
  let text = argument;
  const plain = text.length <= LONGEST_PLAIN ? PLAIN[command].exec(text) : null;
  if (plain !== null && (plain[0].length === text.length || PRINTABLE_ASCII.test(text))) {
    const [whole, localPart = '', domain = ''] = plain;
    const rest = whole.length === text.length ? '' : text.slice(whole.length).trim();
    const raw = whole.slice(whole.indexOf('<') + 1, -1);
    return { path: { mailbox: { localPart, domain }, raw }, rest };
  }
  if (!PRINTABLE_ASCII.test(text)) {
    const decoded = decodeUtf8(argument);
    if (decoded === null) return { problem: 'The command is not valid UTF-8' };
    if (CONTROL.test(decoded)) return { problem: 'The command holds a control character' };
    text = decoded;
  }
  const keyword = KEYWORD[command];
  keyword.lastIndex = 0;
  if (!keyword.test(text)) return { problem: `${command} needs ${command === 'MAIL' ? 'FROM' : 'TO'}:<address>` };

  const start = keyword.lastIndex;
  const bracketed = text[start] === '<';
  const end = bracketed ? closingBracket(text, start) : firstBlank(text, start);
  if (end === -1) return { problem: 'The angle brackets of the address are not balanced' };
  const behind = bracketed ? end + 1 : end;
  if (behind < text.length && text[behind] !== ' ' && text[behind] !== '\t') {
    return { problem: 'Something stands right behind the address' };
  }
  if (Buffer.byteLength(text.slice(start, end)) > LONGEST_PATH) return { problem: 'The address is too long' };

  const rest = text.slice(behind).trim();
  const inside = bracketed ? text.slice(start + 1, end).trim() : text.slice(start, end);
  if (inside === '') {
    const isNull = bracketed && command === 'MAIL';
    return isNull ? { path: { mailbox: null, raw: '' }, rest } : { problem: NO_ADDRESS };
  }
  const raw = inside.startsWith('@') ? withoutRoute(inside) : inside;
  if (raw === null) return { problem: 'The source route of the address cannot be read' };
  const mailbox = parseAddress(raw);
  if (typeof mailbox === 'string') return { problem: mailbox };
  // Without brackets and domain `SIZE=100` would be an address: it is a parameter, and the path was forgotten.
  if (!bracketed && mailbox.domain === '' && raw.includes('=')) return { problem: NO_ADDRESS };
  return { path: { mailbox, raw }, rest };
}

function decodeUtf8(octets: string): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(octets, 'latin1'));
  } catch {
    return null;
  }
}

/** The offset of the `>` that ends the path opened at `start`, or -1; `<` and `>` within quotes are text. */
function closingBracket(text: string, start: number): number {
  let quoted = false;
  for (let at = start + 1; at < text.length; at++) {
    const char = text[at];
    if (char === '\\') at++;
    else if (char === '"') quoted = !quoted;
    else if (!quoted && char === '<') return -1;
    else if (!quoted && char === '>') return at;
  }
  return -1;
}

/** The offset of the first blank outside quotes, or the length of the text. */
function firstBlank(text: string, start: number): number {
  let quoted = false;
  for (let at = start; at < text.length; at++) {
    const char = text[at];
    if (char === '\\') at++;
    else if (char === '"') quoted = !quoted;
    else if (!quoted && (char === ' ' || char === '\t')) return at;
  }
  return text.length;
}

/** `@one,@two:user@domain` -> `user@domain` (RFC 5321 section 3.6.1: ignore the route). */
function withoutRoute(text: string): string | null {
  const route = ROUTE.exec(text);
  return route === null ? null : text.slice(route[0].length);
}

/** The parsed mailbox, or what is wrong with it. */
function parseAddress(raw: string): Mailbox | string {
  let localPart = '';
  let at = 0;
  while (at < raw.length && raw[at] !== '@') {
    LOCAL_WORD.lastIndex = at;
    if (!LOCAL_WORD.test(raw)) return 'The part of the address before the @ cannot be read';
    localPart += unquote(raw.slice(at, LOCAL_WORD.lastIndex));
    at = LOCAL_WORD.lastIndex;
  }
  if (at === 0) return 'Nothing stands before the @ of the address';
  if (at === raw.length) return { localPart, domain: '' };
  const domain = parseDomain(raw.slice(at + 1));
  return domain === null ? 'The domain of the address cannot be read' : { localPart, domain };
}

function unquote(word: string): string {
  const first = word[0];
  if (first === '\\') return word.slice(1);
  return first === '"' ? word.slice(1, -1).replace(/\\(.)/g, '$1') : word;
}

/** Lower case, U-labels as A-labels, without final dot; an address literal keeps its brackets; null: not a domain. */
function parseDomain(text: string): string | null {
  if (LITERAL.test(text)) return text.length > LONGEST_DOMAIN ? null : text.toLowerCase();
  const ascii = DOMAIN.test(text) ? text : DOMAIN_WITH_U_LABELS.test(text) ? domainToASCII(text) : '';
  if (ascii.length > LONGEST_DOMAIN || !DOMAIN.test(ascii)) return null;
  const lower = ascii.toLowerCase();
  return lower.endsWith('.') ? lower.slice(0, -1) : lower;
}
