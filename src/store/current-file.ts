/**
 * current-file - what a file holds, read again when it is another one.
 *
 * It is looked at when it is asked for, at most every two seconds. It is taken whole or not at all: while it is missing or
 * cannot be read, or its reader rejects, every question is answered with that error, until it is mended.
 */
import type { Eventual } from '../core/eventual.ts';
import { fileVersion } from './file-version.ts';

export interface CurrentFileOptions<T> {
  readonly path: string;
  /** In octets; a larger file is not read. */
  readonly largest: number;
  /** Makes what is kept of the file; rejects where nothing of it may be used. */
  readonly read: () => Promise<T>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Milliseconds for which a file is taken to be unchanged. */
const TRUSTED_FOR = 2000;

export class CurrentFile<T> {
  readonly #options: CurrentFileOptions<T>;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #version = '';
  #held: { readonly value: T } | null = null;
  #failure: unknown = null;
  #look: Promise<void> | null = null;

  /** Does no I/O. */
  constructor(options: CurrentFileOptions<T>) {
    this.#options = options;
  }

  /** What the file holds now; a promise only where it has to be looked at. Throws or rejects where it cannot be used. */
  get(): Eventual<T> {
    const age = this.#options.now() - this.#lookedAt;
    if (age >= 0 && age < TRUSTED_FOR) return this.#answer();
    this.#look ??= this.#lookAgain().finally(() => {
      this.#look = null;
    });
    return this.#look.then(() => this.#answer());
  }

  /** Frees what is kept; no question follows. */
  close(): void {
    this.#held = null;
  }

  #answer(): T {
    if (this.#held === null) throw this.#failure;
    return this.#held.value;
  }

  /** Never rejects: what went wrong is told to everyone who asks. */
  async #lookAgain(): Promise<void> {
    const { path, largest, read, now } = this.#options;
    try {
      const version = await fileVersion(path, largest);
      if (version !== this.#version) {
        this.#held = { value: await read() };
        this.#version = version;
      }
    } catch (error) {
      this.#held = null;
      this.#version = '';
      this.#failure = error;
    }
    this.#lookedAt = now();
  }
}
