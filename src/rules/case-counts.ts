/**
 * case-counts - the memory that a case meets: nothing is in it but that its message comes for the so many-th time.
 *
 * What came before is known by the signal of the transaction, so that cases that run at a time do not meet.
 */
import type { Signal } from '../core/signal.ts';
import type { Ledger } from '../store/ledger.ts';

const times = new WeakMap<Signal, number>();

/** `count`: how many messages like that of the transaction have come, this one included. */
export function comesAs(count: number, signal: Signal): void {
  times.set(signal, count);
}

/** It counts what `comesAs` says, remembers nothing and knows of no copy. */
export const CASE_LEDGER: Ledger = {
  count: (_key, _window, signal) => times.get(signal) ?? 1,
  mark() {},
  isMarked: () => false,
  close() {},
};
