/**
 * lmtp - the dialect of an LMTP downstream: LHLO, and one reply for each accepted recipient (RFC 2033 section 4.2).
 *
 * Mailman 3 breaks that law: a message with defects, a line too long or too much data get one refusal for all. When
 * replies are missing behind a refusal, QUIT is sent: a 221 in the place of a reply proves that none will come, and then
 * the refusal stands for the rest. After a 2yz, or without that proof, nothing is known of them.
 */
import { isPositive, type Reply } from '../core/reply.ts';
import { type Dialect, isFinal, trouble } from './dialog.ts';
import { passOn } from './failure.ts';

/** `missingAfter`: milliseconds of silence behind a refusal after which replies are held to be missing. */
export function lmtp(missingAfter: number): Dialect {
  return {
    hello: ['LHLO'],

    async finalReplies(connection, accepted, { answers, until }) {
      let last: Reply | null = null;
      let allRefused = true;
      let quitting = false;
      for (const [index, position] of accepted.entries()) {
        const end = until();
        const mayBeMissing = last !== null && allRefused && !quitting;
        const patience = mayBeMissing ? Math.min(Date.now() + missingAfter, end) : end;
        const next = connection.reply(patience);
        let outcome = next instanceof Promise ? await next : next;
        if (outcome === 'silent' && patience < end) {
          quitting = true;
          connection.write('QUIT\r\n');
          outcome = await connection.reply(end);
        }
        if (typeof outcome === 'string') return trouble(connection, 'final', outcome);
        if (outcome.code === 221 && quitting && allRefused && last !== null) {
          for (const left of accepted.slice(index)) answers.set(left, last);
          return 'over';
        }
        if (!isFinal(outcome)) return trouble(connection, 'final', 'misplaced');
        allRefused &&= !isPositive(outcome);
        last = passOn(outcome);
        answers.set(position, last);
      }
      return quitting ? 'over' : 'complete';
    },
  };
}
