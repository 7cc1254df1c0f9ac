/**
 * store - the contract of a named look-up: is this key in the set?
 *
 * A key is what the kind of store says: an address as `addressKey` makes it, or an IP address. A store that cannot answer
 * throws (or rejects), and never says no because it could not ask: who asks defers then.
 */
import type { Signal } from '../core/signal.ts';

export interface Store {
  /** Whether the key is in the set. A promise only where the answer has to be fetched. */
  has(key: string, signal: Signal): boolean | Promise<boolean>;
  /** Frees what the store holds; no question follows. */
  close(): void;
}

/** One kind of store; `name` is the word in the file that asks for it. */
export interface StoreSpec<O> {
  readonly name: string;
  readonly summary: string;
  open(options: O): Store;
}

/** Declares a kind of store. Opening it does no I/O: what is missing or broken shows when it is asked. */
export function defineStore<O>(spec: StoreSpec<O>): StoreSpec<O> {
  return spec;
}
