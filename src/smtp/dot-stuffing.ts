/**
 * dot-stuffing - the end of mail data and the transparency of leading dots, both directions (RFC 5321 section 4.5.2).
 *
 * Mail data ends at CRLF.CRLF and nowhere else, wherever the segments are cut; the CRLF before that dot belongs to the
 * content. A dot is only special at the start of a line, and a line only starts behind CRLF or where the data starts:
 * behind a bare CR or LF it is text. Taking it otherwise is what makes SMTP smuggling possible.
 */

import { BLOCK, shrink, takeBlock } from '../core/blocks.ts';

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
      const isLineEnd = next + 2 < length && octets[next] === CR && octets[next + 1] === LF;
      const beyond = isLineEnd ? (octets[next + 2] as number) : NUL;
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

  /** The slice is a part of the chunk, whose octets move together where a dot goes; a copy only where octets must come. */
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
      let octet = chunk[at] as number;
      if (state === IN_LINE && copy === chunk) {
        const moved = moveLines(chunk, at, written);
        written = moved.to;
        at = moved.from;
        if (at === length) break;
        octet = chunk[at] as number;
      }
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
            copy = normalize ? this.#copyOf(chunk, held) : chunk;
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

// Octets as a little-endian number: a line of dots has so many line ends that four octets at once make a difference.
const CRLF = 0x0a0d;
const TWO = 0xffff;
const THIRD = 0xff0000;
const DOT_THIRD = DOT << 16;
const CRLF_DOT_DOT = 0x2e2e0a0d;

/**
 * Moves text and line ends within the chunk, from within a line and without the first dot of each line, as far as nothing
 * else comes: up to an octet that is CR or less and no line end, to what may be the end of mail data, or to the last octets
 * of the chunk. Nothing is read beyond them: the engine makes all reads slower where one ever was.
 */
function moveLines(chunk: Buffer, from: number, to: number): { readonly from: number; readonly to: number } {
  const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.length);
  const end = chunk.length - 3;
  let at = from;
  let written = to;
  while (at < end) {
    const octet = chunk[at] as number;
    if (octet > CR) {
      chunk[written++] = octet;
      at++;
      continue;
    }
    // What begins the next line is looked at here as well: then the caller never stands at its start.
    const four = view.getInt32(at, true);
    if ((four & TWO) !== CRLF) break;
    if ((four & THIRD) !== DOT_THIRD) {
      view.setInt16(written, CRLF, true);
      at += 2;
      written += 2;
      continue;
    }
    const behindDot = four >>> 24;
    if (behindDot <= CR) break;
    // Writes an octet too many, over one that is moved already.
    view.setInt32(written, CRLF | (behindDot << 16), true);
    at += 4;
    written += 3;
  }
  return { from: at, to: written };
}

const STUFFED = Buffer.from('\r\n.');
const END = Buffer.from('.\r\n');
const END_BEHIND_PARTIAL_LINE = Buffer.from('\r\n.\r\n');

/** Content -> mail data. One encoder for one message. */
export class DotEncoder {
  #state: typeof LINE_START | typeof IN_LINE | typeof AFTER_CR = LINE_START;

  /** The octets to send for a slice of content: the slice itself where no dot needs stuffing, else pieces in blocks. */
  push(slice: Buffer): readonly Buffer[] {
    const length = slice.length;
    if (length === 0) return [];
    const before = this.#state;
    this.#state = stateBehind(slice, before);
    const dotAtStart =
      (before === LINE_START && slice[0] === DOT) || (before === AFTER_CR && slice[0] === LF && slice[1] === DOT);
    const first = dotAtStart ? 0 : slice.indexOf(STUFFED);
    if (first === -1) return [slice];
    const pieces: Buffer[] = [];
    let state = before;
    for (let from = 0; from < length; from += UNSTUFFED) {
      const piece = slice.subarray(from, from + UNSTUFFED);
      pieces.push(stuff(piece, state));
      state = stateBehind(piece, state);
    }
    return pieces;
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

/** Octets that fit into a block however many dots come: at most one before every third of them. */
const UNSTUFFED = (BLOCK / 4) * 3;

/** A copy in a block, with a second dot before each that starts a line. Nothing is read beyond the slice, see `moveLines`. */
function stuff(slice: Buffer, state: typeof LINE_START | typeof IN_LINE | typeof AFTER_CR): Buffer {
  const length = slice.length;
  const block = takeBlock();
  let written = 0;
  let at = 0;
  const endsLine = state === AFTER_CR && slice[0] === LF;
  if (endsLine) block[written++] = slice[at++] as number;
  if ((endsLine || state === LINE_START) && at < length && slice[at] === DOT) block[written++] = DOT;
  const view = new DataView(block.buffer, block.byteOffset, block.length);
  const end = length - 2;
  while (at < end) {
    const octet = slice[at] as number;
    if (octet === CR && slice[at + 1] === LF && slice[at + 2] === DOT) {
      view.setInt32(written, CRLF_DOT_DOT, true);
      at += 3;
      written += 4;
    } else {
      block[written++] = octet;
      at++;
    }
  }
  while (at < length) block[written++] = slice[at++] as number;
  return shrink(block, block.subarray(0, written));
}
