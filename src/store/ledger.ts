/**
 * ledger - the contract of what is remembered between transactions: how often something came, and that it came.
 *
 * Keys say whose they are by `ledgerKey`, so that one ledger serves all rules and, where it lives outside of the process,
 * all processes; that is why every answer may be a promise. A ledger that cannot answer throws (or rejects), and never
 * says that nothing came because it could not look.
 */
import { createHash } from 'node:crypto';
import type { Signal } from '../core/signal.ts';

export interface Ledger {
  /**
   * Counts one more of `key` and answers how many came in its window, this one included. A window begins with the first
   * one and is `window` milliseconds long; what comes then begins another.
   */
  count(key: string, window: number, signal: Signal): number | Promise<number>;
  /** Remembers `key` for `lasting` milliseconds from now. */
  mark(key: string, lasting: number): void | Promise<void>;
  /** Whether `key` is remembered. */
  isMarked(key: string, signal: Signal): boolean | Promise<boolean>;
  /** Frees what the ledger holds; no question follows. */
  close(): void;
}

/** Base64 characters of a digest that are kept: 132 bits. */
const DIGEST = 22;

/** A short key for any values, also long ones and those that come from outside; `kind` keeps uses apart. */
export function ledgerKey(kind: string, ...values: readonly string[]): string {
  const digest = createHash('sha256').update(JSON.stringify(values)).digest('base64url');
  return `${kind}:${digest.slice(0, DIGEST)}`;
}
