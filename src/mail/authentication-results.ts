/**
 * authentication-results - the field in which an MTA says what it found out about a message (RFC 8601).
 *
 * Whom to believe is not decided here. A result that is malformed is left out, the others of its field are kept: large
 * providers write such fields. Properties are read liberally, because values such as `header.b=Qgi/FoC0=` are no tokens.
 * The cost is linear in the length of the value, and nothing throws.
 */

export interface Property {
  /** `smtp`, `header`, `body` or `policy`, in lower case. */
  readonly type: string;
  /** In lower case. */
  readonly name: string;
  readonly value: string;
}

/** One resinfo (RFC 8601 section 2.2). */
export interface MethodResult {
  /** `spf`, `dkim`, in lower case, without version. */
  readonly method: string;
  /** `pass`, `fail`, in lower case. */
  readonly result: string;
  readonly reason: string | null;
  readonly properties: readonly Property[];
  /** Texts of the comments behind the result, without brackets. */
  readonly comments: readonly string[];
}

export interface AuthenticationResults {
  /** Who says so, in lower case. */
  readonly authservId: string;
  readonly results: readonly MethodResult[];
}

/** In characters; what an MTA writes has some hundred. */
const LONGEST = 16_384;

/**
 * null where the value does not say whose it is. A field of an unknown version (section 2.5), or one that is no list of
 * results, has none: it still stands for its server, so that none below it takes its place.
 */
export function parseAuthenticationResults(value: string): AuthenticationResults | null {
  const cursor = new Cursor(value.slice(0, LONGEST));
  const authservId = cursor.readWord(/[^\s;()="]+/y);
  if (authservId === null) return null;
  const version = cursor.readWord(/\d+/y) ?? '1';
  const results: MethodResult[] = [];
  while (cursor.take(';')) {
    const result = readResult(cursor);
    if (result !== null) results.push(result);
    cursor.skipTo(';');
  }
  const readable = version === '1' && cursor.atEnd;
  return { authservId: authservId.toLowerCase(), results: readable ? results : [] };
}

const KEYWORD = /[a-z0-9][a-z0-9-]*/iy;
const VERSION = /\d+/y;
const KEY = /[a-z0-9][a-z0-9_-]*(?:\.[a-z0-9][a-z0-9_-]*)?/iy;
const PVALUE = /[^\s;()"]+/y;

function readResult(cursor: Cursor): MethodResult | null {
  const method = cursor.readWord(KEYWORD);
  if (cursor.take('/') && cursor.readWord(VERSION) !== '1') return null;
  if (method === null || !cursor.take('=')) return null;
  const result = cursor.readWord(KEYWORD);
  if (result === null) return null;
  cursor.dropComments();
  let reason: string | null = null;
  const properties: Property[] = [];
  for (let key = cursor.readWord(KEY); key !== null; key = cursor.readWord(KEY)) {
    const text = cursor.take('=') ? cursor.readWord(PVALUE) : null;
    if (text === null) break;
    const [type = '', name] = key.toLowerCase().split('.');
    if (name !== undefined) properties.push({ type, name, value: text });
    else if (type === 'reason') reason ??= text;
  }
  const comments = cursor.dropComments();
  return { method: method.toLowerCase(), result: result.toLowerCase(), reason, properties, comments };
}

/** Reads words and signs; white space and comments in front of them are passed over (CFWS, RFC 5322 section 3.2.2). */
class Cursor {
  readonly #text: string;
  #at = 0;
  #comments: string[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  get atEnd(): boolean {
    this.#skip();
    return this.#at >= this.#text.length;
  }

  /** Whether the sign came next; then it is read. */
  take(sign: string): boolean {
    this.#skip();
    if (this.#text[this.#at] !== sign) return false;
    this.#at += 1;
    return true;
  }

  /** A word of that (sticky) pattern, quoted strings in it resolved; null where none comes next. */
  readWord(pattern: RegExp): string | null {
    this.#skip();
    let word: string | null = null;
    for (;;) {
      const part = this.#text[this.#at] === '"' ? this.#quoted() : this.#match(pattern);
      if (part === null) return word;
      word = (word ?? '') + part;
    }
  }

  /** The comments passed over since this was last asked. */
  dropComments(): readonly string[] {
    return this.#comments.splice(0);
  }

  /** Passes over everything up to the sign or the end. */
  skipTo(sign: string): void {
    for (this.#skip(); this.#at < this.#text.length && this.#text[this.#at] !== sign; this.#skip()) {
      if (this.#text[this.#at] !== '"' || this.#quoted() === null) this.#at += 1;
    }
  }

  #match(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? null;
    this.#at += found?.length ?? 0;
    return found;
  }

  /** A quoted string that is not closed reaches to the end. */
  #quoted(): string | null {
    const found = this.#match(/"(?:[^"\\]|\\.)*"?/sy);
    return found === null ? null : found.replace(/^"|"$/g, '').replace(/\\(.)/gs, '$1');
  }

  #skip(): void {
    for (;;) {
      this.#match(/\s+/y);
      if (this.#text[this.#at] !== '(') return;
      this.#comments.push(this.#comment());
    }
  }

  /** Comments nest; one that is not closed reaches to the end. */
  #comment(): string {
    const start = this.#at + 1;
    let depth = 0;
    for (; this.#at < this.#text.length; this.#at += 1) {
      const sign = this.#text[this.#at];
      if (sign === '\\') this.#at += 1;
      else if (sign === '(') depth += 1;
      else if (sign === ')') depth -= 1;
      if (depth === 0) break;
    }
    const text = this.#text.slice(start, this.#at);
    this.#at += 1;
    return text;
  }
}
