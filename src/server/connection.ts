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
import type { Client, Recipient, Transaction } from '../core/envelope.ts';
import { type EnhancedStatusCode, type Reply, replies, reply, withId } from '../core/reply.ts';
import type { Admission, Pipeline } from '../pipeline/pipeline.ts';
import { formatReply } from '../smtp/reply-format.ts';
import { ContentStream, type Incoming } from './data.ts';
import { readMail, readRecipient } from './envelope-commands.ts';
import { combine, OrderedReplies } from './final-replies.ts';
import type { Site } from './site.ts';
import { newTransactionId } from './transaction-id.ts';
import { type Forwarded, forwardedClient, parseXforward, XFORWARD_ATTRIBUTES } from './xforward.ts';

/** The transaction under way, from MAIL to its last reply. It keeps the pipeline it began with over a reload. */
interface Open {
  readonly transaction: Transaction;
  readonly pipeline: Pipeline;
  readonly gone: AbortController;
  readonly admissions: Admission[];
}

/** Enhanced codes of the replies that the library gives (RFC 3463); any other gets x.0.0 of its class. */
const LIBRARY_STATUS: Readonly<Record<number, EnhancedStatusCode>> = {
  252: '2.5.0',
  421: '4.3.2',
  500: '5.5.2',
  501: '5.5.4',
  502: '5.5.1',
  503: '5.5.1',
};

const LONGEST_HELO = 255;

export class Connection extends SMTPConnection {
  readonly #current: () => Site;
  #site: Site;
  #open: Open | null = null;
  #incoming: Incoming | null = null;
  #forwarded: Forwarded | null = null;
  #draining = false;
  #out = '';
  readonly #ended: () => void;

  /** `ended` is called once: the connection is closed and its last transaction is finished and recorded. */
  constructor(server: SMTPServer, socket: Socket, site: () => Site, ended: () => void) {
    // The library would make an id of its own from fresh random octets for every connection; nobody reads it.
    super(server, socket, { id: 'session' });
    this.#current = site;
    this.#site = site();
    this.#ended = ended;
  }

  /** Ends the session as soon as no message is under way (RFC 5321 section 3.8). */
  drain(): void {
    this.#draining = true;
    if (this.#incoming === null) this.#reply(replies.shuttingDown);
  }

  override init(): void {
    this._setListeners(() => {
      if (this.#site.isFull()) this.#reply(replies.tooManyConnections);
      else this.connectionReady();
    });
  }

  // The library calls this in its constructor, before our own fields exist.
  override _createParser(): ContentStream {
    const parser = new ContentStream();
    parser.oncommand = (command, callback) => this._onCommand(command, callback);
    parser.on('error', () => this.#reply(reply(421, '4.7.0', 'Command line too long')));
    return parser;
  }

  override _onCommand(command: Buffer, callback?: () => void): void {
    const verb = command.subarray(0, 5).toString('latin1').trimEnd().toUpperCase();
    const wrong = this.#site.protocol === 'lmtp' ? verb === 'EHLO' || verb === 'HELO' : verb === 'LHLO';
    // A 5yz here makes every MTA bounce its mail; what is wrong is a configuration, and that can be mended.
    if (wrong) this.#reply(replies.wrongVerb);
    else super._onCommand(command, callback);
  }

  override handler_EHLO(command: Buffer, callback: () => void): void {
    const { offers, limits, hostname } = this.#site;
    const { size, smtputf8, dsn } = offers();
    const features = ['PIPELINING', `SIZE ${size ?? limits.size}`, 'ENHANCEDSTATUSCODES', '8BITMIME'];
    if (smtputf8) features.push('SMTPUTF8');
    if (dsn) features.push('DSN');
    if (this.#isTrusted()) features.push(`XFORWARD ${XFORWARD_ATTRIBUTES.join(' ')}`);
    this.#hello(command, [hostname, ...features]);
    callback();
  }

  override handler_HELO(command: Buffer, callback: () => void): void {
    this.#hello(command, [this.#site.hostname]);
    callback();
  }

  override handler_VRFY(_command: Buffer, callback: () => void): void {
    this.#reply(reply(252, '2.5.0', 'Cannot VRFY; RCPT will tell'));
    callback();
  }

  override handler_XFORWARD(command: Buffer, callback: () => void): void {
    if (!this.#isTrusted()) this.#reply(reply(550, '5.7.0', 'XFORWARD is not for you'));
    else if (this.#open !== null) this.#reply(reply(503, '5.5.1', 'Mail transaction in progress'));
    else {
      const told = parseXforward(command.toString('utf8').slice('XFORWARD'.length).trim());
      this.#forwarded = new Map([...(this.#forwarded ?? []), ...told]);
      this.#reply(reply(250, '2.0.0', 'Ok'));
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
    if (command.toString('latin1').trim().length > 'DATA'.length) {
      this.#reply(reply(501, '5.5.4', 'DATA takes no argument'));
    } else if (open === null || !open.admissions.some(({ refusal }) => refusal === null)) {
      // 354 here would invite the client to send a message to nobody (RFC 5321 section 3.3).
      const missing = open === null ? 'MAIL first' : 'No valid recipients';
      this.#reply(reply(503, '5.5.1', missing));
    } else if (parser instanceof ContentStream) {
      const { size, bareNewline } = this.#site.limits;
      const incoming = parser.startContent({ size, bareNewline });
      this.#incoming = incoming;
      this.#reply(replies.startContent);
      void this.#settle(open, incoming, parser);
    }
    callback();
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
    if (this.#incoming !== null) return;
    this.#abandon('closed');
    this.#ended();
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
    const text = (Array.isArray(data) ? data : [data ?? '']).map((line) => line.replace(/^Error: /, '')).join('\n');
    const status = LIBRARY_STATUS[code] ?? classStatus(code);
    this.#reply({ code, status: context === false ? null : status, text });
  }

  #hello(command: Buffer, lines: readonly string[]): void {
    const [, helo = '', ...rest] = command.toString('utf8').trim().split(/\s+/);
    const name = [helo, ...rest].join(' ');
    if (helo === '' || name.length > LONGEST_HELO || /[\p{Cc}\ufffd]/u.test(name)) {
      this.#reply(reply(501, '5.5.4', 'Syntax: verb and host name'));
      return;
    }
    this.hostNameAppearsAs = name;
    this.#forwarded = null;
    this._resetSession();
    this.#reply({ code: 250, status: null, text: lines.join('\n') });
  }

  #mail(command: Buffer): Reply {
    if (this.#open !== null) return reply(503, '5.5.1', 'Nested MAIL command');
    this.#site = this.#current();
    const mail = readMail(command, this.#site.limits.size);
    if ('code' in mail) return mail;
    const gone = new AbortController();
    const transaction: Transaction = {
      id: newTransactionId(),
      client: this.#client(),
      reversePath: mail.path.mailbox,
      rawReversePath: mail.path.raw,
      parameters: mail.parameters,
      signal: gone.signal,
    };
    this.#open = { transaction, pipeline: this.#site.pipeline(), gone, admissions: [] };
    // The library asks this of itself, for its own XCLIENT and its error handling.
    this.session.envelope.mailFrom = { address: mail.path.raw, args: false };
    return replies.mailAccepted;
  }

  async #rcpt(command: Buffer): Promise<Reply> {
    const open = this.#open;
    if (open === null) return reply(503, '5.5.1', 'MAIL first');
    const recipient: Recipient | Reply = readRecipient(command);
    if ('code' in recipient) return recipient;
    const accepted = open.admissions.filter(({ refusal }) => refusal === null).length;
    if (accepted >= this.#site.limits.recipients) return replies.tooManyRecipients;
    const admission = await open.pipeline.admit(this.#site.entrance, open.transaction, recipient, open.admissions);
    open.admissions.push(admission);
    return admission.refusal ?? replies.recipientAccepted;
  }

  async #settle(open: Open, incoming: Incoming, parser: ContentStream): Promise<void> {
    const { entrance, log } = this.#site;
    const { transaction, pipeline, admissions } = open;
    const accepted = admissions.filter(({ refusal }) => refusal === null);
    const each = entrance.replies === 'each' ? new OrderedReplies(accepted.length, (r) => this.#reply(r)) : null;
    const settled = pipeline
      .settle(entrance, transaction, admissions, incoming, (position, { reply: r }) => each?.set(position, r))
      .catch((error: unknown) => {
        log.error('settle', error, { id: transaction.id });
        return [];
      });
    await incoming.finished;
    if (incoming.end !== 'aborted') each?.open();
    const outcomes = await settled;
    if (each === null) this.#reply(outcomes.length === 0 ? replies.internalError : combine(outcomes));
    else each.conclude(withId(replies.internalError, transaction.id));
    this.#incoming = null;
    this.#open = null;
    this.#forwarded = null;
    this._unrecognizedCommands = 0;
    this._resetSession();
    if (this._closed) this.#ended();
    else if (this.#draining) this.drain();
    else parser.resume();
  }

  #abandon(end: string): void {
    const open = this.#open;
    this.#open = null;
    if (open === null || open.admissions.length === 0) return;
    this.#forwarded = null;
    open.pipeline.abandon(this.#site.entrance, open.transaction, open.admissions, end);
  }

  /** On a unix socket a peer has no address: who may open it, is trusted. */
  #isTrusted(): boolean {
    const { clientFrom, trusts } = this.#site;
    return clientFrom === 'xforward' && (this._originalRemoteAddress === '' || trusts(this._originalRemoteAddress));
  }

  #client(): Client {
    const peer: Client = {
      address: this._originalRemoteAddress || null,
      name: null,
      port: this.remotePort || null,
      helo: this.hostNameAppearsAs || '',
      tls: this.secure,
      protocol: this.#site.protocol === 'lmtp' ? 'LMTP' : this.openingCommand === 'EHLO' ? 'ESMTP' : 'SMTP',
    };
    return this.#isTrusted() ? forwardedClient(this.#forwarded ?? new Map(), peer) : peer;
  }

  /** Replies of one read leave in one write: to the kernel each write costs more than all our work on a command. */
  #reply(r: Reply): void {
    if (this.#out === '') process.nextTick(() => this.#flush());
    this.#out += formatReply(r);
    if (r.code === 421) this.close();
  }

  #flush(): void {
    const out = this.#out;
    this.#out = '';
    if (out !== '' && this._socket.writable && !this._socket.destroyed) this._socket.write(out, 'latin1');
  }
}

function classStatus(code: number): EnhancedStatusCode | null {
  if (code >= 500) return '5.0.0';
  if (code >= 400) return '4.0.0';
  return code >= 200 && code < 300 ? '2.0.0' : null;
}
