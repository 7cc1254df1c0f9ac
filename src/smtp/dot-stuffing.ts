/**
 * dot-stuffing - the end of mail data and the transparency of leading dots, both directions (RFC 5321 section 4.5.2).
 *
 * Mail data ends at CRLF.CRLF and nowhere else, wherever the segments are cut; the CRLF before that dot belongs to the
 * content. A dot is only special at the start of a line, and a line only starts behind CRLF or where the data starts:
 * behind a bare CR or LF it is text. Taking it otherwise is what makes SMTP smuggling possible.
 */

const NUL = 0x00;
const LF = 0x0a;
const CR = 0x0d;
const DOT = 0x2e;

/** Where in a line the decoder stands. The dot of AFTER_DOT and the dot and CR of AFTER_DOT_CR are held back. */
const LINE_START = 0;
const IN_LINE = 1;
const AFTER_CR = 2;
const AFTER_DOT = 3;
const AFTER_DOT_CR = 4;
const ENDED = 5;

/** Octets of a chunk, looked at four at a time where none of them can be of interest: none is CR, LF or NUL. */
class Text {
  readonly #octets: Buffer;
  readonly #words: Int32Array;
  /** Of the first octet of the words. */
  readonly #offset: number;

  constructor(octets: Buffer) {
    this.#octets = octets;
    this.#offset = -octets.byteOffset & 3;
    const words = Math.max(0, (octets.length - this.#offset) >> 2);
    this.#words = new Int32Array(
      octets.buffer,
      octets.byteOffset + (words === 0 ? -octets.byteOffset : this.#offset),
      words,
    );
  }

  /**
   * From within a line: the offset of the first octet that is CR or less, passing over line ends behind which another line
   * begins with neither a dot nor such an octet; or the length.
   */
  endFrom(at: number): number {
    const octets = this.#octets;
    const words = this.#words;
    const offset = this.#offset;
    const length = octets.length;
    let next = at;
    while (next < length) {
      if (((next - offset) & 3) === 0) {
        let word = (next - offset) >> 2;
        while (word < words.length && !holdsControl(words[word] as number)) word++;
        next = offset + 4 * word;
        if (next >= length) break;
      }
      if ((octets[next] as number) > CR) {
        next++;
        continue;
      }
      const beyond = octets[next] === CR && octets[next + 1] === LF ? (octets[next + 2] ?? NUL) : NUL;
      if (beyond <= CR || beyond === DOT) return next;
      next += 2;
    }
    return length;
  }
}

/** Whether one of the four octets of a word is below 14: the classic test, borrows within a word included. */
function holdsControl(word: number): boolean {
  return ((word - 0x0e0e0e0e) & ~word & 0x80808080) !== 0;
}

export interface DecodedChunk {
  /** Content octets; null where the chunk held none. */
  readonly slice: Buffer | null;
  /** Not null: the end of mail data was found, and these are the octets behind it. */
  readonly rest: Buffer | null;
}

/**
 * Mail data as it arrives -> content. One decoder for one message. A bare CR, a bare LF and a NUL are noticed in
 * passing. With `reject` they are passed on as they are, for a caller that refuses the message; with `normalize` each
 * bare CR or LF becomes CRLF.
 */
export class DotDecoder {
  readonly #normalize: boolean;
  #state = LINE_START;
  #size = 0;
  #bareNewline = false;
  #nul = false;

  constructor(options: { readonly bareNewline: 'reject' | 'normalize' }) {
    this.#normalize = options.bareNewline === 'normalize';
  }

  /** Octets of content passed on so far. */
  get size(): number {
    return this.#size;
  }

  /** Whether a CR without LF or a LF without CR was met. */
  get bareNewline(): boolean {
    return this.#bareNewline;
  }

  get nul(): boolean {
    return this.#nul;
  }

  /** The slice is a part of the chunk itself until an octet must go or come; from there on it is a copy. */
  push(chunk: Buffer): DecodedChunk {
    if (this.#state === ENDED) throw new Error('mail data pushed behind its end');
    const normalize = this.#normalize;
    const length = chunk.length;
    const text = new Text(chunk);
    let state = this.#state;
    let copy: Buffer | null = null;
    let written = 0;
    /** Where the octets held back begin; 0 where they came with an earlier chunk. */
    let held = 0;

    for (let at = 0; at < length; at++) {
      if (state === IN_LINE && copy === null) at = text.endFrom(at);
      if (at === length) break;
      const octet = chunk[at] as number;
      if (state === IN_LINE && octet > CR) {
        if (copy !== null) copy[written++] = octet;
        continue;
      }
      switch (state) {
        case LINE_START:
          if (octet === DOT) {
            held = at;
            state = AFTER_DOT;
            continue;
          }
          break;
        case AFTER_CR:
          if (octet === LF) {
            if (copy !== null) copy[written++] = LF;
            state = LINE_START;
            continue;
          }
          this.#bareNewline = true;
          if (normalize) {
            if (copy === null) {
              copy = this.#copyOf(chunk, at);
              written = at;
            }
            copy[written++] = LF;
          }
          break;
        case AFTER_DOT:
          if (octet === CR) {
            state = AFTER_DOT_CR;
            continue;
          }
          if (copy === null && held < at) {
            copy = this.#copyOf(chunk, held);
            written = held;
          }
          break;
        case AFTER_DOT_CR:
          if (octet === LF) {
            this.#state = ENDED;
            return this.#pass(copy?.subarray(0, written) ?? chunk.subarray(0, held), chunk.subarray(at + 1));
          }
          this.#bareNewline = true;
          if (copy === null) {
            copy = this.#copyOf(chunk, held);
            written = held;
          }
          copy[written++] = CR;
          if (normalize) copy[written++] = LF;
          break;
      }
      state = IN_LINE;
      if (octet === CR) {
        state = AFTER_CR;
      } else if (octet === LF) {
        this.#bareNewline = true;
        if (normalize) {
          if (copy === null) {
            copy = this.#copyOf(chunk, at);
            written = at;
          }
          copy[written++] = CR;
        }
      } else if (octet === NUL) {
        this.#nul = true;
      }
      if (copy !== null) copy[written++] = octet;
    }

    this.#state = state;
    if (copy !== null) return this.#pass(copy.subarray(0, written), null);
    return this.#pass(state === AFTER_DOT || state === AFTER_DOT_CR ? chunk.subarray(0, held) : chunk, null);
  }

  /** The first octets of the chunk, with room behind them for all that can follow. */
  #copyOf(chunk: Buffer, octets: number): Buffer {
    const copy = Buffer.allocUnsafe(this.#normalize ? 2 * chunk.length + 2 : chunk.length + 1);
    chunk.copy(copy, 0, 0, octets);
    return copy;
  }

  #pass(slice: Buffer, rest: Buffer | null): DecodedChunk {
    this.#size += slice.length;
    return { slice: slice.length === 0 ? null : slice, rest };
  }
}

const STUFFED = Buffer.from('\r\n.');
const END = Buffer.from('.\r\n');
const END_BEHIND_PARTIAL_LINE = Buffer.from('\r\n.\r\n');

/** Content -> mail data. One encoder for one message. */
export class DotEncoder {
  #state: typeof LINE_START | typeof IN_LINE | typeof AFTER_CR = LINE_START;

  /** The octets to send for a slice of content: the slice itself where no dot needs stuffing. */
  push(slice: Buffer): readonly Buffer[] {
    const length = slice.length;
    if (length === 0) return [];
    const before = this.#state;
    this.#state = stateBehind(slice, before);
    const dotAtStart =
      (before === LINE_START && slice[0] === DOT) || (before === AFTER_CR && slice[0] === LF && slice[1] === DOT);
    const first = dotAtStart ? 0 : slice.indexOf(STUFFED);
    return first === -1 ? [slice] : [stuffFrom(slice, first, before)];
  }

  /** What ends the mail data: the final dot, behind a CRLF of its own where the content did not end in one. */
  end(): Buffer {
    return this.#state === LINE_START ? END : END_BEHIND_PARTIAL_LINE;
  }
}

function stateBehind(slice: Buffer, before: number): typeof LINE_START | typeof IN_LINE | typeof AFTER_CR {
  const last = slice[slice.length - 1];
  if (last === CR) return AFTER_CR;
  if (last !== LF) return IN_LINE;
  const afterCr = slice.length > 1 ? slice[slice.length - 2] === CR : before === AFTER_CR;
  return afterCr ? LINE_START : IN_LINE;
}

/** A copy of the slice with a second dot before each that starts a line; before `from` there is none. */
function stuffFrom(slice: Buffer, from: number, before: number): Buffer {
  const length = slice.length;
  const target = Buffer.allocUnsafe(length + Math.ceil(length / 3) + 1);
  slice.copy(target, 0, 0, from);
  let state = from === 0 ? before : IN_LINE;
  let written = from;
  for (let at = from; at < length; at++) {
    const octet = slice[at] as number;
    if (state === LINE_START && octet === DOT) target[written++] = DOT;
    target[written++] = octet;
    if (octet === CR) state = AFTER_CR;
    else state = octet === LF && state === AFTER_CR ? LINE_START : IN_LINE;
  }
  return target.subarray(0, written);
}
