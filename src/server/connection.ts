/**
 * connection - one session's transactions: MAIL to the last reply, by DATA or in chunks.
 *
 * Corrected here of the library (each with a test in test/server/): equal recipients kept; paths and parameters as they came;
 * replies for each recipient. It knows two questions only: admit and settle.
 */
import type { Socket } from 'node:net';
import type { SMTPServer } from 'smtp-server';
import type { Recipient } from '../core/envelope.ts';
import { andThen, type Eventual } from '../core/eventual.ts';
import { type Reply, replies, reply, withId } from '../core/reply.ts';
import { Departure } from '../core/signal.ts';
import { parseBdat } from '../smtp/chunking.ts';
import type { ProxySource } from '../smtp/proxy-header.ts';
import { ContentStream, Incoming } from './data.ts';
import { argumentOf, Dialogue } from './dialogue.ts';
import { readMail, readRecipient } from './envelope-commands.ts';
import { finalReplies } from './final-replies.ts';
import { type OpenTransaction, openTransaction } from './open-transaction.ts';
import type { Site } from './site.ts';

const CHUNKS_HAVE_BEGUN = reply(503, '5.5.1', 'The message has begun with BDAT');

export class Connection extends Dialogue {
  #open: OpenTransaction | null = null;
  #incoming: Incoming | null = null;
  /** Aborted when the client is gone, or has dropped a message that it had begun; null before the first transaction. */
  #gone: Departure | null = null;
  /** Messages whose settling is not over; those of a chunked message that was reset go on in the background. */
  #settling = 0;
  #draining = false;
  readonly #ended: () => void;

  /**
   * `source` is the client that a PROXY header named. `ended` is called once: the connection is closed and its last
   * transaction is finished and recorded.
   */
  constructor(server: SMTPServer, socket: Socket, site: () => Site, source: ProxySource, ended: () => void) {
    super(server, socket, site, source);
    this.#ended = ended;
  }

  protected override get inTransaction(): boolean {
    return this.#open !== null;
  }

  protected override get inContent(): boolean {
    return this.#incoming !== null;
  }

  /** Ends the session as soon as no message is under way (RFC 5321 section 3.8). */
  drain(): void {
    this.#draining = true;
    if (this.#incoming === null) this.reply(replies.shuttingDown);
  }

  protected override onMail(line: string, done: () => void): void {
    this.reply(this.#mail(line));
    done();
  }

  protected override onRcpt(line: string, done: () => void): void {
    let answer: Eventual<Reply>;
    try {
      answer = this.#rcpt(line);
    } catch (error) {
      answer = this.#failedRcpt(error);
    }
    if (answer instanceof Promise) {
      answer
        .catch((error: unknown) => this.#failedRcpt(error))
        .then((told) => {
          this.reply(told);
          done();
        });
      return;
    }
    this.reply(answer);
    done();
  }

  #failedRcpt(error: unknown): Reply {
    const id = this.#open?.transaction.id;
    this.site.log.error('rcpt', error, { id });
    return withId(replies.internalError, id ?? '-');
  }

  protected override onData(line: string, done: () => void): void {
    const open = this.#open;
    const parser = this._parser;
    const refusal = this.#incoming === null ? this.#refuseContent() : CHUNKS_HAVE_BEGUN;
    if (line.slice('DATA'.length).trim() !== '') {
      this.reply(reply(501, '5.5.4', 'DATA takes no argument'));
    } else if (refusal !== null) {
      this.reply(refusal);
    } else if (open !== null && parser instanceof ContentStream) {
      const { size, bareNewline } = this.site.limits;
      const incoming = parser.startContent({ size, bareNewline });
      this.#incoming = incoming;
      this.reply(replies.startContent);
      void this.#settle(open, incoming, parser);
    }
    done();
  }

  /** RFC 3030 section 2. A chunk is read whatever the reply to it: the next command stands behind it. */
  handler_BDAT(command: Buffer, callback: () => void): void {
    const bdat = parseBdat(argumentOf(command));
    const parser = this._parser;
    if ('code' in bdat) {
      this.reply(bdat);
      this.close();
    } else if (parser instanceof ContentStream) {
      const { octets, last } = bdat;
      const refusal = this.#refuseContent();
      const open = refusal === null ? this.#open : null;
      if (open !== null && this.#incoming === null) {
        this.#incoming = new Incoming(this.site.limits, true);
        void this.#settle(open, this.#incoming, parser);
      }
      const accepted = open === null ? null : this.#incoming;
      const answer = refusal ?? reply(250, '2.0.0', `${octets} octets received`);
      // Behind the last chunk the replies are those to the message.
      const ends = last && accepted !== null;
      parser.startChunk(octets, ends, accepted, () => !ends && this.reply(answer), callback);
    }
  }

  /** The end of a transaction without content: RSET, a second EHLO; and after the last reply. */
  override _resetSession(): void {
    super._resetSession();
    this.#abandon('reset');
  }

  override _onClose(): void {
    super._onClose();
    if (this.#open !== null || this.#settling > 0) this.#gone?.abort();
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

  #mail(line: string): Reply {
    if (this.#open !== null) return reply(503, '5.5.1', 'Nested MAIL command');
    this.site = this.current();
    const { entrance, limits } = this.site;
    const mail = readMail(line, limits.size, entrance.mixed === 'prdr');
    if ('code' in mail) return mail === replies.tooLarge ? this.atLimit('message') : mail;
    const facts = this.client.facts(this.site, this.greeting());
    this.#gone ??= new Departure();
    this.#open = openTransaction(this.site, facts, this.client.isTrusted(this.site), mail, this.#gone);
    // The library asks this of itself, for its own XCLIENT and its error handling.
    this.session.envelope.mailFrom = { address: mail.path.raw, args: false };
    return replies.mailAccepted;
  }

  #rcpt(line: string): Eventual<Reply> {
    const open = this.#open;
    if (open === null) return reply(503, '5.5.1', 'MAIL first');
    if (this.#incoming !== null) return CHUNKS_HAVE_BEGUN;
    const recipient: Recipient | Reply = readRecipient(line);
    if ('code' in recipient) return recipient;
    if (open.accepted >= this.site.limits.recipients) return withId(this.atLimit('recipients'), open.transaction.id);
    return andThen(open.pipeline.admit(open.entrance, open.transaction, recipient, open.admissions), (admission) => {
      open.admissions.push(admission);
      if (admission.refusal === null) open.accepted += 1;
      return admission.refusal ?? replies.recipientAccepted;
    });
  }

  /** 354 to nobody would invite the client to send a message to nobody (RFC 5321 section 3.3). */
  #refuseContent(): Reply | null {
    if (this.#open === null) return reply(503, '5.5.1', 'MAIL first');
    const someone = this.#open.admissions.some(({ refusal }) => refusal === null);
    return someone ? null : reply(503, '5.5.1', 'No valid recipients');
  }

  async #settle(open: OpenTransaction, incoming: Incoming, parser: ContentStream): Promise<void> {
    const { log } = this.site;
    const { transaction, entrance, pipeline, admissions, accepted } = open;
    this.#settling += 1;
    const how = transaction.parameters.has('PRDR') ? 'prdr' : entrance.replies;
    const told = finalReplies(how, accepted, (r) => this.reply(r));
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
    this.forgive();
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
      this.#gone?.abort();
      this.#gone = null;
      incoming.abort();
      return;
    }
    if (open === null || open.admissions.length === 0) return;
    this.client.forgetForwarded();
    open.pipeline.abandon(open.entrance, open.transaction, open.admissions, end);
  }
}
