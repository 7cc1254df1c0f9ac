/**
 * pipelining-client - a load client of its own process: MAIL, every RCPT and DATA in one write, then the content (RFC 2920).
 *
 * As fast as the replies come, or at a rate that does not wait for them: then a message that finds no session free waits, and its
 * time counts from when it came. Takes ClientOptions as JSON, writes ClientReport as JSON; exit 1 at the first refusal.
 */
import { connect, type Socket } from 'node:net';
import { socketOptions } from '../e2e/sandbox.ts';
import { quantile } from './quantile.ts';

export interface ClientOptions {
  readonly address: string;
  readonly protocol: 'smtp' | 'lmtp';
  readonly sessions: number;
  readonly messages: number;
  /** Octets of the body. */
  readonly size: number;
  readonly recipients: number;
  /** Lists to which the recipients belong in turn: list-1, list-2 ... */
  readonly lists: number;
  /** Messages a second; null for as many as can be. */
  readonly rate: number | null;
  /** Of the messages, so many at the beginning do not count, while this process still compiles what it runs; none if left out. */
  readonly warmUp?: number;
}

export interface ClientReport {
  /** For the messages that count. */
  readonly seconds: number;
  /** Milliseconds from a message's turn to its last reply. */
  readonly median: number;
  readonly percentile99: number;
  /** A look every tenth of a second; `at` as of Date.now(). */
  readonly series: readonly Look[];
}

export interface Look {
  readonly at: number;
  readonly offered: number;
  readonly accepted: number;
}

const LOOK_EVERY = 100;
const LINE = `${'x'.repeat(76)}\r\n`;

class Load {
  readonly #options: ClientOptions;
  readonly #envelopes: readonly string[];
  readonly #content: Buffer;
  readonly #idle: Session[] = [];
  /** Since when messages wait for a session. */
  readonly #waiting: number[] = [];
  readonly #took: number[] = [];
  readonly #series: Look[] = [];
  #offered = 0;
  #given = 0;

  constructor(options: ClientOptions) {
    this.#options = options;
    const { lists, recipients, size } = options;
    this.#envelopes = Array.from({ length: lists }, (_, from) => {
      const rcpt = (_: unknown, index: number) =>
        `RCPT TO:<list-${((from * recipients + index) % lists) + 1}@lists.example.org>\r\n`;
      return `MAIL FROM:<ann@example.net>\r\n${Array.from({ length: recipients }, rcpt).join('')}DATA\r\n`;
    });
    this.#content = Buffer.from(
      'From: ann@example.net\r\nTo: list-1@lists.example.org\r\nSubject: bench\r\n' +
        'Date: Wed, 25 Nov 2026 12:00:00 +0000\r\nMessage-ID: <bench@example.net>\r\n\r\n' +
        `${LINE.repeat(Math.max(1, Math.round(size / LINE.length)))}.\r\n`,
    );
  }

  async run(): Promise<ClientReport> {
    const { sessions, messages, rate, warmUp = 0 } = this.#options;
    const open = Array.from({ length: sessions }, () => new Session(this.#options));
    await Promise.all(open.map((session) => session.greeted()));
    const began = performance.now();
    let counting = began;
    const finished = new Promise<void>((resolve) => {
      for (const session of open) {
        session.whenDone = (since) => {
          this.#took.push(performance.now() - since);
          if (this.#took.length === warmUp) counting = performance.now();
          if (this.#took.length === messages) resolve();
          this.#next(session);
        };
      }
    });
    this.#look();
    const looking = setInterval(() => this.#look(), LOOK_EVERY);
    const arriving =
      rate === null ? null : setInterval(() => this.#arrive(((performance.now() - began) / 1000) * rate), 1);
    if (rate === null) this.#offered = messages;
    for (const session of open) this.#next(session);
    await finished;
    const seconds = (performance.now() - counting) / 1000;
    clearInterval(looking);
    if (arriving !== null) clearInterval(arriving);
    this.#look();
    for (const session of open) session.end();
    const counted = this.#took.slice(warmUp);
    return {
      seconds,
      median: quantile(counted, 0.5),
      percentile99: quantile(counted, 0.99),
      series: this.#series,
    };
  }

  #arrive(until: number): void {
    const now = performance.now();
    for (const end = Math.min(until, this.#options.messages); this.#offered < end; this.#offered += 1) {
      this.#waiting.push(now);
    }
    while (this.#waiting.length > 0) {
      const session = this.#idle.pop();
      if (session === undefined) return;
      this.#give(session, this.#waiting.shift() ?? now);
    }
  }

  #next(session: Session): void {
    if (this.#options.rate === null) {
      if (this.#given < this.#options.messages) this.#give(session, performance.now());
      return;
    }
    const since = this.#waiting.shift();
    if (since === undefined) this.#idle.push(session);
    else this.#give(session, since);
  }

  #give(session: Session, since: number): void {
    session.send(this.#envelopes[this.#given % this.#envelopes.length] ?? '', this.#content, since);
    this.#given += 1;
  }

  #look(): void {
    this.#series.push({ at: Date.now(), offered: this.#offered, accepted: this.#took.length });
  }
}

/** Replies are counted, and each must be positive. */
class Session {
  whenDone: (since: number) => void = () => {};
  readonly #socket: Socket;
  readonly #options: ClientOptions;
  #partial = '';
  /** Replies still to come, and what happens then. */
  #missing = 1;
  #then: () => void = () => {};

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#socket = connect(socketOptions(options.address));
    this.#socket.setNoDelay(true);
    this.#socket.setEncoding('latin1');
    this.#socket.on('data', (text: string) => this.#read(text));
    this.#socket.on('error', (error) => fail(error.message));
    this.#socket.on('end', () => fail('the server closed the connection'));
  }

  greeted(): Promise<void> {
    return new Promise((resolve) => {
      this.#then = () => {
        this.#expect(1, resolve);
        this.#socket.write(`${this.#options.protocol === 'lmtp' ? 'LHLO' : 'EHLO'} load.example\r\n`);
      };
    });
  }

  send(envelope: string, content: Buffer, since: number): void {
    const { recipients, protocol } = this.#options;
    this.#expect(recipients + 2, () => {
      this.#expect(protocol === 'lmtp' ? recipients : 1, () => this.whenDone(since));
      this.#socket.write(content);
    });
    this.#socket.write(envelope, 'latin1');
  }

  end(): void {
    this.#socket.removeAllListeners('end');
    this.#socket.end('QUIT\r\n');
    this.#socket.unref();
  }

  #expect(replies: number, then: () => void): void {
    this.#missing = replies;
    this.#then = then;
  }

  #read(text: string): void {
    const all = this.#partial + text;
    let from = 0;
    for (let end = all.indexOf('\r\n'); end >= 0; end = all.indexOf('\r\n', from)) {
      if (all[from] !== '2' && all[from] !== '3') fail(all.slice(from, end));
      if (all[from + 3] !== '-') this.#missing -= 1;
      from = end + 2;
      if (this.#missing === 0) this.#complete();
    }
    this.#partial = all.slice(from);
  }

  #complete(): void {
    const then = this.#then;
    this.#then = () => {};
    this.#missing = -1;
    then();
  }
}

function fail(what: string): never {
  process.stderr.write(`${what}\n`);
  process.exit(1);
}

const report = await new Load(JSON.parse(process.argv[2] ?? '{}')).run();
process.stdout.write(`${JSON.stringify(report)}\n`, () => process.exit(0));
