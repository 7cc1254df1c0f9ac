/**
 * reply-parser - octets from a server -> replies (RFC 5321 section 4.2, RFC 2034).
 *
 *     reply = *( code "-" [ text ] CRLF ) code [ SP text ] CRLF        ; one code throughout, "2" to "5" first
 *
 * Strict where a mistake could give a reply to the wrong command: once `broken` is set, nothing behind can be trusted
 * and the connection must go. A line may end in a LF alone. An enhanced status code is taken out of the text of each
 * line; where none of the code's class stands there, the status is null.
 */
import type { EnhancedStatusCode, Reply } from '../core/reply.ts';

/** Octets of one reply. The longest seen in the wild are EHLO's and stay far below. */
const LONGEST_REPLY = 16 * 1024;

const LINE = /^[2-5]\d\d(?:[ -]|$)/;
const STATUS = /^[245]\.\d{1,3}\.\d{1,3}(?= |$)/;
const ASCII = /^\p{ASCII}*$/u;

export class ReplyParser {
  /** What came and is not parsed yet begins at `#from`; one character for each octet. */
  #pending = '';
  #from = 0;
  #broken: string | null = null;
  /** The last reply of one line, as it came: most are like the one before. */
  #last: { readonly line: string; readonly reply: Reply } | null = null;

  /** Why the stream cannot be trusted any more; null: it can. */
  get broken(): string | null {
    return this.#broken;
  }

  /** Whether no octet waits to be parsed. */
  get empty(): boolean {
    return this.#pending === '';
  }

  push(chunk: Buffer): void {
    this.#pending = this.#pending.slice(this.#from) + chunk.toString('latin1');
    this.#from = 0;
  }

  /** The next whole reply, or null; to be asked until null after each push. */
  next(): Reply | null {
    if (this.#broken !== null) return null;
    const pending = this.#pending;
    const first = this.#from;
    if (this.#last !== null && pending.startsWith(this.#last.line, first)) {
      this.#take(first + this.#last.line.length);
      return this.#last.reply;
    }
    let code = 0;
    let status: EnhancedStatusCode | null = null;
    let text = '';
    for (let start = first; ; ) {
      const end = pending.indexOf('\n', start);
      if (end === -1 || end - first > LONGEST_REPLY) {
        if (pending.length - first > LONGEST_REPLY) this.#broken = 'a reply is too long';
        return null;
      }
      const line = decoded(pending.slice(start, pending[end - 1] === '\r' ? end - 1 : end));
      if (!LINE.test(line)) {
        this.#broken = 'a line is not part of a reply';
        return null;
      }
      const lineCode = Number(line.slice(0, 3));
      if (code !== 0 && lineCode !== code) {
        this.#broken = 'the lines of a reply have different codes';
        return null;
      }
      const found = statusOf(line.slice(4));
      const words = line.slice(4 + (found === null ? 0 : found.length + 1));
      text = code === 0 ? words : `${text}\n${words}`;
      code = lineCode;
      if (found?.[0] === line[0]) status = found;
      const isFirst = start === first;
      start = end + 1;
      if (line[3] !== '-') {
        const reply = { code, status, text };
        if (isFirst) this.#last = { line: pending.slice(first, start), reply };
        this.#take(start);
        return reply;
      }
    }
  }

  #take(end: number): void {
    const all = end === this.#pending.length;
    if (all) this.#pending = '';
    this.#from = all ? 0 : end;
  }
}

/** `octets`: one character for each. */
function decoded(octets: string): string {
  return ASCII.test(octets) ? octets : Buffer.from(octets, 'latin1').toString('utf8');
}

/** The enhanced status code at the start of a text; null: none. */
function statusOf(text: string): EnhancedStatusCode | null {
  if (!STATUS.test(text)) return null;
  const end = text.indexOf(' ');
  return (end === -1 ? text : text.slice(0, end)) as EnhancedStatusCode;
}
