/**
 * transaction-id - short names for transactions: they stand in refusals and in the log.
 */
import { randomFillSync } from 'node:crypto';

/** Digits and letters without those that are mistaken for one another when read aloud. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const LENGTH = 10;

const pool = Buffer.alloc(LENGTH * 256);
let used = pool.length;

/** Ten letters and digits, 50 random bits: unique for as long as a log is kept. */
export function newTransactionId(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  let id = '';
  for (const octet of pool.subarray(used, used + LENGTH)) id += ALPHABET[octet & 31];
  used += LENGTH;
  return id;
}
