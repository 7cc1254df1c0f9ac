/**
 * smtp-client - a remote SMTP client under a test's control: one command, one reply.
 *
 * Replies are given back as they stood on the wire, lines separated by a line feed.
 */
import { connect, type Socket } from 'node:net';
import { type Address, socketOptions } from './sandbox.ts';

export interface Submission {
  /** Reverse-path without angle brackets. */
  readonly from: string;
  readonly to: readonly string[];
  /** Lines end in CRLF; not dot-stuffed. */
  readonly content: Buffer;
  /** Attributes of XCLIENT to send first, as `NAME=mail.example.net ADDR=192.0.2.10`. */
  readonly xclient?: string;
  /** The address of this machine to connect from; by default the system's choice. */
  readonly localAddress?: string;
}

export interface Answers {
  readonly mail: string;
  /** One for each of `to`. */
  readonly rcpt: readonly string[];
  /** The reply after the dot; to DATA where that was refused. */
  readonly final: string;
}

export class SmtpClient {
  readonly #socket: Socket;
  #received = '';
  #wake: () => void = () => {};
  #ended = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => {
      this.#received += chunk.toString('latin1');
      this.#wake();
    });
    const end = (): void => {
      this.#ended = true;
      this.#wake();
    };
    socket.on('close', end);
    socket.on('error', end);
  }

  /** Connects, from an address of this machine where that is given, and reads the greeting. */
  static async open(address: Address, localAddress?: string): Promise<SmtpClient> {
    const client = new SmtpClient(connect({ ...socketOptions(address), localAddress }));
    const greeting = await client.reply();
    if (!greeting.startsWith('220')) throw new Error(`greeted with ${greeting}`);
    return client;
  }

  /** The next reply; throws when the server closes first. */
  async reply(): Promise<string> {
    for (;;) {
      const match = /^(?:\d{3}-.*\r\n)*\d{3}(?: .*)?\r\n/.exec(this.#received);
      if (match !== null) {
        this.#received = this.#received.slice(match[0].length);
        return match[0].trimEnd().replaceAll('\r\n', '\n');
      }
      if (this.#ended) throw new Error(`the server closed the connection; unread: ${JSON.stringify(this.#received)}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  command(line: string): Promise<string> {
    this.write(`${line}\r\n`);
    return this.reply();
  }

  write(octets: string | Buffer): void {
    this.#socket.write(octets);
  }

  /** The content behind a 354, dot-stuffed, without the final dot. */
  writeContent(content: Buffer): void {
    this.write(Buffer.from(content.toString('latin1').replace(/(^|\r\n)\./g, '$1..'), 'latin1'));
  }

  /** MAIL to the reply after the dot. Recipients that are refused are left behind, as a real client does. */
  async send({ from, to, content }: Submission): Promise<Answers> {
    const mail = await this.command(`MAIL FROM:<${from}> BODY=8BITMIME`);
    const rcpt: string[] = [];
    for (const path of to) rcpt.push(await this.command(`RCPT TO:<${path}>`));
    const data = await this.command('DATA');
    if (!data.startsWith('354')) return { mail, rcpt, final: data };
    this.writeContent(content);
    return { mail, rcpt, final: await this.command('.') };
  }

  /** Leaves without a word. */
  close(): void {
    this.#socket.destroy();
  }
}

/** A session of one message: EHLO, XCLIENT where asked for, the message, QUIT. */
export async function submit(address: Address, submission: Submission): Promise<Answers> {
  const client = await SmtpClient.open(address, submission.localAddress);
  try {
    await client.command('EHLO mail.example.net');
    if (submission.xclient !== undefined) {
      const answer = await client.command(`XCLIENT ${submission.xclient}`);
      if (!answer.startsWith('220')) throw new Error(`XCLIENT was answered with ${answer}`);
      await client.command('EHLO mail.example.net');
    }
    const answers = await client.send(submission);
    await client.command('QUIT');
    return answers;
  } finally {
    client.close();
  }
}
