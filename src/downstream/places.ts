/**
 * places - how many transactions may be under way with a downstream at a time; the others wait for their turn.
 *
 * First come, first served. Nobody waits beyond the end of its own time, or for a client that has left.
 */
import type { Signal } from '../core/signal.ts';

export class Places {
  readonly #waiting = new Set<() => void>();
  #free: number;

  constructor(places: number) {
    this.#free = places;
  }

  /** Whether a place was got, which `leave` gives back, by `until` in milliseconds since the epoch. */
  take(until: number, signal: Signal): boolean | Promise<boolean> {
    if (this.#free > 0) {
      this.#free--;
      return true;
    }
    return new Promise((resolve) => {
      const settle = (got: boolean): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', giveUp);
        this.#waiting.delete(turn);
        resolve(got);
      };
      const turn = (): void => settle(true);
      const giveUp = (): void => settle(false);
      const timer = setTimeout(giveUp, Math.min(Math.max(until - Date.now(), 0), LONGEST_TIMER));
      timer.unref();
      signal.addEventListener('abort', giveUp);
      this.#waiting.add(turn);
    });
  }

  leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) this.#free++;
    else next();
  }
}

const LONGEST_TIMER = 2 ** 31 - 1;
