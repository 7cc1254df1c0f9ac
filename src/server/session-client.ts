/**
 * session-client - who the client of a session is said to be: the peer, whom the PROXY header named, or whom a trusted
 * peer names by XFORWARD.
 */
import type { Client } from '../core/envelope.ts';
import { type Reply, reply } from '../core/reply.ts';
import type { ProxySource } from '../smtp/proxy-header.ts';
import type { Site } from './site.ts';
import { type Forwarded, forwardedClient, parseXforward } from './xforward.ts';

/** The peer of the connection; on a unix socket it has neither address nor port. */
export interface PeerAddress {
  readonly address: string | null;
  readonly port: number | null;
}

export class SessionClient {
  readonly #peer: PeerAddress;
  readonly #origin: PeerAddress;
  #forwarded: Forwarded | null = null;

  constructor(peer: PeerAddress, source: ProxySource) {
    this.#peer = peer;
    this.#origin = source === 'peer' ? peer : source;
  }

  /** Whether this peer's word on who the client is, is taken. On a unix socket: who may open it, is trusted. */
  isTrusted({ clientFrom, trusts }: Site): boolean {
    return clientFrom !== 'peer' && (this.#peer.address === null || trusts(this.#peer.address));
  }

  /** `argument` is what stands behind the verb. */
  xforward(argument: string): Reply {
    this.#forwarded = new Map([...(this.#forwarded ?? []), ...parseXforward(argument)]);
    return reply(250, '2.0.0', 'Ok');
  }

  /** What XFORWARD told holds until the end of the transaction (Postfix XFORWARD_README). */
  forgetForwarded(): void {
    this.#forwarded = null;
  }

  /** The facts; `greeting` is what the peer of the session itself has shown. */
  facts(site: Site, greeting: Pick<Client, 'helo' | 'tls' | 'protocol'>): Client {
    const peer: Client = { ...this.#origin, name: null, ...greeting };
    if (site.clientFrom !== 'xforward' || !this.isTrusted(site)) return peer;
    return forwardedClient(this.#forwarded ?? new Map(), peer);
  }
}
