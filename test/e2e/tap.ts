/**
 * tap - stands between two servers, passes every octet on and keeps it.
 *
 * Set before and behind the product it shows that what went in is what came out.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { unstuffed } from './recording-server.ts';
import { type Address, type Sandbox, socketOptions } from './sandbox.ts';

/** One connection; latin-1 text, one character an octet. */
export interface Tapped {
  fromClient: string;
  fromServer: string;
}

export class Tap {
  readonly sessions: Tapped[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #listen: Address;

  private constructor(listen: Address, target: Address) {
    this.#listen = listen;
    this.#server = createServer({ allowHalfOpen: true }, (client) => {
      const session: Tapped = { fromClient: '', fromServer: '' };
      this.sessions.push(session);
      const server = connect({ ...socketOptions(target), allowHalfOpen: true });
      this.#keep(client, server);
      this.#keep(server, client);
      client.on('data', (chunk) => {
        session.fromClient += chunk.toString('latin1');
      });
      server.on('data', (chunk) => {
        session.fromServer += chunk.toString('latin1');
      });
      client.pipe(server);
      server.pipe(client);
    });
  }

  /** Listens until it is stopped or the sandbox is closed. */
  static async start(sandbox: Sandbox, listen: Address, target: Address): Promise<Tap> {
    const tap = new Tap(listen, target);
    sandbox.onClose(() => tap.stop());
    await tap.open();
    return tap;
  }

  /** Listens again after `stop`. */
  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(socketOptions(this.#listen), resolve);
    });
  }

  /** From now on connections are refused, as if nobody had ever listened here. */
  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #keep(socket: Socket, other: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => other.destroy());
    socket.on('close', () => {
      this.#sockets.delete(socket);
      other.end();
    });
  }
}

/** The contents that a client sent in a session, each up to its final dot, dot-stuffing removed. */
export function contents(session: Tapped): readonly string[] {
  return [...session.fromClient.matchAll(/(?:^|\r\n)DATA\r\n((?:.|\r|\n)*?\r\n)\.\r\n/g)].map((match) =>
    unstuffed(match[1] ?? ''),
  );
}
