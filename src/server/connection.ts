/**
 * connection - our SMTPConnection: the dialogue of one session, as far as the library's own does not do.
 *
 * Corrected here (each with a test in test/server/): no greeting delay; equal recipients kept; paths and parameters as they
 * came; our own replies, enhanced codes on all of them, those of one read written together; wrong verbs of greeting; a
 * handler that fails answers 451 and never holds the session. It knows two questions only: admit and settle.
 */
import type { Socket } from 'node:net';
import type { SMTPServer } from 'smtp-server';
import { SMTPConnection } from 'smtp-server/lib/smtp-connection.js';
import type { Recipient } from '../core/envelope.ts';
import { type Reply, replies, reply, withId } from '../core/reply.ts';
import { parseBdat } from '../smtp/chunking.ts';
import type { ProxySource } from '../smtp/proxy-header.ts';
import { formatReply } from '../smtp/reply-format.ts';
import type { LineProblem } from './command-lines.ts';
import { ContentStream, Incoming } from './data.ts';
import { readHello, readMail, readRecipient } from './envelope-commands.ts';
import { extensions, isSwitchedOff, takes } from './extensions.ts';
import { finalReplies } from './final-replies.ts';
import { libraryReply } from './library-reply.ts';
import { type OpenTransaction, openTransaction } from './open-transaction.ts';
import { SessionClient } from './session-client.ts';
import type { Site } from './site.ts';

const CHUNKS_HAVE_BEGUN = reply(503, '5.5.1', 'The message has begun with BDAT');

const LINE_PROBLEMS: Readonly<Record<LineProblem, Reply>> = {
  'too-long': reply(421, '4.5.2', 'Command line too long'),
  'bare-newline': reply(421, '4.5.2', 'Command lines must end with CR LF'),
};

/** Of commands that are out of place, out of shape or unknown; a refusal has another. */
const ERROR_CODES: ReadonlySet<number> = new Set([500, 501, 502, 503, 504, 555]);

export class Connection extends SMTPConnection {
  readonly #current: () => Site;
  #site: Site;
  #open: OpenTransaction | null = null;
  #incoming: Incoming | null = null;
  readonly client: SessionClient;
  /** Messages whose settling is not over; those of a chunked message that was reset go on in the background. */
  #settling = 0;
  #draining = false;
  /** Since the last message. */
  #commands = 0;
  #errors = 0;
  #out = '';
  readonly #ended: () => void;

  /**
   * `source` is the client that a PROXY header named. `ended` is called once: the connection is closed and its last
   * transaction is finished and recorded.
   */
  constructor(server: SMTPServer, socket: Socket, site: () => Site, source: ProxySource, ended: () => void) {
    // The library would make an id of its own from fresh random octets for every connection; nobody reads it.
    super(server, socket, { id: 'session' });
    this.#current = site;
    this.#site = site();
    this.client = new SessionClient({ address: this.remoteAddress || null, port: this.remotePort || null }, source);
    this.#ended = ended;
  }

  /** Ends the session as soon as no message is under way (RFC 5321 section 3.8). */
  drain(): void {
    this.#draining = true;
    if (this.#incoming === null) this.#reply(replies.shuttingDown);
  }

  /** `crowded`: the client has as many connections as one may have. */
  override init(crowded = false): void {
    this._setListeners(() => {
      if (crowded) this.#end('Too many connections from your address');
      else if (this.#site.isFull()) this.#reply(replies.tooManyConnections);
      else this.connectionReady();
    });
  }

  // The library calls this in its constructor, before our own fields exist.
  override _createParser(): ContentStream {
    const parser = new ContentStream();
    parser.oncommand = (command, callback) => this._onCommand(command, callback);
    parser.onproblem = (problem) => this.#reply(LINE_PROBLEMS[problem]);
    return parser;
  }

  override _isDisabled(command: string): boolean {
    return isSwitchedOff(command, this.#site) || super._isDisabled(command);
  }

  override _onCommand(command: Buffer, callback?: () => void): void {
    const verb = command.subarray(0, 5).toString('latin1').trimEnd().toUpperCase();
    const wrong = this.#site.protocol === 'lmtp' ? verb === 'EHLO' || verb === 'HELO' : verb === 'LHLO';
    this.#commands += 1;
    // The library has a limit of its own for commands that it does not know.
    this._unrecognizedCommands = 0;
    // A 5yz here makes every MTA bounce its mail; what is wrong is a configuration, and that can be mended.
    if (wrong) this.#reply(replies.wrongVerb);
    else if (this.#commands > this.#site.sessions.commands) this.#end('Too many commands without a message');
    else super._onCommand(command, callback);
  }

  override handler_EHLO(command: Buffer, callback: () => void): void {
    this.#hello(command, [this.#site.hostname, ...extensions(this.#site, this.client, this.secure)]);
    callback();
  }

  override handler_HELO(command: Buffer, callback: () => void): void {
    this.#hello(command, [this.#site.hostname]);
    callback();
  }

  override handler_HELP(_command: Buffer, callback: () => void): void {
    this.#reply(reply(214, '2.0.0', 'Postern takes mail for lists: SMTP is RFC 5321, LMTP is RFC 2033'));
    callback();
  }

  override handler_VRFY(_command: Buffer, callback: () => void): void {
    this.#reply(reply(252, '2.5.0', 'Cannot VRFY; RCPT will tell'));
    callback();
  }

  override handler_XFORWARD(command: Buffer, callback: () => void): void {
    if (!takes('xforward', this.#site, this.client)) this.#reply(reply(550, '5.7.0', 'XFORWARD is not for you'));
    else if (this.#open !== null) this.#reply(reply(503, '5.5.1', 'Mail transaction in progress'));
    else this.#reply(this.client.xforward(argumentOf(command)));
    callback();
  }

  override handler_XCLIENT(command: Buffer, callback: () => void): void {
    if (!takes('xclient', this.#site, this.client)) this.#reply(reply(550, '5.7.0', 'XCLIENT is not for you'));
    else if (this.#open !== null) this.#reply(reply(503, '5.5.1', 'Mail transaction in progress'));
    else {
      const refusal = this.client.xclient(argumentOf(command));
      if (refusal !== null) this.#reply(refusal);
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
    const { tls } = this.#current();
    if (argumentOf(command) !== '') this.#reply(reply(501, '5.5.4', 'STARTTLS takes no argument'));
    else if (this.secure) this.#reply(reply(503, '5.5.1', 'TLS is active already'));
    else if (tls === null) this.#reply(reply(454, '4.7.0', 'TLS is not available any more'));
    else {
      this.#reply(reply(220, '2.0.0', 'Ready to start TLS'));
      this.#flush();
      this._server.secureContext.set('*', tls);
      this.client.forgetAll();
      this.upgrade(callback);
      return;
    }
    callback();
  }

  override handler_MAIL(command: Buffer, callback: () => void): void {
    this.#reply(this.#mail(command));
    callback();
  }

  override handler_RCPT(command: Buffer, callback: () => void): void {
    void this.#rcpt(command)
      .catch((error: unknown) => {
        this.#site.log.error('rcpt', error, { id: this.#open?.transaction.id });
        return withId(replies.internalError, this.#open?.transaction.id ?? '-');
      })
      .then((answer) => {
        this.#reply(answer);
        callback();
      });
  }

  override handler_DATA(command: Buffer, callback: () => void): void {
    const open = this.#open;
    const parser = this._parser;
    const refusal = this.#incoming === null ? this.#refuseContent() : CHUNKS_HAVE_BEGUN;
    if (argumentOf(command) !== '') {
      this.#reply(reply(501, '5.5.4', 'DATA takes no argument'));
    } else if (refusal !== null) {
      this.#reply(refusal);
    } else if (open !== null && parser instanceof ContentStream) {
      const { size, bareNewline } = this.#site.limits;
      const incoming = parser.startContent({ size, bareNewline });
      this.#incoming = incoming;
      this.#reply(replies.startContent);
      void this.#settle(open, incoming, parser);
    }
    callback();
  }

  /** RFC 3030 section 2. A chunk is read whatever the reply to it: the next command stands behind it. */
  handler_BDAT(command: Buffer, callback: () => void): void {
    const bdat = parseBdat(argumentOf(command));
    const parser = this._parser;
    if ('code' in bdat) {
      this.#reply(bdat);
      this.close();
    } else if (parser instanceof ContentStream) {
      const { octets, last } = bdat;
      const refusal = this.#refuseContent();
      const open = refusal === null ? this.#open : null;
      if (open !== null && this.#incoming === null) {
        this.#incoming = new Incoming(this.#site.limits, true);
        void this.#settle(open, this.#incoming, parser);
      }
      const accepted = open === null ? null : this.#incoming;
      const answer = refusal ?? reply(250, '2.0.0', `${octets} octets received`);
      // Behind the last chunk the replies are those to the message.
      const ends = last && accepted !== null;
      parser.startChunk(octets, ends, accepted, () => !ends && this.#reply(answer), callback);
    }
  }

  /** The end of a transaction without content: RSET, a second EHLO; and after the last reply. */
  override _resetSession(): void {
    super._resetSession();
    this.#abandon('reset');
  }

  override _onClose(): void {
    super._onClose();
    this.#out = '';
    this.#open?.gone.abort();
    this.#incoming?.abort();
    if (this.#incoming === null) this.#abandon('closed');
    if (this.#settling === 0) this.#ended();
  }

  override _onTimeout(): void {
    const incoming = this.#incoming;
    const weAreSlow = incoming !== null && (incoming.backlog || incoming.end !== null);
    if (weAreSlow && !this._closing) this._armTimeout();
    else super._onTimeout();
  }

  override close(): void {
    this.#flush();
    super.close();
  }

  /** The library's own replies take this way too. */
  override send(code: number, data?: string | string[] | null, context?: string | false): void {
    this.#reply(libraryReply(code, data, context));
  }

  #hello(command: Buffer, lines: readonly string[]): void {
    const name = readHello(argumentOf(command));
    if (name === null) {
      this.#reply(reply(501, '5.5.4', 'Syntax: verb and host name'));
      return;
    }
    this.hostNameAppearsAs = name;
    this.client.forgetForwarded();
    this._resetSession();
    this.#reply({ code: 250, status: null, text: lines.join('\n') });
  }

  #mail(command: Buffer): Reply {
    if (this.#open !== null) return reply(503, '5.5.1', 'Nested MAIL command');
    this.#site = this.#current();
    const { entrance, limits } = this.#site;
    const mail = readMail(command, limits.size, entrance.mixed === 'prdr');
    if ('code' in mail) return mail;
    this.#open = openTransaction(this.#site, this.client.facts(this.#site, this.#greeting()), mail);
    // The library asks this of itself, for its own XCLIENT and its error handling.
    this.session.envelope.mailFrom = { address: mail.path.raw, args: false };
    return replies.mailAccepted;
  }

  async #rcpt(command: Buffer): Promise<Reply> {
    const open = this.#open;
    if (open === null) return reply(503, '5.5.1', 'MAIL first');
    if (this.#incoming !== null) return CHUNKS_HAVE_BEGUN;
    const recipient: Recipient | Reply = readRecipient(command);
    if ('code' in recipient) return recipient;
    const accepted = open.admissions.filter(({ refusal }) => refusal === null).length;
    if (accepted >= this.#site.limits.recipients) return withId(replies.tooManyRecipients, open.transaction.id);
    const admission = await open.pipeline.admit(open.entrance, open.transaction, recipient, open.admissions);
    open.admissions.push(admission);
    return admission.refusal ?? replies.recipientAccepted;
  }

  /** 354 to nobody would invite the client to send a message to nobody (RFC 5321 section 3.3). */
  #refuseContent(): Reply | null {
    if (this.#open === null) return reply(503, '5.5.1', 'MAIL first');
    const someone = this.#open.admissions.some(({ refusal }) => refusal === null);
    return someone ? null : reply(503, '5.5.1', 'No valid recipients');
  }

  async #settle(open: OpenTransaction, incoming: Incoming, parser: ContentStream): Promise<void> {
    const { log } = this.#site;
    const { transaction, entrance, pipeline, admissions } = open;
    this.#settling += 1;
    const accepted = admissions.filter(({ refusal }) => refusal === null).length;
    const how = transaction.parameters.has('PRDR') ? 'prdr' : entrance.replies;
    const told = finalReplies(how, accepted, (r) => this.#reply(r));
    const settled = pipeline
      .settle(entrance, transaction, admissions, incoming, (position, outcome) => told.set(position, outcome))
      .catch((error: unknown) => {
        log.error('settle', error, { id: transaction.id });
        return [];
      });
    await incoming.finished;
    if (incoming.end !== 'aborted') told.open();
    const outcomes = await settled;
    this.#settling -= 1;
    if (this.#incoming !== incoming) {
      if (this._closed && this.#settling === 0) this.#ended();
      return;
    }
    told.conclude(outcomes, transaction.id);
    this.#incoming = null;
    this.#open = null;
    this.client.forgetForwarded();
    this.#commands = 0;
    this.#errors = 0;
    this._resetSession();
    if (this._closed) {
      if (this.#settling === 0) this.#ended();
    } else if (this.#draining) this.drain();
    else parser.resume();
  }

  #abandon(end: string): void {
    const open = this.#open;
    const incoming = this.#incoming;
    this.#open = null;
    if (incoming !== null) {
      // Chunks without a last one. The pipeline hears it as it hears of a client that left, and makes the record.
      this.#incoming = null;
      this.client.forgetForwarded();
      open?.gone.abort();
      incoming.abort();
      return;
    }
    if (open === null || open.admissions.length === 0) return;
    this.client.forgetForwarded();
    open.pipeline.abandon(open.entrance, open.transaction, open.admissions, end);
  }

  #greeting(): Parameters<SessionClient['facts']>[1] {
    return {
      helo: this.hostNameAppearsAs || '',
      tls: this.secure,
      protocol: this.#site.protocol === 'lmtp' ? 'LMTP' : this.openingCommand === 'EHLO' ? 'ESMTP' : 'SMTP',
    };
  }

  /** A client at one of its limits is told to come again later, and let go. */
  #end(reason: string): void {
    const { entrance, log } = this.#site;
    log.info('session-limit', { listener: entrance.name, peer: this.client.address, reason });
    this.#send(reply(421, '4.7.0', reason));
  }

  #reply(r: Reply): void {
    // Replies to content are the downstream's; they tell nothing of the client.
    if (this.#incoming === null && ERROR_CODES.has(r.code)) this.#errors += 1;
    if (this.#errors < this.#site.sessions.errors) this.#send(r);
    else if (!this._closing) this.#end('Too many errors');
  }

  /** Replies of one read leave in one write: to the kernel each write costs more than all our work on a command. */
  #send(r: Reply): void {
    if (this.#out === '') process.nextTick(() => this.#flush());
    this.#out += formatReply(r);
    if (r.code === 421) this.close();
  }

  #flush(): void {
    const out = this.#out;
    this.#out = '';
    // While TLS is negotiated plain text would end up in the middle of it.
    if (out !== '' && !this._upgrading && this._socket.writable && !this._socket.destroyed)
      this._socket.write(out, 'latin1');
  }
}

/** What stands behind the verb. */
function argumentOf(command: Buffer): string {
  return command
    .toString('utf8')
    .replace(/^\S*\s*/, '')
    .trimEnd();
}
