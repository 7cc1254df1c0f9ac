/**
 * server-downstream - an LMTP or SMTP server, or a program that speaks LMTP, as a Downstream: connects or takes a kept connection, delivers, answers.
 *
 * One connection carries one transaction at a time. What a server says of a message stands in its replies; what goes
 * wrong with the server itself is logged here.
 */
import type { Envelope, Recipient, Transaction } from '../core/envelope.ts';
import type { Log } from '../core/log.ts';
import type { Eventual } from '../core/eventual.ts';
import { printMailbox } from '../core/mailbox.ts';
import type { Content } from '../core/message.ts';
import { type Reply, replies, withId } from '../core/reply.ts';
import type { Signal } from '../core/signal.ts';
import { Addresses } from './addresses.ts';
import { Answers } from './answers.ts';
import { Connection } from './connection.ts';
import { type Address, printAddress } from './dial.ts';
import { type Delivery, type Dialect, greet, transact, trouble } from './dialog.ts';
import type { DeliverOptions, Downstream, ServerOffers } from './downstream.ts';
import { failureReply, isUnknown, mayTryAgain, type Trouble, withoutPaths } from './failure.ts';
import { lmtp } from './lmtp.ts';
import { Places } from './places.ts';
import { Pool } from './pool.ts';
import { smtp } from './smtp.ts';
import type { Tls } from './tls.ts';
import { Verifications, verify } from './verification.ts';

export interface ServerOptions {
  readonly name: string;
  readonly protocol: 'lmtp' | 'smtp';
  /** Tried in this order; at least one. */
  readonly addresses: readonly Address[];
  /** The argument of LHLO or EHLO. */
  readonly helo: string;
  /** Whether to tell the server of the original client, where it offers XFORWARD. */
  readonly xforward: boolean;
  /** Null or left out: in plain text. */
  readonly tls?: Tls | null;
  /** Milliseconds. */
  readonly timeouts: { readonly connect: number; readonly reply: number };
  readonly log: Log;
  /** Connections or processes at a time; further transactions wait. Null or left out: no limit. */
  readonly connections?: number | null;
  /** Whether `verify` asks; else it lets everyone pass. */
  readonly verifyRecipients?: boolean;
  /** Connections kept between transactions. */
  readonly maxIdle?: number;
  /** Milliseconds for which a connection is kept. */
  readonly idleLimit?: number;
  /** Milliseconds of silence behind a refusal after which an LMTP server's replies are held to be missing. */
  readonly missingAfter?: number;
}

const MAX_IDLE = 20;
const IDLE_LIMIT = 5_000;
const MISSING_AFTER = 2_000;
/** Milliseconds that a client waits at RCPT for what the server says of the recipient. */
const VERIFY_PATIENCE = 10_000;

/** What is done with a connection, and until when: in milliseconds since the epoch, `until` for each reply. */
interface Errand {
  readonly signal: Signal;
  readonly deadline: number;
  readonly until: () => number;
  /** Sees to what becomes of the connection. */
  on(connection: Connection, until: () => number): Promise<Trouble | null>;
}

export function createServerDownstream(options: ServerOptions): Downstream {
  return new ServerDownstream(options);
}

class ServerDownstream implements Downstream {
  readonly name: string;
  readonly #options: ServerOptions;
  readonly #dialect: Dialect;
  readonly #addresses: Addresses;
  readonly #places: Places;
  readonly #pool: Pool;
  readonly #verifications = new Verifications();
  readonly #shown: (reply: Reply) => Reply;
  /** What `close` waits for. */
  #underWay = 0;
  #onIdle: (() => void) | null = null;
  #offers: ServerOffers | null = null;

  constructor(options: ServerOptions) {
    this.name = options.name;
    this.#options = options;
    this.#addresses = new Addresses(options.addresses);
    this.#dialect = options.protocol === 'lmtp' ? lmtp(options.missingAfter ?? MISSING_AFTER) : smtp;
    this.#places = new Places(options.connections ?? Number.POSITIVE_INFINITY);
    const { maxIdle = MAX_IDLE, idleLimit = IDLE_LIMIT } = options;
    const isProgram = options.addresses.some((address) => 'program' in address);
    this.#shown = isProgram ? withoutPaths : (reply) => reply;
    // A program is kept while it lives: to start one may cost more than a delivery, and nobody else waits for its place.
    this.#pool = new Pool({ maxIdle, idleLimit: isProgram ? Number.POSITIVE_INFINITY : idleLimit });
  }

  async deliver(envelope: Envelope, content: Content, options: DeliverOptions): Promise<readonly Reply[]> {
    if (envelope.recipients.length === 0) return [];
    const answers = new Answers(envelope.recipients.length, options.onReply, this.#shown);
    const { reply: replyTimeout } = this.#options.timeouts;
    const { signal, deadline } = options;
    const until = (): number => Math.min(Date.now() + replyTimeout, deadline);
    const { xforward } = this.#options;
    const delivery: Delivery = { envelope, content, answers, xforward, options, until };
    if (signal.aborted) {
      answers.rest(withId(replies.clientGone, envelope.transaction.id));
      return answers.all();
    }
    const on = (connection: Connection, soon: () => number) => this.#use(connection, { ...delivery, until: soon });
    this.#underWay += 1;
    try {
      const failed = await this.#inTurn({ signal, deadline, until, on });
      if (failed !== null) {
        this.#report(failed, delivery);
        answers.rest(withId(failureReply(failed.failure), envelope.transaction.id));
      }
      return answers.all();
    } finally {
      this.#finished();
    }
  }

  verify(transaction: Transaction, recipient: Recipient): Eventual<Reply | null> {
    if (this.#options.verifyRecipients !== true) return null;
    const mailbox = printMailbox(recipient.forwardPath);
    const known = this.#verifications.get(mailbox);
    return known === null ? this.#ask(transaction, recipient, mailbox) : known.refusal;
  }

  async #ask({ id, signal }: Transaction, recipient: Recipient, mailbox: string): Promise<Reply | null> {
    const deadline = Date.now() + VERIFY_PATIENCE;
    const { reply: replyTimeout } = this.#options.timeouts;
    const until = (): number => Math.min(Date.now() + replyTimeout, deadline);
    const on = async (connection: Connection, soon: () => number): Promise<Trouble | null> => {
      const outcome = await verify(connection, recipient, soon);
      if (outcome !== null && 'failure' in outcome) {
        connection.destroy();
        return outcome;
      }
      if (outcome !== null) {
        const { refusal } = outcome;
        this.#verifications.set(mailbox, { refusal: refusal === null ? null : this.#shown(refusal) });
      }
      this.#pool.keep(connection);
      return null;
    };
    this.#underWay += 1;
    const failed = await this.#inTurn({ signal, deadline, until, on }).finally(() => this.#finished());
    if (failed !== null && failed.failure !== 'gone') {
      const { stage, failure, detail } = failed;
      this.#options.log.warn('downstream-not-asked', { downstream: this.name, id, stage, failure, detail });
    }
    return this.#verifications.get(mailbox)?.refusal ?? null;
  }

  offers(): ServerOffers | null {
    return this.#offers;
  }

  async probe(): Promise<string | null> {
    const { reply: replyTimeout } = this.#options.timeouts;
    const opened = await this.#open(this.#addresses.order(), Number.POSITIVE_INFINITY, () => Date.now() + replyTimeout);
    if ('failure' in opened) return `${opened.stage}: ${opened.failure}${opened.detail ? ` (${opened.detail})` : ''}`;
    this.#pool.keep(opened);
    return null;
  }

  async close(): Promise<void> {
    await this.#pool.close();
    if (this.#underWay === 0) return;
    await new Promise<void>((resolve) => {
      // Whoever waits for the last delivery hears of it first.
      this.#onIdle = () => setImmediate(resolve);
    });
  }

  #finished(): void {
    this.#underWay -= 1;
    if (this.#underWay === 0) this.#onIdle?.();
  }

  /** Waits for a place. */
  async #inTurn(errand: Errand): Promise<Trouble | null> {
    const { signal, deadline } = errand;
    const place = this.#places.take(deadline, signal);
    if (place !== true && !(await place)) {
      return { stage: 'connect', failure: signal.aborted ? 'gone' : 'crowded', detail: null, answered: false };
    }
    try {
      return await this.#attempt(errand);
    } finally {
      this.#places.leave();
    }
  }

  /** On a kept connection or a fresh one, and once more where a kept one had died. */
  async #attempt({ deadline, until, on }: Errand): Promise<Trouble | null> {
    const order = this.#addresses.order();
    const kept = order[0] === undefined ? null : this.#pool.take(order[0]);
    if (kept !== null) {
      // One that died unnoticed says nothing at all: to wait for its reply as for any would leave no time to try again.
      const failed = await on(kept, soonAtFirst(this.#options.timeouts.connect, until));
      if (failed === null || !mayTryAgain(failed, true) || Date.now() >= deadline) return failed;
    }
    const fresh = await this.#open(order, deadline, until);
    return 'failure' in fresh ? fresh : on(fresh, until);
  }

  /** A fresh connection that has said hello, to the first address that answers. `until`: for each reply. */
  async #open(order: readonly Address[], deadline: number, until: () => number): Promise<Connection | Trouble> {
    const { connect } = this.#options.timeouts;
    const last = order.at(-1);
    if (last === undefined) throw new Error(`the downstream "${this.name}" has no address`);
    for (const address of order.slice(0, -1)) {
      // Where another may do better, a greeting is not waited for longer than a connection.
      const opened = await this.#connect(address, deadline, () => Math.min(Date.now() + connect, until()));
      if (!('failure' in opened) || Date.now() >= deadline) return opened;
      const { stage, failure, detail } = opened;
      const where = { downstream: this.name, address: printAddress(address) };
      this.#options.log.warn('downstream-address-failed', { ...where, stage, failure, detail });
    }
    return this.#connect(last, deadline, until);
  }

  async #connect(
    address: Address,
    deadline: number,
    until: () => number,
    tls: Tls | null = this.#options.tls ?? null,
  ): Promise<Connection | Trouble> {
    const { helo, timeouts } = this.#options;
    const connection = new Connection(address, tls !== null, (line) => {
      this.#options.log.warn('downstream-stderr', { downstream: this.name, line });
    });
    const outcome = await connection.room(Math.min(Date.now() + timeouts.connect, deadline));
    const failed =
      outcome === null
        ? await greet(connection, this.#dialect, helo, tls, until)
        : trouble(connection, 'connect', 'unreachable');
    if (failed !== null) {
      connection.destroy();
      if (failed.failure === 'insecure' && tls?.required === false && Date.now() < deadline) {
        const { stage, failure, detail } = failed;
        const where = { downstream: this.name, address: printAddress(address) };
        this.#options.log.warn('downstream-plain-text', { ...where, stage, failure, detail });
        return await this.#connect(address, deadline, until, null);
      }
      this.#addresses.failed(address);
      return failed;
    }
    this.#addresses.worked(address);
    const { capabilities } = connection;
    this.#offers = {
      size: Number(capabilities.argument('SIZE')) || null, // 0 means no limit (RFC 1870 section 4)
      smtputf8: capabilities.has('SMTPUTF8'),
      dsn: capabilities.has('DSN'),
    };
    return connection;
  }

  /** One transaction; what becomes of the connection; and the trouble, for whoever has no reply yet. */
  async #use(connection: Connection, delivery: Delivery): Promise<Trouble | null> {
    let keep = false;
    try {
      const ending = await transact(connection, this.#dialect, delivery);
      if (typeof ending !== 'string') return ending;
      keep = ending !== 'over';
      connection.needsReset = ending === 'incomplete';
      return null;
    } finally {
      if (keep) this.#pool.keep(connection);
      else connection.destroy();
    }
  }

  #report(failed: Trouble, { envelope, answers }: Delivery): void {
    // That the client left is told by the transaction's own record.
    if (failed.failure === 'gone') return;
    const detail = {
      downstream: this.name,
      id: envelope.transaction.id,
      stage: failed.stage,
      failure: failed.failure,
      detail: failed.detail,
      recipients: answers.missing,
    };
    if (isUnknown(failed)) {
      this.#options.log.warn('downstream-unknown-outcome', { ...detail, note: 'may be delivered twice' });
    } else {
      this.#options.log.warn('downstream-failed', detail);
    }
  }
}

/** The first time in `patience` milliseconds at the latest, then as `until` says. */
function soonAtFirst(patience: number, until: () => number): () => number {
  let first = true;
  return () => {
    const end = until();
    if (!first) return end;
    first = false;
    return Math.min(Date.now() + patience, end);
  };
}
