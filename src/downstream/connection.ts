/**
 * connection - one connection to a server or a program: octets out, replies in, and an end to every wait.
 *
 * Knows nothing of the dialog. What fails is a value, told to whoever waits; an error listener is there from the first
 * moment to the last. At most one wait at a time, one timer for all of them.
 */
import type { Duplex } from 'node:stream';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import type { Reply } from '../core/reply.ts';
import { atEndOfTurn } from '../core/turn.ts';
import { type Capabilities, NO_CAPABILITIES } from '../smtp/capabilities.ts';
import { ReplyParser } from '../smtp/reply-parser.ts';
import { type Address, dial } from './dial.ts';
import type { Failure } from './failure.ts';

/** Milliseconds for the reply to QUIT. */
const QUIT_PATIENCE = 1_000;
const LONGEST_TIMER = 2 ** 31 - 1;
const ASCII = /^\p{ASCII}*$/u;

export class Connection {
  /** What the server offers; nothing before its hello. */
  capabilities: Capabilities = NO_CAPABILITIES;
  /** Whether it has carried a transaction before. */
  reused = false;
  /** Whether the last transaction ended before its final replies, so that RSET must come before the next. */
  needsReset = false;

  readonly address: Address;
  #stream: Duplex;
  readonly #parser = new ReplyParser();
  /** `busy`: a dialog is under way; `parked`: kept for the next; `quitting`: QUIT was sent. */
  #use: 'busy' | 'parked' | 'quitting' = 'busy';
  #connected = false;
  /** Why no more replies will come; those that came before are served first. */
  #ended: Failure | null = null;
  #error: string | null = null;
  #waiter: ((outcome: Reply | Failure) => void) | null = null;
  #onRoom: (() => void) | null = null;
  #onClosed: (() => void) | null = null;
  #until = 0;
  #timer: NodeJS.Timeout | null = null;
  /** Whether what is written is held back. */
  #holds = false;
  readonly #release = (): void => {
    this.#holds = false;
    this.#stream.uncork();
  };
  #timerEnds = 0;

  /** Begins to connect; `room` waits for it. `secure`: whether TLS may be negotiated. `onComplaint`: see `dial`. */
  constructor(address: Address, secure: boolean, onComplaint: (line: string) => void) {
    this.address = address;
    const plain: Duplex = dial(address, secure, {
      onOctets: (octets) => plain === this.#stream && this.#onData(octets),
      onComplaint,
    });
    this.#stream = plain;
    plain.on('connect', () => {
      this.#connected = true;
      this.#onRoom?.();
    });
    this.#listen(plain);
  }

  /**
   * Negotiates TLS; null: from now on everything goes over it. For the moment behind a server's consent to STARTTLS, with
   * nothing unread (`quiet`): that would be taken for words said over TLS.
   */
  async secure(options: ConnectionOptions, until: number): Promise<Failure | null> {
    this.#stream = connectTls({ ...options, socket: this.#stream });
    this.#stream.once('secureConnect', () => this.#onRoom?.());
    this.#stream.on('data', (octets: Buffer) => this.#onData(octets));
    this.#listen(this.#stream);
    const outcome = await this.room(until);
    return outcome === null || typeof outcome === 'string' ? outcome : 'misplaced';
  }

  /** What the stream below TLS has to say, TLS says as well. */
  #listen(stream: Duplex): void {
    const ours =
      <A extends unknown[]>(act: (...args: A) => void) =>
      (...args: A): void => {
        if (stream === this.#stream) act(...args);
      };
    stream.on(
      'drain',
      ours(() => this.#onRoom?.()),
    );
    stream.on(
      'end',
      ours(() => this.#end()),
    );
    stream.on(
      'error',
      ours((error: NodeJS.ErrnoException) => {
        this.#error = error.code ?? error.message;
      }),
    );
    stream.on(
      'close',
      ours(() => {
        if (this.#timer !== null) clearTimeout(this.#timer);
        this.#timer = null;
        this.#end();
        this.#onClosed?.();
      }),
    );
  }

  /** For the log: what the system or the parser said; null: nothing. */
  get detail(): string | null {
    return this.#error ?? this.#parser.broken;
  }

  /** Whether no octet has come that no one asked for. */
  get quiet(): boolean {
    return this.#parser.empty;
  }

  /** Whether all that was written has left: nobody reads those octets any more. */
  get sent(): boolean {
    return this.#stream.writableLength === 0;
  }

  /**
   * Leaves at the end of the turn, together with what else is written in it. False: enough waits, wait for `room`. `sent` is
   * called when it has left, or never will.
   */
  write(octets: string | Buffer, sent?: () => void): boolean {
    if (this.#ended !== null) return true;
    if (!this.#holds) {
      this.#holds = true;
      this.#stream.cork();
      atEndOfTurn(this.#release);
    }
    if (typeof octets !== 'string') return this.#stream.write(octets, sent);
    // Nearly all commands are ASCII, and leave sooner if the platform is told so.
    return this.#stream.write(octets, ASCII.test(octets) ? 'latin1' : 'utf8', sent);
  }

  /** What has come already: a reply, or why none will come; null: neither. */
  take(): Reply | Failure | null {
    return this.#parser.next() ?? (this.#parser.broken !== null ? 'garbled' : this.#ended);
  }

  /** The next reply, or why there is none; `silent` at `until`, in milliseconds since the epoch, which is asked where one waits. */
  reply(until: () => number): Reply | Failure | Promise<Reply | Failure> {
    return this.take() ?? this.#replyToCome(until());
  }

  #replyToCome(until: number): Promise<Reply | Failure> {
    return new Promise((resolve) => {
      this.#waiter = resolve;
      this.#arm(until);
    });
  }

  /** Waits until the other end is there and takes more: then null. A reply or a failure ends the wait early. */
  room(until: number): Promise<Reply | Failure | null> {
    return new Promise((resolve) => {
      const settle = (outcome: Reply | Failure | null): void => {
        this.#waiter = null;
        this.#onRoom = null;
        resolve(outcome);
      };
      this.#waiter = settle;
      this.#onRoom = () => settle(null);
      const ready = this.take();
      if (ready !== null) settle(ready);
      else this.#arm(until);
    });
  }

  /** Kept idle until `unpark`, for `limit` milliseconds; what the server says or does in that time ends it. */
  park(limit: number, onClosed: () => void): void {
    this.#use = 'parked';
    this.reused = true;
    this.#onClosed = onClosed;
    this.#arm(Date.now() + limit);
    if (this.#ended !== null || !this.quiet) this.destroy();
  }

  unpark(): void {
    this.#use = 'busy';
    this.#onClosed = null;
  }

  /** Says QUIT and closes; resolves when it is closed. For a connection on which nothing is under way. */
  quit(): Promise<void> {
    if (this.#stream.destroyed) return Promise.resolve();
    this.#use = 'quitting';
    const parkedUntilNow = this.#onClosed;
    return new Promise((resolve) => {
      this.#onClosed = () => {
        parkedUntilNow?.();
        resolve();
      };
      this.#arm(Date.now() + QUIT_PATIENCE);
      this.#stream.end('QUIT\r\n');
    });
  }

  destroy(): void {
    this.#ended ??= 'lost';
    this.#stream.destroy();
  }

  #onData(chunk: Buffer): void {
    if (this.#use === 'parked') this.destroy();
    if (this.#use !== 'busy') return;
    this.#parser.push(chunk);
    this.#wake();
  }

  #end(): void {
    this.#ended ??= this.#connected ? 'lost' : 'unreachable';
    if (this.#use === 'parked') this.#stream.destroy();
    this.#wake();
  }

  /** Tells the waiter, if there is something to tell. */
  #wake(): void {
    const waiter = this.#waiter;
    if (waiter === null) return;
    const ready = this.take();
    if (ready === null) return;
    this.#waiter = null;
    waiter(ready);
  }

  /** The timer keeps running from wait to wait, and is set anew only where it would come too late. */
  #arm(until: number): void {
    this.#until = until;
    if (this.#timer !== null && this.#timerEnds <= until) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    const delay = Math.min(Math.max(until - Date.now(), 0), LONGEST_TIMER);
    this.#timerEnds = until;
    this.#timer = setTimeout(() => this.#onTimer(), delay);
    this.#timer.unref();
  }

  #onTimer(): void {
    this.#timer = null;
    const waiter = this.#waiter;
    if (waiter === null && this.#use === 'busy') return;
    if (Date.now() < this.#until) {
      this.#arm(this.#until);
    } else if (waiter !== null) {
      this.#waiter = null;
      waiter('silent');
    } else if (this.#use === 'parked') {
      void this.quit();
    } else {
      this.destroy();
    }
  }
}
