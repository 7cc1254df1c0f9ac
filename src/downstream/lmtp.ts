/**
 * lmtp - the dialect of an LMTP downstream: LHLO, and one reply for each accepted recipient (RFC 2033 section 4.2).
 *
 * Mailman 3 breaks that law: a message with defects, a line too long or too much data get one refusal for all. When
 * replies are missing behind a refusal, QUIT is sent: a 221 in the place of a reply proves that none will come, and then
 * the refusal stands for the rest. After a 2yz, or without that proof, nothing is known of them.
 */
import { isPositive, type Reply } from '../core/reply.ts';
import type { Connection } from './connection.ts';
import { type Dialect, isFinal, trouble } from './dialog.ts';
import { type Failure, passOn } from './failure.ts';

/** `missingAfter`: milliseconds of silence behind a refusal after which replies are held to be missing. */
export function lmtp(missingAfter: number): Dialect {
  return {
    hello: ['LHLO'],

    async finalReplies(connection, accepted, { answers, until }) {
      let last: Reply | null = null;
      let allRefused = true;
      let quitting = false;
      let answered = 0;
      for (const position of accepted) {
        const mayBeMissing: boolean = last !== null && allRefused && !quitting;
        let outcome: Reply | Failure | 'missing' =
          connection.take() ?? (await nextReply(connection, until, mayBeMissing ? missingAfter : null));
        if (outcome === 'missing') {
          quitting = true;
          connection.write('QUIT\r\n');
          outcome = await connection.reply(until);
        }
        if (typeof outcome === 'string') return trouble(connection, 'final', outcome);
        if (outcome.code === 221 && quitting && allRefused && last !== null) {
          for (const left of accepted.slice(answered)) answers.set(left, last);
          return 'over';
        }
        if (!isFinal(outcome)) return trouble(connection, 'final', 'misplaced');
        allRefused &&= !isPositive(outcome);
        last = passOn(outcome);
        answers.set(position, last);
        answered += 1;
      }
      return quitting ? 'over' : 'complete';
    },
  };
}

/** `missing`: the server was silent for `patience` milliseconds, and there is time left. */
async function nextReply(
  connection: Connection,
  until: () => number,
  patience: number | null,
): Promise<Reply | Failure | 'missing'> {
  if (patience === null) return await connection.reply(until);
  const end = until();
  const soon = Math.min(Date.now() + patience, end);
  const outcome = await connection.reply(() => soon);
  return outcome === 'silent' && soon < end ? 'missing' : outcome;
}
