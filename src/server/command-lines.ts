/**
 * command-lines - octets -> command lines, without the CRLF that ends each; nothing else ends one (RFC 5321 section 2.3.8).
 *
 * The library takes a LF alone as well. A peer in front of us that does not would then have said one command where we have
 * run two, so a line with a LF alone in it is the end: neither it nor anything behind it is run.
 */
const CR = 0x0d;
const LF = 0x0a;
/** Octets. RFC 5321 section 4.5.3.1.4 asks for 512; XFORWARD and ORCPT need more. */
const LONGEST_LINE = 16 * 1024;

const EMPTY: Buffer = Buffer.alloc(0);

export type LineProblem = 'too-long' | 'bare-newline';

export class CommandLines {
  /** What is wrong with the line that stands here now: nothing behind it can be read. */
  problem: LineProblem | null = null;
  /** What came and is not read yet begins at `#from`. */
  #pending: Buffer = EMPTY;
  #from = 0;

  push(octets: Buffer): void {
    this.#pending = this.#pending.length === 0 ? octets : Buffer.concat([this.takeRest(), octets]);
  }

  /** The next whole line, one character for each octet; null where there is none yet, or there is a `problem`. */
  next(): string | null {
    if (this.problem !== null) return null;
    const pending = this.#pending;
    const from = this.#from;
    const end = pending.indexOf(LF, from);
    const length = (end === -1 ? pending.length : end) - from;
    if (length > LONGEST_LINE) this.problem = 'too-long';
    else if (end !== -1 && (length === 0 || pending[end - 1] !== CR)) this.problem = 'bare-newline';
    if (end === -1 || this.problem !== null) return null;
    this.#from = end + 1;
    if (this.#from === pending.length) this.takeRest();
    return pending.toString('latin1', from, end - 1);
  }

  /** Takes what stands behind the lines read so far. */
  takeRest(): Buffer {
    const rest = this.#from === 0 ? this.#pending : this.#pending.subarray(this.#from);
    this.#pending = EMPTY;
    this.#from = 0;
    return rest;
  }
}
