/**
 * downstream - the contract of everything that takes a message from us: LMTP, SMTP, Maildir.
 *
 * A downstream never throws for what a network or a disk does, and it never decides: exactly one reply for each
 * recipient of the envelope, by position. All failure policy is in `failure.ts`. What a server said is passed on as it is;
 * a refusal of our own making ends with the transaction's id.
 */
import type { Eventual } from '../core/eventual.ts';
import type { Envelope, Recipient, Transaction } from '../core/envelope.ts';
import type { Content } from '../core/message.ts';
import type { Reply } from '../core/reply.ts';
import type { Signal } from '../core/signal.ts';

export interface DeliverOptions {
  /**
   * Aborted when the client is gone. Looked at until just before the final dot: then nothing is committed. After the dot
   * the transaction is finished whoever left (RFC 1047).
   */
  readonly signal: Signal;
  /** Milliseconds since the epoch by which `deliver` answers; whoever has no reply by then gets 451. */
  readonly deadline: number;
  /** Told each recipient's reply as soon as it is known; `position` is that of the envelope. */
  readonly onReply?: (position: number, reply: Reply) => void;
}

/** What a server said it can take, at its last greeting (RFC 1870, 6531, 3461). */
export interface ServerOffers {
  /** Octets; null where it named no limit. */
  readonly size: number | null;
  readonly smtputf8: boolean;
  readonly dsn: boolean;
}

export interface Downstream {
  readonly name: string;
  /** null while it is not known. */
  offers?(): ServerOffers | null;
  /** Connects once, so that `offers` is known before the first message; what goes wrong is told. */
  probe?(): Promise<string | null>;
  /**
   * Asked at RCPT: the reply that refuses the recipient for good; null where it would be taken, or nobody could say. It
   * is no promise: `deliver` may answer otherwise.
   */
  verify?(transaction: Transaction, recipient: Recipient): Eventual<Reply | null>;
  /**
   * One reply for each recipient of the envelope, in its order. When it resolves, slices of the content are read no more,
   * unless the client has left or the time is up; copies of them may be.
   */
  deliver(envelope: Envelope, content: Content, options: DeliverOptions): Promise<readonly Reply[]>;
  /** Ends idle connections; transactions under way finish first. */
  close(): Promise<void>;
}
