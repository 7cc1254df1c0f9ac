/**
 * smtp - the dialect of an SMTP downstream: EHLO or HELO, and one reply for all recipients (RFC 5321 section 4.2).
 */
import { type Dialect, isFinal, trouble } from './dialog.ts';
import { passOn } from './failure.ts';

export const smtp: Dialect = {
  hello: ['EHLO', 'HELO'],

  async finalReplies(connection, accepted, { answers, until }) {
    const outcome = await connection.reply(until);
    if (typeof outcome === 'string') return trouble(connection, 'final', outcome);
    if (!isFinal(outcome)) return trouble(connection, 'final', 'misplaced');
    const answer = passOn(outcome);
    for (const position of accepted) answers.set(position, answer);
    return 'complete';
  },
};
