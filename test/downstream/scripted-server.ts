/**
 * scripted-server - an LMTP or SMTP server that behaves as a test tells it, and writes down what it got.
 *
 * Without a script it is a good server: it takes every recipient and every message. A script says for a step what to do
 * instead: a reply (its lines separated by a line feed, CRLF added), or an act, or a list of them, one a turn; behind
 * the end of a list the server is good again. `final` is the exact list of what follows the final dot.
 *
 *     const server = await startScriptedServer({ protocol: 'lmtp', script: { rcpt: ['250 Ok', '550 5.1.1 Who?'] } });
 *     const server = await startScriptedServer({ protocol: 'lmtp', script: { final: ['250 Ok', close] } });
 *     const server = await startScriptedServer({ protocol: 'smtp', script: (connection) => (connection === 0 ? { mail: close } : {}) });
 *     …
 *     server.sessions[0].commands   // ['LHLO …', 'MAIL FROM:<…>', …], DATA too, content not
 *     server.sessions[0].messages   // [{ content, raw }], whole messages only
 *     await server.close();
 */
import { createServer, type Socket } from 'node:net';
import { type SecureContext, TLSSocket } from 'node:tls';

/** Ends the connection behind what was said before (FIN). */
export const close = { kind: 'close' } as const;
/** Resets the connection (RST). */
export const reset = { kind: 'reset' } as const;
/** Says nothing from now on, whatever comes. */
export const hang = { kind: 'hang' } as const;
/** Stops reading, and says nothing from now on. */
export const stall = { kind: 'stall' } as const;
/** Stops reading, and may say more. */
export const deaf = { kind: 'deaf' } as const;
/** No reply this time. */
export const nothing = { kind: 'nothing' } as const;
/** A reply of which an octet comes now and then, and never the end. */
export const drip = { kind: 'drip' } as const;

/** These octets and no CRLF: garbage, half a line. */
export function raw(octets: string): Act {
  return { kind: 'raw', octets };
}

/** The reply, one octet a turn of the event loop; more at a time where it would take more than MOST_TURNS. */
export function slowly(reply: string): Act {
  return { kind: 'slowly', reply };
}

/** Acts by the reply, and does not say it. */
export function unsaid(reply: string): Act {
  return { kind: 'unsaid', reply };
}

/** One after the other. */
export function all(...acts: readonly Act[]): Act {
  return { kind: 'all', acts };
}

export type Act =
  | string
  | typeof close
  | typeof reset
  | typeof hang
  | typeof stall
  | typeof deaf
  | typeof nothing
  | typeof drip
  | { readonly kind: 'secure' }
  | { readonly kind: 'raw'; readonly octets: string }
  | { readonly kind: 'slowly' | 'unsaid'; readonly reply: string }
  | { readonly kind: 'all'; readonly acts: readonly Act[] };

/** One act for every time, or a list of acts, one a time. */
type Turns = Act | readonly Act[];

export interface Script {
  readonly greeting?: Act;
  /** To LHLO, EHLO, HELO. */
  readonly hello?: Turns;
  /** Where STARTTLS is offered, and so the server has a certificate. Only a good answer begins TLS. */
  readonly starttls?: Turns;
  readonly xforward?: Turns;
  readonly mail?: Turns;
  readonly rcpt?: Turns;
  readonly data?: Turns;
  readonly rset?: Turns;
  readonly quit?: Turns;
  /** Once, when so many octets of content have come. */
  readonly early?: { readonly after: number; readonly act: Act };
  /** All that follows the final dot of each message. */
  readonly final?: readonly Act[];
}

export interface ReceivedMessage {
  /** As on the wire, with the dots that were stuffed, without the final dot. */
  readonly raw: Buffer;
  readonly content: Buffer;
}

export interface Session {
  readonly commands: readonly string[];
  readonly messages: readonly ReceivedMessage[];
  /** Octets of content that never met a final dot. */
  readonly unfinished: Buffer;
  /** What was read, piece by piece. */
  readonly reads: readonly string[];
  /** Resolves when the connection is closed. */
  readonly closed: Promise<void>;
  /** Whether TLS is active. */
  readonly secure: boolean;
  /** Says something unasked. */
  say(act: Act): void;
}

export interface ScriptedServerOptions {
  readonly protocol: 'lmtp' | 'smtp';
  /** The lines of the hello behind the first. */
  readonly capabilities?: readonly string[];
  readonly script?: Script | ((connection: number) => Script);
  /** Offers STARTTLS with that certificate. */
  readonly tls?: SecureContext;
  /** Of a unix socket; without it a free TCP port of 127.0.0.1. */
  readonly path?: string;
}

export interface ScriptedServer {
  readonly address: { readonly host: string; readonly port: number } | { readonly path: string };
  readonly sessions: readonly Session[];
  /** Drops all connections and frees port or path. */
  close(): Promise<void>;
}

export const CAPABILITIES = ['PIPELINING', 'SIZE 50000000', '8BITMIME', 'ENHANCEDSTATUSCODES'];

export async function startScriptedServer(options: ScriptedServerOptions): Promise<ScriptedServer> {
  const { protocol, capabilities = CAPABILITIES, script = {}, path, tls = null } = options;
  const sessions: ScriptedSession[] = [];
  const server = createServer((socket) => {
    const own = typeof script === 'function' ? script(sessions.length) : script;
    sessions.push(new ScriptedSession(socket, protocol, capabilities, own, tls));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path === undefined ? { host: '127.0.0.1', port: 0 } : { path }, resolve);
  });
  const bound = server.address();
  const address =
    bound !== null && typeof bound === 'object' ? { host: bound.address, port: bound.port } : { path: path ?? '' };
  return {
    address,
    sessions,
    async close() {
      for (const session of sessions) session.drop();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

type Step = 'hello' | 'starttls' | 'xforward' | 'mail' | 'rcpt' | 'data' | 'rset' | 'quit';

const STEPS: Readonly<Record<string, Step>> = {
  LHLO: 'hello',
  EHLO: 'hello',
  HELO: 'hello',
  STARTTLS: 'starttls',
  XFORWARD: 'xforward',
  MAIL: 'mail',
  RCPT: 'rcpt',
  DATA: 'data',
  RSET: 'rset',
  QUIT: 'quit',
};

class ScriptedSession implements Session {
  readonly commands: string[] = [];
  readonly messages: ReceivedMessage[] = [];
  readonly reads: string[] = [];
  readonly closed: Promise<void>;
  #socket: Socket;
  readonly #tls: SecureContext | null;
  readonly #protocol: 'lmtp' | 'smtp';
  readonly #capabilities: readonly string[];
  readonly #script: Script;
  readonly #turns = new Map<Step, number>();
  #input: Buffer = Buffer.alloc(0);
  #inContent = false;
  #early = false;
  #silent = false;
  #mail = false;
  #accepted = 0;
  /** Acts are done one after the other, also where one takes its time. */
  #queue: Promise<void> = Promise.resolve();

  constructor(
    socket: Socket,
    protocol: 'lmtp' | 'smtp',
    capabilities: readonly string[],
    script: Script,
    tls: SecureContext | null,
  ) {
    this.#socket = socket;
    this.#tls = tls;
    this.#protocol = protocol;
    this.#capabilities = capabilities;
    this.#script = script;
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
    socket.setNoDelay(true);
    this.#listen();
    this.say(script.greeting ?? `220 scripted.example ${protocol.toUpperCase()}`);
  }

  /** Whether what is said now is said over TLS. */
  get secure(): boolean {
    return this.#socket instanceof TLSSocket;
  }

  #listen(): void {
    const socket = this.#socket;
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      if (socket !== this.#socket) return;
      this.reads.push(chunk.toString('latin1'));
      this.#input = Buffer.concat([this.#input, chunk]);
      this.#read();
    });
  }

  get unfinished(): Buffer {
    return this.#inContent ? this.#input : Buffer.alloc(0);
  }

  say(act: Act): void {
    this.#queue = this.#queue.then(() => this.#do(act));
  }

  drop(): void {
    this.#socket.destroy();
  }

  #read(): void {
    for (;;) {
      if (this.#inContent) {
        if (!this.#readContent()) return;
        continue;
      }
      const end = this.#input.indexOf('\r\n');
      if (end === -1) return;
      const line = this.#input.toString('utf8', 0, end);
      this.#input = this.#input.subarray(end + 2);
      this.commands.push(line);
      this.#obey(line);
    }
  }

  #obey(line: string): void {
    const verb = line.split(' ')[0]?.toUpperCase() ?? '';
    const step = STEPS[verb];
    const act = (step === undefined ? undefined : this.#turn(step)) ?? this.#good(verb);
    if (step === 'mail' || step === 'rset') this.#accepted = 0;
    if (step === 'mail' || step === 'rset') this.#mail = step === 'mail' && firstDigit(act) === '2';
    if (step === 'rcpt' && firstDigit(act) === '2') this.#accepted++;
    if (step === 'data' && firstDigit(act) === '3') this.#inContent = true;
    this.say(act);
  }

  #turn(step: Step): Act | undefined {
    const turns = this.#script[step];
    if (!Array.isArray(turns)) return turns as Act | undefined;
    const turn = this.#turns.get(step) ?? 0;
    this.#turns.set(step, turn + 1);
    return turns[turn] as Act | undefined;
  }

  #offered(): readonly string[] {
    return this.#tls === null || this.secure ? this.#capabilities : [...this.#capabilities, 'STARTTLS'];
  }

  #good(verb: string): Act {
    switch (verb) {
      case 'LHLO':
      case 'EHLO':
        if ((verb === 'LHLO') !== (this.#protocol === 'lmtp')) return '500 5.5.1 Wrong verb';
        return ['250-scripted.example', ...this.#offered().map((line) => `250-${line}`)]
          .join('\n')
          .replace(/250-(.*)$/, '250 $1');
      case 'HELO':
        return this.#protocol === 'lmtp' ? '500 5.5.1 Wrong verb' : '250 scripted.example';
      case 'STARTTLS':
        return this.#tls === null ? '500 5.5.1 Unknown command' : all('220 2.0.0 Ready', { kind: 'secure' });
      case 'XFORWARD':
      case 'RSET':
        return '250 2.0.0 Ok';
      case 'MAIL':
        return '250 2.1.0 Ok';
      case 'RCPT':
        return this.#mail ? '250 2.1.5 Ok' : '503 5.5.1 No MAIL';
      case 'DATA':
        return this.#accepted > 0 ? '354 Go on' : '503 5.5.1 No recipients';
      case 'QUIT':
        return all('221 2.0.0 Bye', close);
      default:
        return '500 5.5.1 Unknown command';
    }
  }

  /** Whether a whole message was read. */
  #readContent(): boolean {
    const { early, final } = this.#script;
    if (early !== undefined && !this.#early && this.#input.length >= early.after) {
      this.#early = true;
      this.say(early.act);
    }
    const text = this.#input;
    const end = text.subarray(0, 3).equals(Buffer.from('.\r\n')) ? 0 : text.indexOf('\r\n.\r\n') + 2;
    if (end === 1) return false;
    const octets = text.subarray(0, end);
    const content = octets.toString('latin1').replace(/(^|\r\n)\./g, '$1');
    this.messages.push({ raw: octets, content: Buffer.from(content, 'latin1') });
    this.#input = text.subarray(end + 3);
    this.#inContent = false;
    const good = Array.from({ length: this.#protocol === 'lmtp' ? this.#accepted : 1 }, () => '250 2.0.0 Ok');
    for (const act of final ?? good) this.say(act);
    this.#accepted = 0;
    return true;
  }

  #drip(): void {
    const timer = setInterval(() => this.#socket.write('-'), DRIP);
    this.#socket.write('250');
    this.#socket.once('close', () => clearInterval(timer));
  }

  async #do(act: Act): Promise<void> {
    if (this.#silent) return;
    if (typeof act === 'string') {
      this.#socket.write(wire(act));
      return;
    }
    switch (act.kind) {
      case 'close':
        this.#socket.end();
        this.#silent = true;
        return;
      case 'reset':
        this.#socket.resetAndDestroy();
        this.#silent = true;
        return;
      case 'stall':
        this.#socket.pause();
        this.#silent = true;
        return;
      case 'hang':
        this.#silent = true;
        return;
      case 'deaf':
        this.#socket.pause();
        return;
      case 'drip':
        this.#silent = true;
        this.#drip();
        return;
      case 'nothing':
      case 'unsaid':
        return;
      case 'secure':
        this.#socket = new TLSSocket(this.#socket, {
          isServer: true,
          ...(this.#tls === null ? {} : { secureContext: this.#tls }),
        });
        this.#listen();
        return;
      case 'raw':
        this.#socket.write(act.octets, 'latin1');
        return;
      case 'slowly':
        for (const octets of piecesOf(wire(act.reply))) {
          this.#socket.write(octets);
          await new Promise((resolve) => setImmediate(resolve));
        }
        return;
      case 'all':
        for (const one of act.acts) await this.#do(one);
        return;
    }
  }
}

/** Milliseconds between two octets: far from what a parser takes for too long, in all the time that anybody waits. */
const DRIP = 20;

/** A turn takes long where hundreds of connections are served and the machine is busy. */
const MOST_TURNS = 40;

function piecesOf(octets: string): readonly string[] {
  const length = Math.ceil(octets.length / MOST_TURNS);
  return octets.match(new RegExp(`.{1,${length}}`, 'gs')) ?? [];
}

function wire(reply: string): string {
  return `${reply.replaceAll('\n', '\r\n')}\r\n`;
}

/** Of the first reply that the act gives. */
function firstDigit(act: Act): string | undefined {
  if (typeof act === 'string') return act[0];
  if (act.kind === 'slowly' || act.kind === 'unsaid') return act.reply[0];
  return act.kind === 'all' && act.acts[0] !== undefined ? firstDigit(act.acts[0]) : undefined;
}
