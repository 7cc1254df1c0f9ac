/**
 * sysexits - what the exit code of a program says of a message (sysexits.h of BSD), as a reply.
 *
 * 0 took it. Only a code that says so refuses for good; every other one is a fault that may pass: Mailman 2 exits with 1
 * for a list that is not there and for a full disk alike.
 */
import { type EnhancedStatusCode, type Reply, replies, reply } from '../core/reply.ts';

/** Also for a program that cannot be started. */
export const programFailed = reply(
  451,
  '4.3.0',
  'The program behind this server could not take the message; please try again later',
);

const REFUSALS: ReadonlyMap<number, readonly [EnhancedStatusCode, string]> = new Map([
  [64, ['5.3.5', 'The program behind this server cannot be used that way']], // EX_USAGE
  [65, ['5.6.0', 'The message cannot be processed']], // EX_DATAERR
  [66, ['5.3.0', 'The message cannot be processed']], // EX_NOINPUT
  [67, ['5.1.1', 'No such mailbox']], // EX_NOUSER
  [68, ['5.1.2', 'No such host']], // EX_NOHOST
  [69, ['5.3.0', 'The service behind this address is not available']], // EX_UNAVAILABLE
  [70, ['5.3.0', 'The program behind this server failed']], // EX_SOFTWARE
  [77, ['5.7.1', 'You are not permitted to send to this address']], // EX_NOPERM
  [78, ['5.3.5', 'The program behind this server is not set up']], // EX_CONFIG
]);

/** `code`: null where a signal ended the program. */
export function replyToExit(code: number | null): Reply {
  if (code === 0) return replies.messageAccepted;
  const refusal = code === null ? undefined : REFUSALS.get(code);
  return refusal === undefined ? programFailed : reply(550, ...refusal);
}
