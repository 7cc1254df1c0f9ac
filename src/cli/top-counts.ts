/**
 * top-counts - which names come most often, in bounded memory (the Space-Saving algorithm of Metwally, Agrawal and El
 * Abbadi, 2005).
 *
 * When all places are taken a new name takes the place, and the count, of the rarest: a name that comes often is never
 * missed, and its count is too high by at most the total divided by the number of places.
 */

export interface Counted {
  readonly name: string;
  readonly count: number;
}

/** Longer names share a place: they come from the network. */
const LONGEST_NAME = 320;

export class TopCounts {
  readonly #places: number;
  readonly #counts = new Map<string, number>();

  constructor(places: number) {
    this.#places = places;
  }

  add(given: string): void {
    const name = given.slice(0, LONGEST_NAME);
    const count = this.#counts.get(name);
    if (count === undefined && this.#counts.size >= this.#places) {
      const [rarest, least] = this.#rarest();
      this.#counts.delete(rarest);
      this.#counts.set(name, least + 1);
    } else {
      this.#counts.set(name, (count ?? 0) + 1);
    }
  }

  /** The first `count` names, the most frequent first. */
  top(count: number): readonly Counted[] {
    return ranked([...this.#counts].map(([name, times]) => ({ name, count: times }))).slice(0, count);
  }

  #rarest(): readonly [string, number] {
    let found: readonly [string, number] = ['', Number.POSITIVE_INFINITY];
    for (const entry of this.#counts) if (entry[1] < found[1]) found = entry;
    return found;
  }
}

/** The most frequent first; names of the same count by name. */
export function ranked(all: readonly Counted[]): readonly Counted[] {
  return [...all].sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1));
}
