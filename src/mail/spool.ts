/**
 * spool - keeps the content of a transaction until its last reply: in memory, and what is too much in a temporary file.
 *
 * A content may have as much of the memory as is left for others: a few large ones lie in memory, and the more there are the
 * smaller is the share of each, without any being told.
 * The file is unlinked as soon as it is open, so that nothing is left behind however the process ends. It is no queue:
 * nobody has been told 2yz for what is in it. Trouble with the disk is a state, `failed`, that the caller answers by 452.
 */
import { tmpdir } from 'node:os';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { giveBack } from '../core/blocks.ts';
import type { Content } from '../core/message.ts';
import { TemporaryFile } from './temporary-file.ts';

export interface SpoolOptions {
  /** Octets in memory, over all messages; the first 64 KiB of each are kept there even when it is used up. */
  readonly memoryBudget: number;
  /** Octets in memory for one message at most; left out: its share. */
  readonly perMessage?: number;
  /** Where temporary files go; the system's own folder by default. */
  readonly folder?: string;
}

/** The content of one transaction on its way in. */
export interface SpoolWriter {
  /** Octets written so far. */
  readonly size: number;
  /** Octets were lost to trouble with the disk; final only after `finish`. */
  readonly failed: boolean;
  /** What the file system said; null where nothing failed. */
  readonly failure: unknown;
  /** `slice` must not change afterwards. A promise means: wait for it before the next slice. It never rejects. */
  write(slice: Buffer): Promise<void> | undefined;
  /**
   * The octets that are in memory: the first ones, as far as the share goes, and at most 1 MiB; copied if they came in
   * several slices.
   */
  head(): Buffer;
  /** What was written. Look at `failed` then: reading a failed content throws. */
  finish(): Promise<Content>;
  /**
   * Gives memory and file back; may be called at any time and again. A content that is still being read from the file
   * ends with an error, its reader's to handle.
   */
  discard(): void;
  /** Discards; and nobody reads the content any more, nor will: its memory is used again at once. */
  release(): void;
}

/** The memory that all messages share. */
interface Budget {
  left: number;
}

export class Spool {
  readonly #budget: Budget;
  readonly #allowed: number;
  readonly #perMessage: number;
  readonly #folder: string;

  constructor(options: SpoolOptions) {
    this.#allowed = options.memoryBudget;
    this.#budget = { left: options.memoryBudget };
    this.#perMessage = options.perMessage ?? Number.POSITIVE_INFINITY;
    this.#folder = options.folder ?? tmpdir();
  }

  /** Octets of content in memory now; the first ones of each message may take it past the budget. */
  get inMemory(): number {
    return this.#allowed - this.#budget.left;
  }

  open(): SpoolWriter {
    return new SpooledContent(this.#budget, this.#perMessage, this.#folder);
  }
}

/** Octets of every message that are kept in memory whatever the budget: the rules must see its header section. */
const RESERVE = 64 * 1024;
/** Octets that `head` gives at most. */
const LONGEST_HEAD = 1024 * 1024;
/** Octets that are read in one turn of the event loop. */
const TURN = 1024 * 1024;

/** A Buffer costs more than the octets of a small one: behind the first slices, small ones are copied together. */
const FIRST = 16;
const SMALL = 1024;
const BLOCK = 64 * 1024;

class SpooledContent implements SpoolWriter {
  readonly #budget: Budget;
  readonly #perMessage: number;
  readonly #folder: string;
  #slices: Buffer[] = [];
  #inMemory = 0;
  #size = 0;
  #file: TemporaryFile | null = null;
  #discarded = false;
  /** Small slices are gathered here; the octets from `start` to `filled` are the last of `#slices`. */
  #block = newBlock(0);

  constructor(budget: Budget, perMessage: number, folder: string) {
    this.#budget = budget;
    this.#perMessage = perMessage;
    this.#folder = folder;
  }

  get size(): number {
    return this.#size;
  }

  get failed(): boolean {
    return this.failure !== null;
  }

  get failure(): unknown {
    return this.#file?.failure ?? null;
  }

  write(slice: Buffer): Promise<void> | undefined {
    if (this.#discarded || this.failed) return undefined;
    this.#size += slice.length;
    const room = this.#file === null ? this.#room() : 0;
    if (slice.length <= room) {
      this.#keep(slice);
      return undefined;
    }
    if (room > 0) this.#keep(slice.subarray(0, room));
    this.#file ??= new TemporaryFile(this.#folder);
    const rest = slice.subarray(room);
    return this.#file.append(rest).then(() => giveBack(rest));
  }

  head(): Buffer {
    const [first] = this.#slices;
    if (first !== undefined && this.#slices.length === 1) return first;
    return Buffer.concat(this.#slices, Math.min(this.#inMemory, LONGEST_HEAD));
  }

  async finish(): Promise<Content> {
    const slices = this.#slices;
    if (this.#file === null && this.#size <= TURN) return { size: this.#size, slices: () => slices };
    await this.#file?.written();
    return { size: this.#size, slices: () => this.#readAll() };
  }

  discard(): void {
    if (this.#discarded) return;
    this.#discarded = true;
    this.#file?.close();
    this.#budget.left += this.#inMemory;
    this.#slices = [];
    this.#block = newBlock(0);
  }

  release(): void {
    if (this.#discarded) return;
    const slices = this.#slices;
    this.discard();
    // What `head` gave may be looked at for longer: a copy, or the first slice.
    for (const slice of slices.slice(1)) giveBack(slice);
    // Whoever reads all the same is to miss octets, and not to find those of others.
    slices.length = 0;
  }

  async *#readAll(): AsyncGenerator<Buffer> {
    if (this.failed) throw this.failure;
    let inTurn = 0;
    for (const slice of this.#slices) {
      yield slice;
      if (this.#discarded) break;
      inTurn += slice.length;
      if (inTurn < TURN) continue;
      inTurn = 0;
      await nextTurn();
    }
    if (this.#discarded) throw new Error('the content was discarded');
    if (this.#file !== null) yield* this.#file.pieces();
  }

  /** Octets that may still go to memory: so many that those of this message are no more than those that are left. */
  #room(): number {
    const share = Math.floor((this.#budget.left - this.#inMemory) / 2);
    return Math.min(this.#perMessage - this.#inMemory, Math.max(share, RESERVE - this.#inMemory, 0));
  }

  #keep(slice: Buffer): void {
    this.#budget.left -= slice.length;
    this.#inMemory += slice.length;
    if (slice.length >= SMALL || this.#slices.length < FIRST) {
      this.#slices.push(slice);
      this.#block.start = this.#block.filled;
      return;
    }
    if (this.#block.filled + slice.length > this.#block.octets.length) this.#block = newBlock(BLOCK);
    const block = this.#block;
    if (block.filled > block.start) this.#slices.pop();
    block.filled += slice.copy(block.octets, block.filled);
    this.#slices.push(block.octets.subarray(block.start, block.filled));
  }
}

interface Block {
  readonly octets: Buffer;
  start: number;
  filled: number;
}

function newBlock(size: number): Block {
  return { octets: Buffer.allocUnsafe(size), start: 0, filled: 0 };
}
