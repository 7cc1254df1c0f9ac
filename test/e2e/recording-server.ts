/**
 * recording-server - an SMTP or LMTP server that keeps what it was told and answers what a test wants.
 *
 * It stands where the list manager stands. It knows nothing of the product's code, so that an error there cannot hide
 * itself here. Octets are kept exactly, dot-stuffing removed (RFC 5321 section 4.5.2).
 */
import { chmodSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { type Address, type Sandbox, socketOptions } from './sandbox.ts';

export interface Behaviour {
  readonly protocol: 'lmtp' | 'smtp';
  /** Keywords of the reply to LHLO or EHLO. */
  readonly capabilities?: readonly string[];
  /** The reply to a command line in place of the usual one; null for the usual one. */
  readonly reply?: (line: string) => string | null;
  /** The reply after the dot for one accepted RCPT (LMTP), or for all (SMTP: '' is asked); null for the usual one. */
  readonly final?: (forwardPath: string) => string | null;
}

/** One message as it was taken or refused after the dot. */
export interface Recorded {
  /** The MAIL line without `MAIL FROM:`. */
  readonly mail: string;
  /** Forward-paths of the accepted RCPT lines, without angle brackets. */
  readonly recipients: readonly string[];
  readonly content: Buffer;
  /** Every command line of the session up to this message. */
  readonly commands: readonly string[];
}

const DEFAULT_CAPABILITIES = ['PIPELINING', '8BITMIME', 'ENHANCEDSTATUSCODES', 'SIZE 50000000'];
const END_OF_DATA = '\r\n.\r\n';

export class RecordingServer {
  readonly messages: Recorded[] = [];
  readonly #behaviour: Behaviour;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(behaviour: Behaviour) {
    this.#behaviour = behaviour;
    this.#server = createServer((socket) => this.#converse(socket));
  }

  /** Listens at the address until it is stopped or the sandbox is closed. */
  static async start(sandbox: Sandbox, address: Address, behaviour: Behaviour): Promise<RecordingServer> {
    const recorder = new RecordingServer(behaviour);
    sandbox.onClose(() => recorder.stop());
    const options = socketOptions(address);
    await new Promise<void>((resolve, reject) => {
      recorder.#server.once('error', reject);
      recorder.#server.listen(options, resolve);
    });
    if ('path' in options) chmodSync(options.path, 0o666);
    return recorder;
  }

  /** Messages for that forward-path, in the order of their arrival. */
  messagesFor(forwardPath: string): readonly Recorded[] {
    return this.messages.filter((message) => message.recipients.includes(forwardPath));
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #converse(socket: Socket): void {
    const { protocol, capabilities = DEFAULT_CAPABILITIES, reply, final } = this.#behaviour;
    const commands: string[] = [];
    let unread = '';
    let mail = '';
    let recipients: string[] = [];
    let inContent = false;
    const say = (text: string): void => {
      socket.write(`${text}\r\n`, 'latin1');
    };

    const answerContent = (content: Buffer): void => {
      this.messages.push({ mail, recipients, content, commands: [...commands] });
      for (const path of protocol === 'lmtp' ? recipients : ['']) say(final?.(path) ?? '250 2.0.0 Ok: recorded');
      recipients = [];
    };
    const answerCommand = (line: string): void => {
      commands.push(line);
      const verb = line.split(' ', 1)[0]?.toUpperCase() ?? '';
      const answer = reply?.(line) ?? usualReply(verb, protocol, capabilities, recipients.length);
      const accepted = answer.startsWith('2');
      if (verb === 'MAIL' && accepted) [mail, recipients] = [line.slice('MAIL FROM:'.length), []];
      if (verb === 'RCPT' && accepted) recipients.push(/<(.*)>/.exec(line)?.[1] ?? '');
      if (verb === 'RSET') recipients = [];
      inContent = verb === 'DATA' && answer.startsWith('354');
      say(answer);
      if (verb === 'QUIT') socket.end();
    };

    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      unread += chunk.toString('latin1');
      for (;;) {
        if (inContent) {
          const end = unread.startsWith('.\r\n') ? -2 : unread.indexOf(END_OF_DATA);
          if (end === -1) return;
          inContent = false;
          answerContent(Buffer.from(unstuffed(unread.slice(0, end + 2)), 'latin1'));
          unread = unread.slice(end + END_OF_DATA.length);
        } else {
          const end = unread.indexOf('\r\n');
          if (end === -1) return;
          const line = unread.slice(0, end);
          unread = unread.slice(end + 2);
          answerCommand(line);
        }
      }
    });
    say(`220 recorder.example.test ${protocol === 'lmtp' ? 'LMTP' : 'ESMTP'}`);
  }
}

/** Removes the dot that a client puts before a line beginning with one. */
export function unstuffed(content: string): string {
  return content.replace(/(^|\r\n)\./g, '$1');
}

function usualReply(
  verb: string,
  protocol: 'lmtp' | 'smtp',
  capabilities: readonly string[],
  recipients: number,
): string {
  const greeting = protocol === 'lmtp' ? 'LHLO' : 'EHLO';
  switch (verb) {
    case greeting: {
      const lines = ['recorder.example.test', ...capabilities];
      return lines.map((line, i) => `250${i < lines.length - 1 ? '-' : ' '}${line}`).join('\r\n');
    }
    case 'MAIL':
    case 'RSET':
    case 'NOOP':
    case 'XFORWARD':
      return '250 2.0.0 Ok';
    case 'RCPT':
      return '250 2.1.5 Ok';
    case 'DATA':
      return recipients > 0 ? '354 End data with <CR><LF>.<CR><LF>' : '503 5.5.1 No valid recipients';
    case 'QUIT':
      return '221 2.0.0 Bye';
    default:
      return '502 5.5.2 Command not known';
  }
}
