/**
 * listener - a listening socket (TCP or unix) and its sessions: opened, counted, drained.
 */
import { chmod, lstat, unlink } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { SMTPServer } from 'smtp-server';
import type { ProxySource } from '../smtp/proxy-header.ts';
import { Connection } from './connection.ts';
import { PeerCounts } from './peer-counts.ts';
import { readProxyHeader } from './proxy.ts';
import { readIntoOneBuffer } from './one-buffer.ts';
import type { Site } from './site.ts';

export type ListenAddress = { readonly host: string; readonly port: number } | { readonly path: string };

export interface ListenerOptions {
  readonly address: ListenAddress;
  /** Access mode of a unix socket, as a number; null leaves it to the umask. */
  readonly mode: number | null;
  /** A socket that listens there already, handed to this process (or, in a cluster, to its primary). */
  readonly fd?: number | null;
}

/** The library's commands that no mail client has a use for here. */
const DISABLED = ['AUTH', 'WIZ', 'SHELL', 'KILL'];

/** Longer than any wait of ours: sessions are ended by `drain`, not by the library. */
const LIBRARY_CLOSE_TIMEOUT = 24 * 60 * 60 * 1000;

/** How clients leave. That is no news; the record of the transaction tells what became of it. */
const LEFT: readonly string[] = ['ECONNRESET', 'EPIPE', 'ETIMEDOUT'];

/** A proxy writes its header at once; in milliseconds. */
const PROXY_HEADER_PATIENCE = 10_000;

class Server extends SMTPServer {
  readonly site: () => Site;
  /** From the first octet to the record of the last transaction, which may outlive the connection. */
  readonly sessions = new Set<Connection>();
  /** Connections whose PROXY header is not there yet. */
  readonly unnamed = new Set<Socket>();
  readonly #peers = new PeerCounts();
  allEnded: () => void = () => {};

  constructor(site: () => Site) {
    super({
      name: site().hostname,
      banner: 'Postern',
      lmtp: site().protocol === 'lmtp',
      disabledCommands: [...DISABLED],
      disableReverseLookup: true,
      authOptional: true,
      useXForward: true,
      closeTimeout: LIBRARY_CLOSE_TIMEOUT,
      logger: false,
      onConnect: (_session, callback) => callback(),
      onSecure: (socket, _session, callback) => {
        // As with a socket in the clear, in `Dialogue`.
        socket.allowHalfOpen = true;
        callback();
      },
    });
    this.site = site;
  }

  /** Reading PROXY is ours; the library would ask the system for the peer's address, of a socket that is given up. */
  override _expectsProxyHeader(): boolean {
    return false;
  }

  /** Nor is there anything to wait for; the library would make an id of fresh random octets first, and wait a turn. */
  override _handleProxy(_socket: Socket, callback: (error: null, options: { readonly id: string }) => void): void {
    callback(null, { id: 'session' });
  }

  override connect(socket: Socket): void {
    const { clientFrom, trusts, clientTimeout, entrance, log } = this.site();
    if (clientFrom !== 'proxy') {
      const connection: Connection = this.#begin(
        readIntoOneBuffer(socket, (octets) => connection.read(octets)),
        'peer',
      );
      return;
    }
    // On a unix socket a peer has no address: who may open it, is trusted.
    const peer = socket.remoteAddress ?? null;
    const refused = (problem: string): void => log.warn('proxy-refused', { listener: entrance.name, peer, problem });
    if (peer !== null && !trusts(peer)) {
      refused('this peer is not trusted');
      socket.on('error', () => {}).destroy();
      return;
    }
    this.unnamed.add(socket);
    readProxyHeader(socket, Math.min(PROXY_HEADER_PATIENCE, clientTimeout), (result) => {
      this.unnamed.delete(socket);
      if ('problem' in result) refused(result.problem);
      else this.#begin(socket, result.source);
    });
  }

  #begin(socket: Socket, source: ProxySource): Connection {
    const site = this.site();
    this.options.socketTimeout = site.clientTimeout;
    const connection = new Connection(this, socket, this.site, source, () => {
      this.sessions.delete(connection);
      if (counted !== null) this.#peers.leave(counted);
      if (this.sessions.size === 0) this.allEnded();
    });
    const counted = connection.client.countedAddress(site);
    const crowded = counted !== null && this.#peers.enter(counted) > site.sessions.perPeer;
    this.connections.add(connection);
    this.sessions.add(connection);
    connection.on('error', (error) => this._onError(error));
    connection.init(crowded);
    return connection;
  }
}

export class Listener {
  readonly address: ListenAddress;
  readonly #server: Server;
  readonly #options: ListenerOptions;
  readonly #site: () => Site;

  /** `site` is asked at each new connection and transaction. */
  constructor(options: ListenerOptions, site: () => Site) {
    this.address = options.address;
    this.#options = options;
    this.#site = site;
    this.#server = new Server(site);
  }

  /** Sessions, from the first octet to the record of the last transaction. */
  get sessions(): number {
    return this.#server.sessions.size + this.#server.unnamed.size;
  }

  /** Open connections; a session may go on without one, until its last transaction is finished. */
  get connections(): number {
    return this.#server.connections.size;
  }

  /** The port that the system chose where the configuration says 0; null on a unix socket. */
  get port(): number | null {
    const address = this.#server.server.address();
    return address !== null && typeof address === 'object' ? address.port : null;
  }

  /** Rejects with the system's error (EADDRINUSE, EACCES, …) where the address cannot be had. */
  async open(): Promise<void> {
    const { address, mode, fd = null } = this.#options;
    if ('path' in address && fd === null) await removeStaleSocket(address.path);
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(fd === null ? address : { fd }, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    if ('path' in address && mode !== null && fd === null) await chmod(address.path, mode);
    this.#server.on('error', ({ code = '', message }: NodeJS.ErrnoException) => {
      if (!LEFT.includes(code)) this.#site().log.info('session-error', { error: message });
    });
  }

  /** Takes no new sessions, lets messages under way finish for at most `timeout` milliseconds, then cuts them off. */
  async drain(timeout: number): Promise<void> {
    const { sessions } = this.#server;
    const stopped = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#server.unnamed) socket.destroy();
    for (const session of sessions) session.drain();
    if (sessions.size > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeout);
        this.#server.allEnded = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    for (const session of sessions) session._socket.destroy();
    await stopped;
  }
}

/** Removes a socket file that nobody answers at: it is left over from a process that died. */
export async function removeStaleSocket(path: string): Promise<void> {
  const found = await lstat(path).catch(() => null);
  if (found?.isSocket() !== true) return;
  const answered = await new Promise<boolean>((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'ECONNREFUSED'));
  });
  if (!answered) await unlink(path);
}
