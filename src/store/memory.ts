/**
 * memory - a cache with a bound, on node-cache.
 *
 * What node-cache does by itself is kept away: it clones values, throws when it is full, evicts nothing, and keeps its keys
 * in a plain object, where `__proto__` is not a key like any other. Every key gets a prefix, and the oldest entry leaves
 * when a new one finds no room.
 */
import NodeCache from 'node-cache';

export interface BoundedCacheOptions {
  /** Of entries that take one place each. */
  readonly maxEntries: number;
  /** Milliseconds for which an entry is good; without it, until it has to leave. */
  readonly ttl?: number;
  /** Told whenever an entry has left, whatever the reason; not of a value that another took the place of. */
  readonly left?: () => void;
}

/** Seconds between two sweeps of expired entries. */
const SWEEP = 60;

/** `V` must not include undefined. */
export class BoundedCache<V> {
  readonly #cache: NodeCache;
  /** The keys in the order in which they came, as a ring; a place may hold a key that has left already. */
  readonly #order: string[] = [];
  readonly #maxEntries: number;
  #oldest = 0;

  constructor({ maxEntries, ttl, left }: BoundedCacheOptions) {
    this.#maxEntries = Math.max(1, maxEntries);
    const expiry = ttl === undefined ? { stdTTL: 0, checkperiod: 0 } : { stdTTL: ttl / 1000, checkperiod: SWEEP };
    this.#cache = new NodeCache({ useClones: false, ...expiry });
    if (left !== undefined) this.#cache.on('del', left);
  }

  get(key: string): V | undefined {
    return this.#cache.get<V>(`:${key}`);
  }

  /** `places`: of `maxEntries`, for a new entry; more than one for what is large, so that less finds room beside it. */
  set(key: string, value: V, places = 1): void {
    const name = `:${key}`;
    if (!this.#cache.has(name)) {
      for (let taken = 0; taken < Math.min(places, this.#maxEntries); taken += 1) this.#makeRoom(name);
    }
    this.#cache.set(name, value);
  }

  delete(key: string): void {
    this.#cache.del(`:${key}`);
  }

  close(): void {
    this.#cache.flushAll();
    this.#cache.close();
  }

  #makeRoom(name: string): void {
    if (this.#order.length < this.#maxEntries) {
      this.#order.push(name);
      return;
    }
    const leaving = this.#order[this.#oldest];
    if (leaving !== undefined) this.#cache.del(leaving);
    this.#order[this.#oldest] = name;
    this.#oldest = (this.#oldest + 1) % this.#maxEntries;
  }
}
