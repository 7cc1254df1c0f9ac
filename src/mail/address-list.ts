/**
 * address-list - the mailboxes of From:, To:, Cc: and their like (RFC 5322 section 3.4, obsolete forms of 4.4 included).
 *
 * Mail is read as it comes: brackets, quotes and commas may be missing. What stands before an address in angle brackets
 * is a display name, whatever it looks like, and encoded words are never decoded: no address can be hidden in either.
 * The cost is linear in the length of the value, and nothing throws.
 */
import { domainToASCII } from 'node:url';
import type { Mailbox } from '../core/mailbox.ts';

/** One mailbox, as most values are: the grammar below comes to the same. */
const ORDINARY = /^(?:[\w ]*<)?([\w+=-]+(?:\.[\w+=-]+)*)@([a-z\d-]+(?:\.[a-z\d-]+)+)>?$/;

/** The mailboxes in order, those of groups among them. Domains are in lower case and A-labels, local-parts as written. */
export function parseAddressList(value: string): readonly Mailbox[] {
  const [, localPart, domain] = ORDINARY.exec(value) ?? [];
  if (localPart !== undefined && domain !== undefined) return [{ localPart, domain }];
  const found: Mailbox[] = [];
  let run: Token[] = [];
  let displayName: Token[] = [];
  let inBrackets = false;

  const closeBrackets = (): void => {
    const before = found.length;
    readAddrSpecs(run, true, found);
    run = found.length === before ? displayName : [];
    inBrackets = false;
  };
  const endItem = (): void => {
    if (inBrackets) closeBrackets();
    readAddrSpecs(run, false, found);
    run = [];
  };

  for (const token of tokenize(value)) {
    switch (token.kind) {
      case '<':
        if (!inBrackets) displayName = run;
        inBrackets = true;
        run = [];
        break;
      case '>':
        if (inBrackets) closeBrackets();
        break;
      case ':':
        // In brackets a source route or `mailto` ends here, elsewhere the name of a group.
        if (inBrackets) run = [];
        else endItem();
        break;
      case ',':
        if (inBrackets && run[0]?.kind === '@') run = [];
        else endItem();
        break;
      case ';':
        endItem();
        break;
      default:
        run.push(token);
    }
  }
  endItem();
  return found;
}

/** `spaced`: white space or a comment stands in front. */
type Token =
  | { readonly kind: 'word'; readonly text: string; readonly quoted: boolean; readonly spaced: boolean }
  | { readonly kind: '@' | 'literal'; readonly text: string }
  | { readonly kind: '<' | '>' | ',' | ';' | ':' };

/**
 * Adds the addr-specs in a run of words to `found`. A local-part is the last word before the `@`; white space may stand
 * around dots and `@` (RFC 5322 section 4.4). Of several `@` the last one counts, as it does for Postfix. In brackets a
 * single word is a local-part without a domain.
 */
function readAddrSpecs(run: readonly Token[], inBrackets: boolean, found: Mailbox[]): void {
  let local: string | null = null;
  let domain: string | null = null;
  let afterAt = false;
  let afterDot = false;

  const endSpec = (): void => {
    const mailbox = local !== null && domain !== null ? mailboxOf(local, domain) : null;
    if (mailbox !== null) found.push(mailbox);
    local = null;
    domain = null;
    afterAt = false;
    afterDot = false;
  };

  for (const token of run) {
    if (token.kind === '@') {
      if (afterAt) local = `${local ?? ''}@${domain ?? ''}`;
      domain = null;
      afterAt = true;
      afterDot = false;
    } else if (token.kind === 'literal') {
      domain = token.text;
    } else if (token.kind === 'word') {
      const { text, quoted, spaced } = token;
      const joins: boolean = !spaced || afterDot || (!quoted && text.startsWith('.'));
      if (afterAt && (quoted || (domain !== null && !joins))) endSpec();
      if (!afterAt) local = local !== null && joins ? local + text : text;
      else domain = (domain ?? '') + text;
      afterDot = !quoted && text.endsWith('.');
    }
  }
  if (inBrackets && !afterAt && local !== null && run.length === 1) domain = '';
  endSpec();
}

const ENCODED_WORD = /=\?[^?]+\?[bq]\?/i;
const DOMAIN = /^(?:\[[^[\]]*\]|[^[\]]*)$/;

function mailboxOf(localPart: string, rawDomain: string): Mailbox | null {
  if (ENCODED_WORD.test(localPart) || ENCODED_WORD.test(rawDomain) || !DOMAIN.test(rawDomain)) return null;
  const domain = normalDomain(rawDomain);
  // `<"">` and a lone backslash in brackets name nobody.
  return domain === '' && (rawDomain !== '' || localPart === '') ? null : { localPart, domain };
}

const PLAIN_DOMAIN = /^[a-z0-9._-]*$/i;
const DOMAIN_WITH_U_LABELS = /^[a-z0-9._\u0080-\u{10ffff}-]{1,255}$/iu;

function normalDomain(raw: string): string {
  const ascii = !PLAIN_DOMAIN.test(raw) && DOMAIN_WITH_U_LABELS.test(raw) ? domainToASCII(raw) : '';
  const domain = (ascii === '' ? raw : ascii).toLowerCase();
  let end = domain.length;
  while (domain[end - 1] === '.') end -= 1;
  return domain.slice(0, end);
}

const BLANK = /[ \p{Cc}]+/uy;
const ATOM = /[^ \p{Cc}()<>,;:@"\\]+/uy;
/** The limit bounds the search for a bracket that may not be there. */
const LITERAL = /\[[^[\]\\\p{Cc}]{0,255}\]/uy;

/** Comments and white space become `spaced`; a parenthesis or quote that is never closed counts as white space. */
function tokenize(value: string): Token[] {
  const tokens: Token[] = [];
  let spaced = false;
  let commentsClose = true;
  let quotesClose = true;
  let at = 0;

  const take = (pattern: RegExp): string | null => {
    pattern.lastIndex = at;
    const text = pattern.exec(value)?.[0] ?? null;
    if (text !== null) at += text.length;
    return text;
  };
  const word = (text: string, quoted: boolean): void => {
    tokens.push({ kind: 'word', text, quoted, spaced });
    spaced = false;
  };

  while (at < value.length) {
    const char = value.charAt(at);
    const literal = char === '[' && tokens.at(-1)?.kind === '@' ? take(LITERAL) : null;
    const atom = literal === null ? take(ATOM) : null;
    if (literal !== null) {
      tokens.push({ kind: 'literal', text: literal.replaceAll(' ', '') });
    } else if (atom !== null) {
      word(atom, false);
    } else if (char === '"') {
      const quoted: QuotedString | null = quotesClose ? quotedString(value, at) : null;
      quotesClose = quoted !== null;
      if (quoted !== null) word(quoted.text, true);
      else spaced = true;
      at = quoted?.end ?? at + 1;
    } else if (char === '(') {
      const end: number = commentsClose ? commentEnd(value, at) : -1;
      commentsClose = end !== -1;
      spaced = true;
      at = end === -1 ? at + 1 : end;
    } else if (char === '\\') {
      word(value.charAt(at + 1), true);
      at += 2;
    } else if (char === '<' || char === '>' || char === ',' || char === ';' || char === ':' || char === '@') {
      tokens.push(char === '@' ? { kind: char, text: char } : { kind: char });
      spaced = false;
      at += 1;
    } else {
      spaced = true;
      if (take(BLANK) === null) at += 1;
    }
  }
  return tokens;
}

interface QuotedString {
  /** With its quoting resolved. */
  readonly text: string;
  /** Offset behind the closing quote. */
  readonly end: number;
}

/** null if no quote closes the one at `start`. */
function quotedString(value: string, start: number): QuotedString | null {
  let text = '';
  let from = start + 1;
  for (let at = from; at < value.length; at += 1) {
    const char = value.charAt(at);
    if (char === '"') return { text: text + value.slice(from, at), end: at + 1 };
    if (char !== '\\') continue;
    text += value.slice(from, at);
    at += 1;
    from = at;
  }
  return null;
}

/** Behind the parenthesis that closes the one at `start`; comments nest. -1 if there is none. */
function commentEnd(value: string, start: number): number {
  let depth = 0;
  for (let at = start; at < value.length; at += 1) {
    const char = value.charAt(at);
    if (char === '\\') at += 1;
    else if (char === '(') depth += 1;
    else if (char === ')') depth -= 1;
    if (depth === 0) return at + 1;
  }
  return -1;
}
