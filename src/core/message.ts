/**
 * message - content as it travels: header section, header fields, octets (RFC 5322 section 2).
 *
 * Interfaces only; `mail/` implements them.
 */
import type { Mailbox } from './mailbox.ts';

/** One header field; `start` and `end` are octet offsets in the content, `end` behind the CRLF that ends the field. */
export interface HeaderField {
  /** The field name as written. */
  readonly name: string;
  readonly start: number;
  readonly end: number;
  /** Octet offset of the first octet of the value, behind white space and line ends. */
  readonly valueStart: number;
  /** The field body unfolded (RFC 5322 section 2.2.3), without surrounding white space, otherwise as it stands. */
  readonly value: string;
  /** `value` with encoded words and charsets decoded (RFC 2047). */
  readonly text: string;
}

/** The header section. All getters are computed once and kept: facts are shared by all recipients. */
export interface Header {
  readonly fields: readonly HeaderField[];
  /** Octets of the header section including the empty line that ends it, if there is one. */
  readonly size: number;
  /** Fields of that name in order; the name without case. */
  named(name: string): readonly HeaderField[];
  /** The mailboxes of all From: fields, groups opened. */
  readonly authors: readonly Mailbox[];
}

/** Octets to deliver: lines ending in CRLF, no dot-stuffing. They can be read more than once. */
export interface Content {
  /** In octets. */
  readonly size: number;
  /** The octets in order. A plain array where they are few, and in memory. */
  slices(): readonly Buffer[] | AsyncIterable<Buffer>;
}

/** A whole message, after the final dot. */
export interface Message {
  readonly header: Header;
  readonly content: Content;
}

/** How the content of a transaction ended; all but `complete` mean that nothing of it may be relayed. */
export type ContentEnd = 'complete' | 'aborted' | 'too-large' | 'bare-newline' | 'nul';

/**
 * Content as it arrives. The octets must be read to their end: the client's next command stands behind them. Reading
 * slowly slows the client down. Iteration never throws; `end` is known after it.
 */
export interface IncomingContent extends AsyncIterable<Buffer> {
  readonly end: ContentEnd | null;
}
