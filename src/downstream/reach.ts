/**
 * reach - whether a downstream can carry a recipient at all, by what it said when it was last greeted: told at RCPT, to that
 * recipient alone, while the others of the transaction go on.
 */
import type { Recipient, Transaction } from '../core/envelope.ts';
import { type Reply, withId } from '../core/reply.ts';
import { needsSmtputf8 } from './commands.ts';
import type { Downstream } from './downstream.ts';
import { addressNotSupported } from './failure.ts';

/** The reply that refuses the recipient; null where it can be carried, and while nobody knows (RFC 6531 section 3.2). */
export function outOfReach(downstream: Downstream, transaction: Transaction, recipient: Recipient): Reply | null {
  if (downstream.offers?.()?.smtputf8 !== false) return null;
  if (!needsSmtputf8(recipient.raw) && !isWide(transaction.rawReversePath)) return null;
  return withId(addressNotSupported, transaction.id);
}

/** The one asked last: it is that of all recipients of its transaction. */
let last = { reversePath: '', wide: false };

function isWide(reversePath: string): boolean {
  if (last.reversePath !== reversePath) last = { reversePath, wide: needsSmtputf8(reversePath) };
  return last.wide;
}
