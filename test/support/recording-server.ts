/**
 * recording-server - an LMTP or SMTP server that takes every message and keeps its octets, dot-stuffing removed.
 *
 * `gullible` makes it the victim of SMTP smuggling: it takes anything that looks a little like the end of the data for
 * it, and any newline for the end of a command. With `breaksAfter` each connection ends behind so many octets.
 */
import { createServer, type Server, type Socket } from 'node:net';

export interface RecordedMessage {
  readonly mail: string;
  readonly recipients: readonly string[];
  readonly content: Buffer;
}

const STRICT_END = /\r\n\.\r\n/g;
/** Everything that some server has once taken for the end of the data. */
const GULLIBLE_END = /(?:\r\n|\n|\r)\0?\.\0?(?:\r\r\n|\r\n|\n|\r)/g;
/** Octets of the longest end of data. */
const LONGEST_END = 8;

export class RecordingServer {
  readonly messages: RecordedMessage[] = [];
  readonly commands: string[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #protocol: 'lmtp' | 'smtp';
  readonly #end: RegExp;
  readonly #newline: RegExp;
  readonly #breaksAfter: number;

  constructor(
    options: { readonly protocol?: 'lmtp' | 'smtp'; readonly gullible?: boolean; readonly breaksAfter?: number } = {},
  ) {
    this.#breaksAfter = options.breaksAfter ?? Number.POSITIVE_INFINITY;
    this.#protocol = options.protocol ?? 'lmtp';
    this.#end = options.gullible === true ? GULLIBLE_END : STRICT_END;
    this.#newline = options.gullible === true ? /\r\n|\n|\r/ : /\r\n/;
    this.#server = createServer((socket) => this.#serve(socket));
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const address = this.#server.address();
    return address !== null && typeof address === 'object' ? address.port : 0;
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => {});
    let pending = '';
    let inData = false;
    /** The end of the data is looked for from here on. */
    let searched = 0;
    let mail = '';
    let recipients: string[] = [];

    const command = (line: string): void => {
      this.commands.push(line);
      const verb = line.slice(0, 4).toUpperCase();
      if (verb === 'LHLO' || verb === 'EHLO') socket.write('250-recorder\r\n250-PIPELINING\r\n250 SMTPUTF8\r\n');
      else if (verb === 'DATA') {
        inData = true;
        searched = 0;
        pending = `\r\n${pending}`;
        socket.write('354 go\r\n');
      } else {
        if (verb === 'MAIL') mail = line;
        if (verb === 'RCPT') recipients.push(line);
        if (verb === 'RSET') recipients = [];
        socket.write('250 2.0.0 ok\r\n');
      }
    };
    const finish = (text: string): void => {
      const unstuffed = text.replace(/(^|\r\n)\./g, '$1');
      this.messages.push({ mail, recipients, content: Buffer.from(unstuffed, 'latin1') });
      const count = this.#protocol === 'lmtp' ? recipients.length : 1;
      socket.write('250 2.0.0 taken\r\n'.repeat(count));
      recipients = [];
      inData = false;
    };
    socket.write(`220 recorder ${this.#protocol === 'lmtp' ? 'LMTP' : 'ESMTP'}\r\n`);
    socket.on('data', (chunk: Buffer) => {
      if (socket.bytesRead > this.#breaksAfter) socket.destroy();
      if (socket.destroyed) return;
      pending += chunk.toString('latin1');
      for (;;) {
        const pattern = inData ? this.#end : this.#newline;
        pattern.lastIndex = inData ? searched : 0;
        const match = pattern.exec(pending);
        if (match === null) {
          searched = Math.max(0, pending.length - LONGEST_END);
          return;
        }
        const before = pending.slice(0, match.index);
        pending = pending.slice(match.index + match[0].length);
        if (inData) finish(`${before}\r\n`.slice(2));
        else command(before);
      }
    });
  }
}
