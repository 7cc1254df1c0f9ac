/**
 * entrance - what the listener a transaction came through promised its client.
 */

export interface Entrance {
  /** Names the listener in the log: `lmtp:127.0.0.1:10024`. */
  readonly name: string;
  /** `each`: one reply for each recipient after the dot (LMTP, or SMTP with PRDR). `one`: SMTP, one for all. */
  readonly replies: 'each' | 'one';
  /** What `one` reply does where verdicts may differ (`prdr`: as `split`); without meaning for `each`. */
  readonly mixed: 'split' | 'strictest' | 'prdr';
  /** `data`: every RCPT is accepted and its refusal told after the dot, for clients that take a refused RCPT for all. */
  readonly refuseAt: 'rcpt' | 'data';
  /** Milliseconds from the client's dot to our last reply. */
  readonly deadline: number;
  /** Whether a Received field is added (RFC 5321 section 4.4). */
  readonly received: boolean;
}
