/**
 * chaos - `npm run bench -- chaos`: a downstream that crashes, hangs and breaks off at random, Postern killed with SIGKILL at
 * random and started again, and clients that send each message until every recipient has its answer, as an MTA does; or
 * such an MTA (`--front postfix`).
 *
 * What must hold: who was told 2yz has the message, who was told 5yz has it never; and a message arrives twice only where an
 * attempt before ended without 2yz. Exit 1 if not.
 */
import { writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { Postern } from '../e2e/postern.ts';
import { type Address, freeAddress, Sandbox, socketOptions } from '../e2e/sandbox.ts';
import { connectPeer, type Peer } from '../support/peer.ts';
import { PostfixFront } from './postfix-front.ts';

export interface ChaosOptions {
  readonly messages: number;
  readonly front: 'clients' | 'postfix';
}

/** Sessions at a time. */
const CLIENTS = 20;

const GOOD = 'good@lists.example.org';
const REFUSED = 'refused@lists.example.org';
const SYSTEM = `version: 1
before:
  - name: refused
    when: { all: [ { list: { like: "*${REFUSED}" } }, { subject: { exists: true } } ] }
    then: { reject: "Not to this list" }
`;

const CHANCE = { hang: 0.0005, dropBeforeReply: 0.003, dropInContent: 0.003, defer: 0.01 } as const;
/** Milliseconds. */
const CRASH_EVERY = 900;
const DOWN_FOR = 150;
const KILL_EVERY = 2500;

function somewhere(milliseconds: number): number {
  return milliseconds * (0.5 + Math.random());
}

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** An LMTP server that commits a message just before it says so, and often does not get to say it. */
class UnsteadyDownstream {
  /** `message recipient` -> how often it was committed. */
  readonly committed = new Map<string, number>();
  crashes = 0;
  readonly #address: Address;
  #server: Server | null = null;
  readonly #sockets = new Set<Socket>();

  constructor(address: Address) {
    this.#address = address;
  }

  async start(): Promise<void> {
    const server = createServer((socket) => this.#serve(socket));
    await new Promise<void>((resolve) => server.listen(socketOptions(this.#address), resolve));
    this.#server = server;
  }

  async crash(): Promise<void> {
    this.crashes += 1;
    const closed = new Promise((resolve) => this.#server?.close(resolve));
    for (const socket of this.#sockets) socket.resetAndDestroy();
    await closed;
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('close', () => this.#sockets.delete(socket));
    let pending = '';
    let recipients: string[] = [];
    let inData = false;
    socket.write('220 unsteady LMTP\r\n');
    socket.on('data', (chunk: Buffer) => {
      pending += chunk.toString('latin1');
      for (;;) {
        const end = pending.indexOf(inData ? '\r\n.\r\n' : '\r\n');
        if (end < 0) break;
        const text = pending.slice(0, end);
        pending = pending.slice(end + (inData ? 5 : 2));
        if (inData) {
          inData = false;
          this.#finish(socket, /^Subject: (\d+)/m.exec(text)?.[1] ?? '?', recipients);
          recipients = [];
        } else if (/^RCPT/i.test(text)) {
          recipients.push(/<(.*)>/.exec(text)?.[1] ?? '?');
          socket.write('250 ok\r\n');
        } else if (/^DATA/i.test(text)) {
          inData = true;
          if (Math.random() < CHANCE.dropInContent) socket.destroy();
          socket.write('354 go\r\n');
        } else socket.write(/^LHLO/i.test(text) ? '250-unsteady\r\n250 PIPELINING\r\n' : '250 ok\r\n');
      }
    });
  }

  #finish(socket: Socket, message: string, recipients: readonly string[]): void {
    if (Math.random() < CHANCE.hang) return;
    for (const recipient of recipients) {
      if (Math.random() < CHANCE.defer) {
        socket.write('451 4.2.0 busy\r\n');
        continue;
      }
      const key = `${message} ${recipient}`;
      this.committed.set(key, (this.committed.get(key) ?? 0) + 1);
      if (Math.random() < CHANCE.dropBeforeReply) {
        socket.destroy();
        return;
      }
      socket.write('250 2.0.0 taken\r\n');
    }
  }
}

/** What a client heard of one message for one recipient. */
export interface Heard {
  final: string | null;
  /** Attempts that ended without 2yz. */
  failures: number;
}

/** Who sends the messages. */
export interface Front {
  /** `message recipient` to what was heard; all of them once `run` is over. */
  readonly heard: ReadonlyMap<string, Heard>;
  readonly sent: number;
  run(): Promise<void>;
}

class Clients implements Front {
  readonly heard = new Map<string, Heard>();
  readonly #port: number;
  #next = 0;
  readonly #messages: number;

  constructor(port: number, messages: number) {
    this.#port = port;
    this.#messages = messages;
  }

  get sent(): number {
    return this.#next;
  }

  async run(): Promise<void> {
    await Promise.all(Array.from({ length: CLIENTS }, () => this.#runOne()));
  }

  async #runOne(): Promise<void> {
    let peer: Peer | null = null;
    while (this.#next < this.#messages) {
      const message = String(this.#next++);
      const all = [[GOOD], [GOOD, REFUSED], [REFUSED]][Number(message) % 3] ?? [GOOD];
      for (const recipient of all) this.heard.set(`${message} ${recipient}`, { final: null, failures: 0 });
      for (let open = all; open.length > 0; ) {
        try {
          peer ??= await this.#greeted();
          await this.#attempt(peer, message, open);
        } catch {
          peer?.socket.destroy();
          peer = null;
          for (const recipient of open) this.#note(message, recipient, null);
          await pause(20);
        }
        open = open.filter((recipient) => this.heard.get(`${message} ${recipient}`)?.final === null);
      }
    }
    peer?.socket.destroy();
  }

  async #greeted(): Promise<Peer> {
    const peer = await connectPeer(this.#port, 10_000);
    if (!(await peer.reply())?.startsWith('220')) throw new Error('no greeting');
    await peer.ask('LHLO chaos.example');
    return peer;
  }

  async #attempt(peer: Peer, message: string, recipients: readonly string[]): Promise<void> {
    const envelope = ['MAIL FROM:<chaos@example.net>', ...recipients.map((one) => `RCPT TO:<${one}>`), 'DATA'];
    peer.socket.write(envelope.map((line) => `${line}\r\n`).join(''));
    const answers: string[] = [];
    for (const _ of envelope) answers.push(expect(await peer.reply()));
    const accepted = recipients.filter((_, index) => answers[index + 1]?.startsWith('250'));
    for (const [index, recipient] of recipients.entries()) {
      if (!accepted.includes(recipient)) this.#note(message, recipient, answers[index + 1] ?? null);
    }
    if (!answers.at(-1)?.startsWith('354')) return;
    peer.socket.write(`From: chaos@example.net\r\nSubject: ${message}\r\n\r\n${'x'.repeat(500)}\r\n.\r\n`);
    for (const recipient of accepted) this.#note(message, recipient, expect(await peer.reply()));
  }

  #note(message: string, recipient: string, answer: string | null): void {
    const heard = this.heard.get(`${message} ${recipient}`);
    if (heard === undefined || heard.final !== null) return;
    if (answer !== null && /^[25]/.test(answer)) heard.final = answer;
    else heard.failures += 1;
  }
}

function expect(reply: string | null): string {
  if (reply === null) throw new Error('the connection ended');
  return reply;
}

/** Exit code 0 or 1. */
export async function chaos(options: ChaosOptions): Promise<number> {
  const sandbox = new Sandbox('chaos');
  const [listener, below] = [await freeAddress(), await freeAddress()];
  writeFileSync(join(sandbox.folder, 'system.yaml'), SYSTEM);
  writeFileSync(
    join(sandbox.folder, 'postern.yaml'),
    `version: 1\nhostname: chaos.example\nlisten: [ { lmtp: "${listener}", deadline: 4 seconds } ]\n` +
      `downstreams: { below: { lmtp: "${below}" } }\nroutes: [ { to: below } ]\nrules: { system: system.yaml }\n` +
      'timeouts: { connect: 1 second, reply: 2 seconds, drain: 1 second }\nlog: { level: error }\n',
  );
  const downstream = new UnsteadyDownstream(below);
  await downstream.start();
  let postern = await Postern.start(sandbox, [], [listener]);
  const clients: Front =
    options.front === 'clients'
      ? new Clients(Number(listener.split(':').at(-1)), options.messages)
      : await PostfixFront.start(sandbox, { listener, messages: options.messages, good: GOOD, refused: REFUSED });
  let kills = 0;
  let running = true;
  const meanwhile = async (every: number, act: () => Promise<void>): Promise<void> => {
    while (running) {
      await pause(somewhere(every));
      if (running) await act();
    }
  };
  const disturbances = [
    meanwhile(CRASH_EVERY, async () => {
      await downstream.crash();
      await pause(DOWN_FOR);
      await downstream.start();
    }),
    meanwhile(KILL_EVERY, async () => {
      kills += 1;
      postern.kill();
      postern = await Postern.start(sandbox, [], [listener]);
    }),
    meanwhile(5000, async () => {
      process.stderr.write(`${clients.sent} of ${options.messages} messages\n`);
    }),
  ];
  await clients.run();
  running = false;
  await Promise.all(disturbances);
  await downstream.crash();
  await sandbox.close();

  const tally = { accepted: 0, refused: 0, lost: 0, openGate: 0, duplicates: 0, unexplained: 0, retries: 0 };
  for (const [key, { final, failures }] of clients.heard) {
    const arrived = downstream.committed.get(key) ?? 0;
    tally.retries += failures;
    if (final?.startsWith('2')) {
      tally.accepted += 1;
      if (arrived === 0) tally.lost += 1;
      tally.duplicates += Math.max(0, arrived - 1);
      if (arrived > 1 + failures) tally.unexplained += 1;
    } else {
      tally.refused += 1;
      if (arrived > 0) tally.openGate += 1;
    }
  }
  process.stdout.write(
    `${options.messages} messages, ${clients.heard.size} recipients: ${tally.accepted} accepted, ${tally.refused} refused, ` +
      `${tally.retries} attempts repeated\ndownstream crashed ${downstream.crashes} times, Postern killed ${kills} times\n` +
      `accepted and lost: ${tally.lost}; refused and delivered: ${tally.openGate}; ` +
      `duplicates: ${tally.duplicates}, not explained by a failed attempt: ${tally.unexplained}\n`,
  );
  return tally.lost + tally.openGate + tally.unexplained === 0 ? 0 : 1;
}
