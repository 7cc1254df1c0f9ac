/**
 * dialogue - our SMTPConnection as far as it speaks: lines in, replies out, who the client is, and how much of all that.
 *
 * Corrected here (each with a test in test/server/): no greeting delay; our own replies, enhanced codes on all of them, those of
 * one read written together; wrong verbs of greeting; a handler that fails answers 451 and never holds the session.
 */
import type { Socket } from 'node:net';
import type { SMTPServer } from 'smtp-server';
import { SMTPConnection } from 'smtp-server/lib/smtp-connection.js';
import type { Client } from '../core/envelope.ts';
import { keep } from '../core/blocks.ts';
import { type Reply, replies, reply } from '../core/reply.ts';
import { atEndOfTurn } from '../core/turn.ts';
import type { ProxySource } from '../smtp/proxy-header.ts';
import { formatReply } from '../smtp/reply-format.ts';
import { ContentStream } from './data.ts';
import { readHello } from './envelope-commands.ts';
import { extensions, isSwitchedOff, takes } from './extensions.ts';
import { libraryReply } from './library-reply.ts';
import { SessionClient } from './session-client.ts';
import type { Site } from './site.ts';

const BYE = reply(221, '2.0.0', 'Bye');
const BARE_NEWLINE = reply(421, '4.5.2', 'Command lines must end with CR LF');

/** What a client can have too much of: the name in the log and in the metrics, and the reply. */
const LIMITS = {
  connections: replies.tooManyConnections,
  'connections-per-peer': reply(421, '4.7.0', 'Too many connections from your address'),
  commands: reply(421, '4.7.0', 'Too many commands without a message'),
  errors: reply(421, '4.7.0', 'Too many errors'),
  'command-line': reply(421, '4.5.2', 'Command line too long'),
  recipients: replies.tooManyRecipients,
  message: replies.tooLarge,
} as const;

export type Limit = keyof typeof LIMITS;

/** Of commands that are out of place, out of shape or unknown; a refusal has another. */
const ERROR_CODES: ReadonlySet<number> = new Set([500, 501, 502, 503, 504, 555]);

/** What nobody reads, and the library would make for every connection: an id of fresh random octets, an address asked of the system. */
const UNREAD = { id: 'session', localAddress: '0.0.0.0', localPort: 1 };

type Handler = (line: string, done: () => void) => void;

export abstract class Dialogue extends SMTPConnection {
  readonly client: SessionClient;
  /** As it was when the transaction began; between two of them, when the last one did. */
  protected site: Site;
  protected readonly current: () => Site;
  /** Since the last message. */
  #commands = 0;
  #errors = 0;
  #out = '';
  /** Goes on with what stands behind the command that is being handled. */
  #next: () => void = () => {};
  readonly #flush = (): void => this.#writeOut();

  /** `source` is the client that a PROXY header named. */
  constructor(server: SMTPServer, socket: Socket, site: () => Site, source: ProxySource) {
    super(server, socket, UNREAD);
    this.current = site;
    this.site = site();
    this.client = new SessionClient({ address: this.remoteAddress || null, port: this.remotePort || null }, source);
  }

  /** Whether MAIL was accepted and the transaction is not over. */
  protected abstract get inTransaction(): boolean;
  /** Whether content is on its way or being seen to: replies are the downstream's then, and tell nothing of the client. */
  protected abstract get inContent(): boolean;
  // The commands of a transaction, one character for each octet; they call `done` when they are answered.
  protected abstract onMail(line: string, done: () => void): void;
  protected abstract onRcpt(line: string, done: () => void): void;
  protected abstract onData(line: string, done: () => void): void;

  /** `crowded`: the client has as many connections as one may have. */
  override init(crowded = false): void {
    // Left to itself the socket closes as soon as the client has closed its side; `onleft` says whether that is meant.
    this._socket.allowHalfOpen = true;
    this._setListeners(() => {
      if (crowded) this.#send(this.atLimit('connections-per-peer'));
      else if (this.site.isFull()) this.#send(this.atLimit('connections'));
      else this.connectionReady();
    });
  }

  /** Octets of the client, of a socket that nobody pipes; false: no more of them before it is resumed. */
  read(octets: Buffer): boolean {
    const parser = this._parser;
    if (!(parser instanceof ContentStream) || parser.isClosed) return true;
    if (parser.write(keep(octets))) return true;
    parser.once('drain', () => {
      if (this._parser === parser) this._socket.resume();
    });
    return false;
  }

  // The library calls this in its constructor, before our own fields exist.
  override _createParser(): ContentStream {
    const parser = new ContentStream();
    parser.oncommandline = (line, next) => this.#onLine(line, next);
    parser.onproblem = (problem) => this.#send(problem === 'too-long' ? this.atLimit('command-line') : BARE_NEWLINE);
    parser.onleft = () => this.#leave();
    return parser;
  }

  override _isDisabled(command: string): boolean {
    return isSwitchedOff(command, this.site) || super._isDisabled(command);
  }

  #onLine(line: string, next: () => void): void {
    const verb = verbOf(line);
    const wrong = this.site.protocol === 'lmtp' ? verb === 'EHLO' || verb === 'HELO' : verb === 'LHLO';
    this.#commands += 1;
    // The library has a limit of its own for commands that it does not know.
    this._unrecognizedCommands = 0;
    // A 5yz here makes every MTA bounce its mail; what is wrong is a configuration, and that can be mended.
    if (wrong) this.reply(replies.wrongVerb);
    else if (this.#commands > this.site.sessions.commands) this.#send(this.atLimit('commands'));
    else if (verb === 'RCPT' && this.#isOrdinary()) this.#handle(this.onRcpt, line, next);
    else if (verb === 'MAIL' && this.#isOrdinary()) this.#handle(this.onMail, line, next);
    else if (verb === 'DATA' && this.#isOrdinary()) this.#handle(this.onData, line, next);
    else this._onCommand(Buffer.from(line, 'latin1'), next);
  }

  /** Whether nothing of what the library asks before each command can be true of one that belongs to a transaction. */
  #isOrdinary(): boolean {
    return this._ready && !this._upgrading && this.hostNameAppearsAs !== false && this._server._closeTimeout === false;
  }

  #handle(handler: Handler, line: string, next: () => void): void {
    this._handlerPending = true;
    this.#next = next;
    try {
      handler.call(this, line, this.#handled);
    } catch (error) {
      this.site.log.error('command', error);
      this.reply(replies.internalError);
      this.#handled();
    }
  }

  /** One at a time: nothing is read before the handler has called it. */
  readonly #handled = (): void => {
    this._handlerPending = false;
    this._whenWritable(this.#next);
  };

  // Where the library asks first, and lets the command pass.
  override handler_MAIL(command: Buffer, callback: () => void): void {
    this.onMail(command.toString('latin1'), callback);
  }

  override handler_RCPT(command: Buffer, callback: () => void): void {
    this.onRcpt(command.toString('latin1'), callback);
  }

  override handler_DATA(command: Buffer, callback: () => void): void {
    this.onData(command.toString('latin1'), callback);
  }

  override handler_EHLO(command: Buffer, callback: () => void): void {
    this.#hello(command, [this.site.hostname, ...extensions(this.site, this.client, this.secure)]);
    callback();
  }

  override handler_HELO(command: Buffer, callback: () => void): void {
    this.#hello(command, [this.site.hostname]);
    callback();
  }

  override handler_HELP(_command: Buffer, callback: () => void): void {
    this.reply(reply(214, '2.0.0', 'Postern takes mail for lists: SMTP is RFC 5321, LMTP is RFC 2033'));
    callback();
  }

  override handler_VRFY(_command: Buffer, callback: () => void): void {
    this.reply(reply(252, '2.5.0', 'Cannot VRFY; RCPT will tell'));
    callback();
  }

  /**
   * The last word of the client, so nothing of it is waited for. One that closes without reading the 221 would else reset the
   * connection, which costs an exception with a stack. What TLS has to say at its end takes the library's way.
   */
  override handler_QUIT(_command: Buffer, callback: () => void): void {
    this.reply(BYE);
    this.#flush();
    if (!this.secure && this._socket.writableLength === 0) this._socket.destroy();
    this.close();
    callback();
  }

  override handler_XFORWARD(command: Buffer, callback: () => void): void {
    if (!takes('xforward', this.site, this.client)) this.reply(reply(550, '5.7.0', 'XFORWARD is not for you'));
    else if (this.inTransaction) this.reply(reply(503, '5.5.1', 'Mail transaction in progress'));
    else this.reply(this.client.xforward(argumentOf(command)));
    callback();
  }

  override handler_XCLIENT(command: Buffer, callback: () => void): void {
    if (!takes('xclient', this.site, this.client)) this.reply(reply(550, '5.7.0', 'XCLIENT is not for you'));
    else if (this.inTransaction) this.reply(reply(503, '5.5.1', 'Mail transaction in progress'));
    else {
      const refusal = this.client.xclient(argumentOf(command));
      if (refusal !== null) this.reply(refusal);
      else {
        this.hostNameAppearsAs = false;
        this.openingCommand = false;
        this._resetSession();
        this._sendGreeting();
      }
    }
    callback();
  }

  /** The library drops what was written behind STARTTLS in plain text, and resets the session. */
  override handler_STARTTLS(command: Buffer, callback: () => void): void {
    const { tls } = this.current();
    if (argumentOf(command) !== '') this.reply(reply(501, '5.5.4', 'STARTTLS takes no argument'));
    else if (this.secure) this.reply(reply(503, '5.5.1', 'TLS is active already'));
    else if (tls === null) this.reply(reply(454, '4.7.0', 'TLS is not available any more'));
    else {
      this.reply(reply(220, '2.0.0', 'Ready to start TLS'));
      this.#flush();
      // What the handshake leaves open nobody else would close.
      this._socket.allowHalfOpen = false;
      this._server.secureContext.set('*', tls);
      this.client.forgetAll();
      this.upgrade(callback);
      return;
    }
    callback();
  }

  #leave(): void {
    this.#flush();
    if (this._socket.writable) this._socket.end();
  }

  override close(): void {
    this.#flush();
    super.close();
  }

  /** The library's own replies take this way too. */
  override send(code: number, data?: string | string[] | null, context?: string | false): void {
    this.reply(libraryReply(code, data, context));
  }

  /** A message is over: the client may make its mistakes anew. */
  protected forgive(): void {
    this.#commands = 0;
    this.#errors = 0;
  }

  #hello(command: Buffer, lines: readonly string[]): void {
    const name = readHello(argumentOf(command));
    if (name === null) {
      this.reply(reply(501, '5.5.4', 'Syntax: verb and host name'));
      return;
    }
    this.hostNameAppearsAs = name;
    this.client.forgetForwarded();
    this._resetSession();
    this.reply({ code: 250, status: null, text: lines.join('\n') });
  }

  protected greeting(): Pick<Client, 'helo' | 'tls' | 'protocol'> {
    return {
      helo: this.hostNameAppearsAs || '',
      tls: this.secure,
      protocol: this.site.protocol === 'lmtp' ? 'LMTP' : this.openingCommand === 'EHLO' ? 'ESMTP' : 'SMTP',
    };
  }

  /** The reply to a client at one of its limits; logs it. */
  protected atLimit(limit: Limit): Reply {
    const { entrance, log } = this.site;
    log.info('session-limit', { listener: entrance.name, peer: this.client.address, limit });
    return LIMITS[limit];
  }

  protected reply(r: Reply): void {
    // Replies to content are the downstream's; they tell nothing of the client.
    if (!this.inContent && ERROR_CODES.has(r.code)) this.#errors += 1;
    if (this.#errors < this.site.sessions.errors) this.#send(r);
    else if (!this._closing) this.#send(this.atLimit('errors'));
  }

  /** Replies of one read leave in one write: to the kernel each write costs more than all our work on a command. */
  #send(r: Reply): void {
    if (this.#out === '') atEndOfTurn(this.#flush);
    this.#out += formatReply(r);
    if (r.code === 421) this.close();
  }

  #writeOut(): void {
    const out = this.#out;
    this.#out = '';
    // While TLS is negotiated plain text would end up in the middle of it.
    if (out !== '' && !this._upgrading && this._socket.writable && !this._socket.destroyed)
      this._socket.write(out, 'latin1');
  }
}

function verbOf(line: string): string {
  // Most commands, as nearly all clients write them.
  if (line.startsWith('RCPT ')) return 'RCPT';
  if (line.startsWith('MAIL ')) return 'MAIL';
  return line.slice(0, 5).trimEnd().toUpperCase();
}

/** What stands behind the verb. */
export function argumentOf(command: Buffer): string {
  return command
    .toString('utf8')
    .replace(/^\S*\s*/, '')
    .trimEnd();
}
