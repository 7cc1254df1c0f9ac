/**
 * peer - one end of a connection, written and read line by line, for tests.
 */
import { connect, type Socket } from 'node:net';

/** Every read waits for at most `patience` milliseconds and then fails with what was read so far. */
export class Peer {
  readonly socket: Socket;
  readonly #patience: number;
  #buffer = '';
  #ended = false;
  #wake: () => void = () => {};

  constructor(socket: Socket, patience: number) {
    this.socket = socket;
    this.#patience = patience;
    socket.setNoDelay(true);
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      this.#buffer += text;
      this.#wake();
    });
    const ended = (): void => {
      this.#ended = true;
      this.#wake();
    };
    socket.on('end', ended);
    socket.on('close', ended);
    socket.on('error', ended);
  }

  /** The next line without its CRLF; null at the end of the connection. */
  async line(): Promise<string | null> {
    const until = Date.now() + this.#patience;
    for (;;) {
      const at = this.#buffer.indexOf('\r\n');
      if (at >= 0) {
        const line = this.#buffer.slice(0, at);
        this.#buffer = this.#buffer.slice(at + 2);
        return line;
      }
      if (this.#ended) return this.#buffer === '' ? null : `${this.#buffer}<no CRLF>`;
      await this.#change(until);
    }
  }

  async #change(until: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const silent = (): void => reject(new Error(`silence; read so far: ${JSON.stringify(this.#buffer)}`));
      const timer = setTimeout(silent, Math.max(1, until - Date.now()));
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** A whole reply of several lines, joined by line feeds; null at the end of the connection. */
  async reply(): Promise<string | null> {
    const lines: string[] = [];
    for (;;) {
      const line = await this.line();
      if (line === null) return lines.length === 0 ? null : lines.join('\n');
      lines.push(line);
      if (!/^\d{3}-/.test(line)) return lines.join('\n');
    }
  }

  /** Writes the line and reads the reply to it. */
  async ask(line: string): Promise<string | null> {
    this.socket.write(`${line}\r\n`, 'latin1');
    return this.reply();
  }
}

/** `where` is a port of 127.0.0.1 or the path of a unix socket. */
export async function connectPeer(where: number | string, patience = 5000): Promise<Peer> {
  const socket = typeof where === 'number' ? connect(where, '127.0.0.1') : connect(where);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  return new Peer(socket, patience);
}
