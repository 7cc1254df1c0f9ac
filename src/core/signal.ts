/**
 * signal - whether whoever asked is gone, and who is to hear of it.
 *
 * What is needed of an AbortSignal, which is one. The platform's own costs a session of one message as much as all of its
 * commands: it is made for each, and hardly ever heard of.
 */

export interface Signal {
  readonly aborted: boolean;
  addEventListener(event: 'abort', listener: () => void): void;
  removeEventListener(event: 'abort', listener: () => void): void;
}

export class Departure implements Signal {
  #aborted = false;
  #listeners: Set<() => void> | null = null;

  get aborted(): boolean {
    return this.#aborted;
  }

  addEventListener(_event: 'abort', listener: () => void): void {
    this.#listeners ??= new Set();
    this.#listeners.add(listener);
  }

  removeEventListener(_event: 'abort', listener: () => void): void {
    this.#listeners?.delete(listener);
  }

  /** Told once. */
  abort(): void {
    if (this.#aborted) return;
    this.#aborted = true;
    for (const listener of this.#listeners ?? []) listener();
  }
}
