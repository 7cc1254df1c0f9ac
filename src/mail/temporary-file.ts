/**
 * temporary-file - octets on disk that vanish with the process: the file has no name once it is open.
 *
 * Written in order at its end, read by position, so that several readers do not disturb each other. Trouble while writing
 * is a state, `failure`; trouble while reading throws.
 */
import { randomUUID } from 'node:crypto';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';

const PIECE = 64 * 1024;

export class TemporaryFile {
  /** Everything asked for so far; never rejects. */
  #done: Promise<void>;
  #handle: FileHandle | null = null;
  #failure: unknown = null;
  #closed = false;
  #size = 0;

  /** Creates it in `folder`, readable and writable by nobody else. */
  constructor(folder: string) {
    this.#done = this.#guard(async () => {
      const path = join(folder, `postern-${randomUUID()}`);
      this.#handle = await open(path, 'wx+', 0o600);
      await unlink(path);
    });
  }

  /** What the file system said when it failed; null while all is well. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Resolves when everything appended so far is written, or `failure` is set; never rejects. */
  written(): Promise<void> {
    return this.#done;
  }

  /** Resolves like `written`. */
  append(slice: Buffer): Promise<void> {
    this.#done = this.#done.then(() => this.#guard(() => this.#write(slice)));
    return this.#done;
  }

  /** The octets written, in pieces of at most 64 KiB. */
  async *pieces(): AsyncGenerator<Buffer> {
    for (let position = 0; position < this.#size; ) {
      const piece = Buffer.allocUnsafe(Math.min(PIECE, this.#size - position));
      const read = await this.#handle?.read(piece, 0, piece.length, position);
      if (!read?.bytesRead) throw new Error('the temporary file is closed or cut short');
      position += read.bytesRead;
      yield piece.subarray(0, read.bytesRead);
    }
  }

  /** Gives the space back; what is still to be written is not, and readers get an error. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#done = this.#done.then(() => this.#guard(async () => this.#handle?.close()));
  }

  async #write(slice: Buffer): Promise<void> {
    if (this.#closed || this.#failure !== null) return;
    for (let from = 0; from < slice.length; ) {
      const written = await this.#handle?.write(slice, from, slice.length - from, this.#size);
      if (!written) return;
      from += written.bytesWritten;
      this.#size += written.bytesWritten;
    }
  }

  async #guard(step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      this.#failure ??= error;
    }
  }
}
