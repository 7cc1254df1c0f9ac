/**
 * tally - counts a transaction once, however many of its recipients ask and at however many phases.
 */
import type { Transaction } from '../core/envelope.ts';
import type { Ledger } from '../store/ledger.ts';

type Counts = Map<string, number | Promise<number>>;

const counted = new WeakMap<Transaction, Counts>();

/** The count that the transaction makes. Throws or rejects where the ledger cannot answer. */
export function countOnce(
  ledger: Ledger,
  transaction: Transaction,
  key: string,
  window: number,
): number | Promise<number> {
  const counts = counted.get(transaction) ?? new Map();
  counted.set(transaction, counts);
  const known = counts.get(key);
  if (known !== undefined) return known;
  const count = ledger.count(key, window, transaction.signal);
  counts.set(key, count);
  if (typeof count !== 'number') {
    // Whoever asked waits for it too and sees it fail.
    count.then((fetched) => counts.set(key, fetched)).catch(() => {});
  }
  return count;
}

/** The count, where the transaction was counted and the answer is there. */
export function countOf(transaction: Transaction, key: string): number | null {
  const count = counted.get(transaction)?.get(key);
  return typeof count === 'number' ? count : null;
}
