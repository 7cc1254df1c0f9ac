/**
 * session-client - who the client of a session is said to be: the peer, whom the PROXY header named, or whom a trusted
 * peer names by XFORWARD (for one transaction) or XCLIENT (for the session).
 */
import type { Client } from '../core/envelope.ts';
import { type Reply, reply } from '../core/reply.ts';
import type { ProxySource } from '../smtp/proxy-header.ts';
import type { Site } from './site.ts';
import { parseXclient, type Told, toldClient } from './xclient.ts';
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
  #told: Told = new Map();

  constructor(peer: PeerAddress, source: ProxySource) {
    this.#peer = peer;
    this.#origin = source === 'peer' ? peer : source;
  }

  /** The client's address, as far as the connection tells. */
  get address(): string | null {
    return this.#origin.address;
  }

  /** Whether this peer's word on who the client is, is taken. On a unix socket: who may open it, is trusted. */
  isTrusted({ clientFrom, trusts }: Site): boolean {
    return clientFrom !== 'peer' && (this.#peer.address === null || trusts(this.#peer.address));
  }

  /** The address whose connections are counted; null for a peer that speaks for many, and on a unix socket. */
  countedAddress(site: Site): string | null {
    const speaksForMany = (site.clientFrom === 'xforward' || site.clientFrom === 'xclient') && this.isTrusted(site);
    return speaksForMany ? null : this.#origin.address;
  }

  /** `argument` is what stands behind the verb. */
  xforward(argument: string): Reply {
    this.#forwarded = new Map([...(this.#forwarded ?? []), ...parseXforward(argument)]);
    return reply(250, '2.0.0', 'Ok');
  }

  /** `argument` is what stands behind the verb; null where it is taken: then the session starts anew. */
  xclient(argument: string): Reply | null {
    const told = parseXclient(argument);
    if ('code' in told) return told;
    // Another address is another client: what was told of the one before is not true of it.
    this.#told = told.has('ADDR') ? told : new Map([...this.#told, ...told]);
    return null;
  }

  /** What XFORWARD told holds until the end of the transaction (Postfix XFORWARD_README). */
  forgetForwarded(): void {
    this.#forwarded = null;
  }

  /** What was told before TLS could have been told by anybody (RFC 3207 section 4.2). */
  forgetAll(): void {
    this.#forwarded = null;
    this.#told = new Map();
  }

  /** The facts; `greeting` is what the peer of the session itself has shown. */
  facts(site: Site, greeting: Pick<Client, 'helo' | 'tls' | 'protocol'>): Client {
    const { address, port } = this.#origin;
    const { helo, tls, protocol } = greeting;
    const peer: Client = { address, port, name: null, helo, tls, protocol };
    if (!this.isTrusted(site)) return peer;
    if (site.clientFrom === 'xclient') return toldClient(this.#told, peer);
    return site.clientFrom === 'xforward' ? forwardedClient(this.#forwarded ?? new Map(), peer) : peer;
  }
}
