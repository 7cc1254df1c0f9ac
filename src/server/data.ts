/**
 * data - our SMTPStream: reads command lines, finds the end of the mail data by search, or counts the octets of a chunk (RFC
 * 3030), and hands the content over as it arrives.
 *
 * The library's own reading of DATA is replaced: it un-stuffs after a bare LF, spends a turn of the event loop on every
 * stuffed dot and hands out a PassThrough. Only CRLF.CRLF ends the data (RFC 5321 section 4.1.1.4), wherever it is cut. So is
 * that of commands: it takes a bare LF for the end of a line.
 */
import { SMTPStream } from 'smtp-server/lib/smtp-stream.js';
import { shrink } from '../core/blocks.ts';
import type { ContentEnd, IncomingContent } from '../core/message.ts';
import { ChunkDecoder } from '../smtp/chunking.ts';
import { DotDecoder } from '../smtp/dot-stuffing.ts';
import { CommandLines, type LineProblem } from './command-lines.ts';

export interface ContentLimits {
  /** In octets of content. */
  readonly size: number;
  readonly bareNewline: 'reject' | 'normalize';
}

type Continue = (error?: Error | null) => void;

/** Content on its way from the parser to the pipeline; what nobody will relay is not kept. */
export class Incoming implements IncomingContent {
  /** Resolves when no more octets will come: the end of data was found, or the client left. */
  readonly finished: Promise<void>;
  readonly #decoder: DotDecoder | ChunkDecoder;
  readonly #limits: ContentLimits;
  readonly #slices: Buffer[] = [];
  #end: ContentEnd | null = null;
  #wanted = true;
  #wake: (() => void) | null = null;
  #whenTaken: Continue | null = null;
  #finish: () => void = () => {};

  /** `chunked`: BDAT, and the end is told by `endChunks`; else DATA, and it is found. */
  constructor(limits: ContentLimits, chunked: boolean) {
    this.#limits = limits;
    this.#decoder = chunked ? new ChunkDecoder(limits) : new DotDecoder(limits);
    this.finished = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  get end(): ContentEnd | null {
    return this.#end;
  }

  /** Whether the pipeline is behind: then the client waits for us, and not we for the client. */
  get backlog(): boolean {
    return this.#slices.length > 0;
  }

  /** Takes octets of the connection; those behind the end of data, or null where it was not found yet. */
  feed(chunk: Buffer): Buffer | null {
    const { slice, rest } = this.#decoder.push(chunk);
    // Behind the end of data the chunk is still to be read.
    if (slice !== null && rest === null) shrink(chunk, slice);
    if (slice !== null && slice.length > 0 && this.#wanted && this.#fault() === null) this.#slices.push(slice);
    if (rest !== null) this.#conclude(this.#fault() ?? 'complete');
    else this.#wake?.();
    return rest;
  }

  /** The last chunk was fed. */
  endChunks(): void {
    const slice = this.#decoder instanceof ChunkDecoder ? this.#decoder.end() : null;
    if (slice !== null && this.#wanted && this.#fault() === null) this.#slices.push(slice);
    this.#conclude(this.#fault() ?? 'complete');
  }

  /** Calls `next` when the pipeline has taken what was fed: this is how a slow reader slows the client. */
  whenTaken(next: Continue): void {
    if (this.#slices.length === 0 || this.#end !== null) next();
    else this.#whenTaken = next;
  }

  /** The client is gone. */
  abort(): void {
    if (this.#end === null) this.#conclude('aborted');
  }

  /** By hand, because a generator makes three promises where one will do. */
  [Symbol.asyncIterator](): AsyncIterator<Buffer, void> {
    return {
      next: () => this.#next(),
      return: () => {
        // A reader that stops early must not stop the session: the rest is read and thrown away.
        this.#wanted = false;
        this.#slices.length = 0;
        this.#release();
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  }

  async #next(): Promise<IteratorResult<Buffer, void>> {
    for (;;) {
      const slice = this.#slices.shift();
      if (slice !== undefined) return { done: false, value: slice };
      // More may be fed while this runs, before anybody could be woken.
      this.#release();
      if (this.#slices.length > 0) continue;
      if (this.#end !== null) return { done: true, value: undefined };
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = null;
    }
  }

  #fault(): ContentEnd | null {
    const { size, bareNewline, nul } = this.#decoder;
    if (size > this.#limits.size) return 'too-large';
    if (nul) return 'nul';
    return bareNewline && this.#limits.bareNewline === 'reject' ? 'bare-newline' : null;
  }

  #conclude(end: ContentEnd): void {
    this.#end = end;
    this.#release();
    this.#wake?.();
    this.#finish();
  }

  #release(): void {
    const next = this.#whenTaken;
    this.#whenTaken = null;
    next?.();
  }
}

/** A chunk being read: its octets go to `incoming`, or nowhere. */
interface Chunk {
  left: number;
  readonly incoming: Incoming | null;
  readonly last: boolean;
  readonly read: () => void;
}

/** Octets that may wait in the stream before the socket is asked to wait. */
const MOST_UNREAD = 16 * 1024;

/** Commands that are run before others get a turn. */
const MOST_AT_ONCE = 100;

/** A client's last word, behind the end of another line. */
const QUIT = /^\n?quit\r\n$/i;
const LONGEST_QUIT = '\nQUIT\r\n'.length;

export class ContentStream extends SMTPStream {
  /** Told each command line, one character for each octet; calls `next` when it is answered. */
  oncommandline: (line: string, next: () => void) => void = (_line, next) => next();
  /** Told once, of a line that cannot be read: nothing behind it is. */
  onproblem: (problem: LineProblem) => void = () => {};
  /** Told once: the client has closed its side, and is not waiting for an answer. */
  onleft: () => void = () => {};
  /** The octets that arrived last, as many as QUIT needs. */
  #latest = '';
  /** What arrived and is not seen to yet, the segment that is being seen to among it: in octets, and the segments behind. */
  #unread = 0;
  readonly #waiting: Buffer[] = [];
  #current: Buffer | null = null;
  #running = false;
  #needsDrain = false;
  /** The client has closed its side behind QUIT. */
  #hasQuit = false;
  readonly #lines = new CommandLines();
  #incoming: Incoming | null = null;
  #chunk: Chunk | null = null;
  #resume: (() => void) | null = null;

  /** From now on what arrives is mail data, until its end is found; then nothing is read until `resume`. */
  startContent(limits: ContentLimits): Incoming {
    this._dataMode = true;
    this.#incoming = new Incoming(limits, false);
    return this.#incoming;
  }

  /**
   * The next `octets` are a chunk; calls `read` behind them. Behind the last one nothing is read until `resume`.
   * `next` goes on with what was read already.
   */
  startChunk(octets: number, last: boolean, incoming: Incoming | null, read: () => void, next: () => void): void {
    const chunk = { left: octets, last, incoming, read };
    if (octets === 0) this.#endChunk(chunk, next);
    else {
      this._dataMode = true;
      this.#chunk = chunk;
      next();
    }
  }

  /** The replies to the content are given: the commands behind it may be read. */
  resume(): void {
    const resume = this.#resume;
    this.#resume = null;
    resume?.();
  }

  #endChunk({ incoming, last, read }: Chunk, next: () => void): void {
    // Set before: the end of the content may be all that the reply, and so `resume`, waits for.
    if (last) this.#resume = next;
    if (last) incoming?.endChunks();
    read();
    if (!last) next();
  }

  #feedChunk(chunk: Chunk, octets: Buffer, done: Continue): void {
    const slice = octets.subarray(0, chunk.left);
    chunk.left -= slice.length;
    chunk.incoming?.feed(slice);
    const whenTaken = (next: () => void): void => {
      if (chunk.incoming === null) next();
      else chunk.incoming.whenTaken(next);
    };
    if (chunk.left > 0) {
      whenTaken(done);
      return;
    }
    this.#chunk = null;
    this._dataMode = false;
    const rest = octets.subarray(slice.length);
    // A turn of the event loop for each chunk: thousands of small ones in a segment must not become a deep stack.
    this.#endChunk(chunk, () => whenTaken(() => setImmediate(() => this._write(rest, 'buffer', done))));
  }

  /** In place of the platform's own, which costs each segment more than most commands do. Same contract: false, until `drain`. */
  override write(octets: Buffer): boolean {
    const latest = octets.toString('latin1', Math.max(0, octets.length - LONGEST_QUIT));
    this.#latest = (latest.length < LONGEST_QUIT ? this.#latest + latest : latest).slice(-LONGEST_QUIT);
    this.#unread += octets.length;
    this.#waiting.push(octets);
    this.#work();
    this.#needsDrain = this.#unread >= MOST_UNREAD;
    return !this.#needsDrain;
  }

  /** Sees to one segment behind the other. */
  #work(): void {
    if (this.#running) return;
    this.#running = true;
    try {
      while (this.#current === null) {
        const next = this.#waiting.shift();
        if (next === undefined) break;
        this.#current = next;
        this._write(next, 'buffer', this.#worked);
      }
    } finally {
      this.#running = false;
    }
  }

  readonly #worked = (): void => {
    this.#unread -= this.#current?.length ?? 0;
    this.#current = null;
    this.#work();
    if (this.#unread > 0) return;
    if (this.#hasQuit) this.onleft();
    if (this.#needsDrain) {
      this.#needsDrain = false;
      this.emit('drain');
    }
  };

  /**
   * The client has closed its side. One whose last word is QUIT has said all and reads on: Exim closes its side with the
   * dot, before any reply. Whoever says QUIT within unfinished content has left all the same (Postfix, for a lost client).
   */
  override end(): this {
    this.#hasQuit = QUIT.test(this.#latest);
    if (this.#current === null || !this.#hasQuit) this.onleft();
    return this;
  }

  override _write(octets: Buffer, _encoding: string, done: Continue): void {
    if (this.isClosed) {
      done();
    } else if (this._dataMode) {
      this._feedDataStream(octets, done);
    } else {
      this.#lines.push(octets);
      this.#runCommands(done);
    }
  }

  /** One after the other; `done` when more octets are needed. */
  #runCommands(done: Continue): void {
    let running = false;
    let answered = false;
    let run = 0;
    // A command that is answered at once asks for the next one from within: a loop, or thousands would be a deep stack.
    const next = (): void => {
      answered = true;
      if (running) return;
      running = true;
      try {
        while (answered) {
          answered = false;
          if (this.#isInterrupted(done)) return;
          const line = this.#lines.next();
          if (line === null) {
            if (this.#lines.problem !== null) this.onproblem(this.#lines.problem);
            done();
            return;
          }
          this.oncommandline(line, next);
          run += 1;
          if (answered && run % MOST_AT_ONCE === 0) {
            setImmediate(next);
            return;
          }
        }
      } finally {
        running = false;
      }
    };
    next();
  }

  /** Whether no command is to be read now: the connection is gone, or content stands behind the last one. */
  #isInterrupted(done: Continue): boolean {
    if (!this.isClosed && !this._dataMode) return false;
    const behind = this.#lines.takeRest();
    if (this.isClosed || behind.length === 0) done();
    else this._feedDataStream(behind, done);
    return true;
  }

  override _feedDataStream(chunk: Buffer, done: Continue): void {
    if (this.#chunk !== null) {
      this.#feedChunk(this.#chunk, chunk, done);
      return;
    }
    const incoming = this.#incoming;
    if (incoming === null) {
      done();
      return;
    }
    const rest = incoming.feed(chunk);
    if (rest === null) {
      incoming.whenTaken(done);
      return;
    }
    this.#incoming = null;
    this._dataMode = false;
    this.#resume = () => this._write(rest, 'buffer', done);
  }
}
