/**
 * case-sets - the sets of a file while its cases run: each case gives them members of its own.
 *
 * A set that is a file has the members that the case gives, and no others: whether a case passes must not depend on who
 * happens to be subscribed today. So no case waits for a disk or a network.
 */
import type { AddressEntry } from '../store/address.ts';
import type { Network } from '../store/inline.ts';
import type { Store } from '../store/store.ts';
import { type OpenedSet, openSet, type SetSource } from './sets.ts';

/** The members of a set. */
export type Given = { readonly values: readonly AddressEntry[] } | { readonly addresses: readonly Network[] };
/** What one case gives, by the name of the set. */
export type GivenSets = ReadonlyMap<string, Given>;

export class CaseSets {
  readonly #file: string;
  readonly #now: () => number;
  readonly #sources = new Map<string, SetSource>();
  readonly #stores = new Map<string, Store>();
  /** Files of which the case gives no member. */
  readonly #empty = new Set<string>();
  readonly #missed = new Set<string>();

  /** `file` is the file in which the sets stand. */
  constructor(file: string, now: () => number) {
    this.#file = file;
    this.#now = now;
  }

  /** Opens a named set of the file while it is loaded; it is empty until `give`. */
  open(name: string, source: SetSource): OpenedSet {
    this.#sources.set(name, source);
    const has: Store['has'] = (key, signal) => {
      if (this.#empty.has(name)) this.#missed.add(name);
      return this.#stores.get(name)?.has(key, signal) ?? false;
    };
    const { kind, canonical, path } = openSet(source, this.#file, this.#now);
    return { kind, canonical, path, store: { has, close: () => {} } };
  }

  /** The files that were asked since `give` and have no member in this case. */
  get missed(): readonly string[] {
    return [...this.#missed];
  }

  /** From now on the sets hold what is given, the others what stands in the file itself. */
  give(given: GivenSets): void {
    this.#empty.clear();
    this.#missed.clear();
    for (const [name, source] of this.#sources) {
      if (source.file !== undefined && !given.has(name)) this.#empty.add(name);
      const instead = given.get(name) ?? (source.file === undefined ? null : { values: [] });
      const none = { values: undefined, addresses: undefined, file: undefined };
      const members = instead === null ? source : { ...source, ...none, ...instead };
      this.#stores.set(name, openSet(members, this.#file, this.#now).store);
    }
  }
}
