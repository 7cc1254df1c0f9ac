/**
 * site - what a listener tells its connections. It is looked up at each transaction, so that a reload reaches open sessions
 * between two of them.
 */
import type { SecureContext } from 'node:tls';
import type { Log } from '../core/log.ts';
import type { Entrance } from '../pipeline/entrance.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import type { ContentLimits } from './data.ts';

/** What the downstreams can carry, as far as they said (protocol.md: offer what can be passed on). */
export interface Offers {
  /** The smallest SIZE in octets; null where no downstream named one. */
  readonly size: number | null;
  readonly smtputf8: boolean;
  readonly dsn: boolean;
}

export interface Site {
  readonly protocol: 'lmtp' | 'smtp';
  readonly hostname: string;
  readonly entrance: Entrance;
  /** Who the client is said to be: the peer, or whom a trusted peer names. */
  readonly clientFrom: 'peer' | 'xforward' | 'xclient' | 'proxy';
  readonly trusts: (address: string) => boolean;
  /** Whether CHUNKING is offered (RFC 3030). */
  readonly chunking: boolean;
  /** What STARTTLS is offered with; null: not at all. */
  readonly tls: SecureContext | null;
  readonly limits: ContentLimits & { readonly recipients: number };
  readonly sessions: {
    /** Connections at a time of one client address. */
    readonly perPeer: number;
    /** Bad commands, and commands, of one session since its last message. */
    readonly errors: number;
    readonly commands: number;
  };
  /** Milliseconds a client may be silent while we wait for it. */
  readonly clientTimeout: number;
  readonly log: Log;
  readonly pipeline: () => Pipeline;
  readonly offers: () => Offers;
  /** Whether the process has as many connections as it may have. */
  readonly isFull: () => boolean;
}
