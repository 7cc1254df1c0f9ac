/**
 * verification - asks a server whether it would take a recipient, and remembers what it said.
 *
 * MAIL with the null reverse-path, RCPT, RSET: nothing is sent. Only a 5yz to RCPT is a no. Whatever else happens means
 * that nobody could be asked, and the transaction itself will tell.
 */
import type { Recipient } from '../core/envelope.ts';
import { isPermanent, isPositive, type Reply } from '../core/reply.ts';
import { needsSmtputf8 } from './commands.ts';
import type { Connection } from './connection.ts';
import { trouble } from './dialog.ts';
import { passOn, type Stage, type Trouble } from './failure.ts';

/** `refusal` null: the server would take the recipient. */
export interface Verification {
  readonly refusal: Reply | null;
}

/** `null`: the server did not say. Whenever it is not trouble the connection is ready for the next transaction. */
export async function verify(
  connection: Connection,
  recipient: Recipient,
  until: () => number,
): Promise<Verification | null | Trouble> {
  const wide = needsSmtputf8(recipient.raw);
  if (wide && !connection.capabilities.has('SMTPUTF8')) return null;
  let answered = false;
  const say = async (stage: Stage, command: string): Promise<Reply | Trouble> => {
    if (!connection.quiet) return trouble(connection, stage, 'misplaced', answered);
    connection.write(`${command}\r\n`);
    const outcome = await connection.reply(until);
    if (typeof outcome === 'string') return trouble(connection, stage, outcome, answered);
    // The last words of a server that closed an idle connection: they came before the command did.
    if (outcome.code === 421) return trouble(connection, stage, 'lost', answered);
    answered = true;
    return outcome;
  };
  const reset = async (): Promise<Trouble | null> => {
    const outcome = await say('reset', 'RSET');
    if ('failure' in outcome) return outcome;
    connection.needsReset = false;
    return isPositive(outcome) ? null : trouble(connection, 'reset', 'misplaced', answered);
  };

  const before = connection.needsReset ? await reset() : null;
  if (before !== null) return before;
  const mail = await say('mail', `MAIL FROM:<>${wide ? ' SMTPUTF8' : ''}`);
  if ('failure' in mail) return mail;
  const answer = isPositive(mail) ? await say('rcpt', `RCPT TO:<${recipient.raw}>`) : null;
  if (answer !== null && 'failure' in answer) return answer;
  const behind = await reset();
  if (behind !== null) return behind;
  if (answer === null) return null;
  if (isPositive(answer)) return { refusal: null };
  return isPermanent(answer) ? { refusal: passOn(answer) } : null;
}

/** Milliseconds for which an answer stands: people make mailboxes more often than they take them away. */
const YES_LASTS = 60 * 60_000;
const NO_LASTS = 5 * 60_000;
/** Answers of one downstream that are kept. */
const MOST_KEPT = 10_000;

/** What was said of recipients, for a while. */
export class Verifications {
  readonly #now: () => number;
  readonly #most: number;
  /** In the order in which they were told. */
  readonly #kept = new Map<string, { readonly said: Verification; readonly until: number }>();

  constructor(now: () => number = Date.now, most: number = MOST_KEPT) {
    this.#now = now;
    this.#most = most;
  }

  get(mailbox: string): Verification | null {
    const kept = this.#kept.get(mailbox);
    return kept === undefined || kept.until <= this.#now() ? null : kept.said;
  }

  set(mailbox: string, said: Verification): void {
    this.#kept.delete(mailbox);
    this.#kept.set(mailbox, { said, until: this.#now() + (said.refusal === null ? YES_LASTS : NO_LASTS) });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > this.#most && oldest !== undefined) this.#kept.delete(oldest);
  }
}
