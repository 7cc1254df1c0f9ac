/**
 * memory-ledger - the ledger of one process, in bounded caches: nothing is written, and a restart forgets all.
 *
 * No entry has a timer. One whose time is over is found to be so when it is asked for; the oldest leave when there are too
 * many. Who floods it with made-up addresses can so have a count forgotten, which lets a message through that was over its
 * limit, and never keeps one out that was not.
 */
import type { Ledger } from './ledger.ts';
import { BoundedCache } from './memory.ts';

export interface MemoryLedgerOptions {
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /** Of counts, and of marks. */
  readonly maxEntries?: number;
}

/** About 40 MB where both caches are full. */
const MOST_ENTRIES = 100_000;

interface Tally {
  since: number;
  count: number;
}

interface Mark {
  readonly since: number;
  readonly lasting: number;
}

export function memoryLedger({ now = Date.now, maxEntries = MOST_ENTRIES }: MemoryLedgerOptions = {}): Ledger {
  const tallies = new BoundedCache<Tally>({ maxEntries });
  const marks = new BoundedCache<Mark>({ maxEntries });
  /** A clock that was set back ends what was going on. */
  const isRunning = (since: number, lasting: number): boolean => {
    const age = now() - since;
    return age >= 0 && age < lasting;
  };
  return {
    count(key, window) {
      const tally = tallies.get(key);
      if (tally === undefined || !isRunning(tally.since, window)) {
        tallies.set(key, { since: now(), count: 1 });
        return 1;
      }
      tally.count += 1;
      return tally.count;
    },
    mark: (key, lasting) => marks.set(key, { since: now(), lasting }),
    isMarked(key) {
      const mark = marks.get(key);
      return mark !== undefined && isRunning(mark.since, mark.lasting);
    },
    close() {
      tallies.close();
      marks.close();
    },
  };
}
