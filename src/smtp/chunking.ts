/**
 * chunking - content that comes in chunks of a length told before (BDAT, RFC 3030): no dots, no end to look for.
 *
 * The policy for bare newlines and NUL is that of mail data; see dot-stuffing.ts.
 */
import { type Reply, reply } from '../core/reply.ts';
import type { DecodedChunk } from './dot-stuffing.ts';

const NUL = 0x00;
const LF = 0x0a;
const CR = 0x0d;

export interface Bdat {
  readonly octets: number;
  readonly last: boolean;
}

/** What stands behind the verb BDAT; a reply where the length of the chunk cannot be known (RFC 3030 section 2). */
export function parseBdat(argument: string): Bdat | Reply {
  const [, digits, last] = /^(\d{1,20})(?: +(LAST))? *$/i.exec(argument) ?? [];
  const octets = Number(digits);
  if (digits === undefined || !Number.isSafeInteger(octets)) return reply(501, '5.5.4', 'Syntax: BDAT size [LAST]');
  return { octets, last: last !== undefined };
}

/** Chunks as they arrive -> content. One decoder for one message; where the chunks are cut changes nothing. */
export class ChunkDecoder {
  readonly #normalize: boolean;
  #afterCr = false;
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

  /** The slice is the octets themselves unless newlines had to be made CRLF. `rest` is always null. */
  push(octets: Buffer): DecodedChunk {
    let afterCr = this.#afterCr;
    let bare = false;
    for (const octet of octets) {
      if (octet === LF ? !afterCr : afterCr) bare = true;
      if (octet === NUL) this.#nul = true;
      afterCr = octet === CR;
    }
    const slice = bare && this.#normalize ? this.#normalized(octets) : octets;
    if (bare) this.#bareNewline = true;
    if (octets.length > 0) this.#afterCr = afterCr;
    this.#size += slice.length;
    return { slice: slice.length === 0 ? null : slice, rest: null };
  }

  /** Behind the last chunk: what still belongs to the content, or null. */
  end(): Buffer | null {
    if (!this.#afterCr) return null;
    this.#afterCr = false;
    this.#bareNewline = true;
    if (!this.#normalize) return null;
    this.#size += 1;
    return Buffer.from([LF]);
  }

  #normalized(octets: Buffer): Buffer {
    const target = Buffer.allocUnsafe(2 * octets.length + 1);
    let afterCr = this.#afterCr;
    let written = 0;
    for (const octet of octets) {
      if (afterCr && octet !== LF) target[written++] = LF;
      if (!afterCr && octet === LF) target[written++] = CR;
      target[written++] = octet;
      afterCr = octet === CR;
    }
    return target.subarray(0, written);
  }
}
