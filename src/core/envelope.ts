/**
 * envelope - who sends a message and to whom (RFC 5321 section 2.3.1), as values.
 *
 * Interfaces only. The server makes them, the rules ask them, a downstream passes them on.
 */
import type { Mailbox } from './mailbox.ts';
import type { Signal } from './signal.ts';

/** The original client: the peer of the connection, or whom a trusted peer named by XFORWARD. */
export interface Client {
  /** IPv4 or IPv6 address as text; null where nobody told (unix socket, `[UNAVAILABLE]`). */
  readonly address: string | null;
  readonly name: string | null;
  /** TCP port; null where nobody told. */
  readonly port: number | null;
  /** The argument of HELO, EHLO or LHLO. */
  readonly helo: string;
  /** null where nobody told: XFORWARD does not. */
  readonly tls: boolean | null;
  /** The name it authenticated with, null if it did not; left out where nobody told: XFORWARD does not. */
  readonly login?: string | null;
  /** Whether the MTA that told of the client counts it as one of its own (Postfix XFORWARD_README); left out where nobody told. */
  readonly source?: 'LOCAL' | 'REMOTE';
  /** The protocol of the original client's session. */
  readonly protocol: 'SMTP' | 'ESMTP' | 'LMTP';
}

/**
 * Parameters of MAIL or RCPT: keyword in upper case to value exactly as received, xtext not decoded; null for a keyword
 * without a value (RFC 5321 section 4.1.2, esmtp-param).
 */
export type EsmtpParameters = ReadonlyMap<string, string | null>;

/** One accepted or refused RCPT. */
export interface Recipient {
  readonly forwardPath: Mailbox;
  /** The path as it was received, without angle brackets and source route. */
  readonly raw: string;
  readonly parameters: EsmtpParameters;
}

/** From MAIL to the end of DATA (RFC 5321 section 3.3). */
export interface Transaction {
  /** Short, unique, printable; it ends every refusal and stands in the log. */
  readonly id: string;
  readonly client: Client;
  /** null for the null reverse-path `<>`. */
  readonly reversePath: Mailbox | null;
  /** The reverse-path as it was received, without angle brackets and source route; empty for `<>`. */
  readonly rawReversePath: string;
  readonly parameters: EsmtpParameters;
  /** Aborts when the client is gone. */
  readonly signal: Signal;
}

/** What one transaction with a downstream carries. */
export interface Envelope {
  readonly transaction: Transaction;
  /** No two are the same mailbox. */
  readonly recipients: readonly Recipient[];
}
