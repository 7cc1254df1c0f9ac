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
  /** What came and is not read yet begins at `#from`. */
  #pending: Buffer = EMPTY;
  #from = 0;

  push(octets: Buffer): void {
    this.#pending = this.#pending.length === 0 ? octets : Buffer.concat([this.takeRest(), octets]);
  }

  /** The next whole line, null where there is none yet, or what is wrong with it: nothing can be read behind that. */
  next(): Buffer | LineProblem | null {
    const pending = this.#pending;
    const from = this.#from;
    const end = pending.indexOf(LF, from);
    const length = (end === -1 ? pending.length : end) - from;
    if (length > LONGEST_LINE) return 'too-long';
    if (end === -1) return null;
    if (length === 0 || pending[end - 1] !== CR) return 'bare-newline';
    this.#from = end + 1;
    if (this.#from === pending.length) this.takeRest();
    return pending.subarray(from, end - 1);
  }

  /** Takes what stands behind the lines read so far. */
  takeRest(): Buffer {
    const rest = this.#from === 0 ? this.#pending : this.#pending.subarray(this.#from);
    this.#pending = EMPTY;
    this.#from = 0;
    return rest;
  }
}
