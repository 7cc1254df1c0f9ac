/**
 * stage - a listener with a pipeline of the test's own behind it.
 */
import type { Recipient, Transaction } from '../../src/core/envelope.ts';
import type { Log } from '../../src/core/log.ts';
import { type Reply, replies } from '../../src/core/reply.ts';
import type { Outcome } from '../../src/core/verdict.ts';
import type { Admission, Pipeline } from '../../src/pipeline/pipeline.ts';
import { Listener, type ListenAddress } from '../../src/server/listener.ts';
import type { Site } from '../../src/server/site.ts';

/** What reached the pipeline. */
export interface Arrived {
  readonly transaction: Transaction;
  readonly recipients: readonly Recipient[];
  readonly content: Buffer;
  readonly end: string | null;
}

export interface Stage {
  readonly listener: Listener;
  readonly port: number;
  readonly arrived: Arrived[];
  readonly abandoned: string[];
  readonly errors: unknown[];
}

export interface StageOptions {
  readonly protocol?: 'lmtp' | 'smtp';
  readonly site?: Partial<Site>;
  /** Keys that are asked for anew each time, as after a reload. */
  readonly live?: Partial<Site>;
  readonly address?: ListenAddress;
  readonly clientTimeout?: number;
  readonly admit?: (recipient: Recipient) => Promise<Reply | null>;
  /** Called with what arrived; the reply of each accepted recipient. */
  readonly settle?: (arrived: Arrived, position: number) => Promise<Reply>;
}

export function silentLog(errors: unknown[] = []): Log {
  return { transaction: () => {}, info: () => {}, warn: () => {}, error: (_event, error) => errors.push(error) };
}

export async function openStage(options: StageOptions = {}): Promise<Stage> {
  const protocol = options.protocol ?? 'lmtp';
  const arrived: Arrived[] = [];
  const abandoned: string[] = [];
  const errors: unknown[] = [];
  const recipients = new WeakMap<Admission, Recipient>();

  const pipeline: Pipeline = {
    async admit(_entrance, _transaction, recipient) {
      const refusal = (await options.admit?.(recipient)) ?? null;
      // The server looks at the refusal alone.
      const admission = { decision: { recipient }, refusal } as unknown as Admission;
      recipients.set(admission, recipient);
      return admission;
    },
    async settle(_entrance, transaction, admissions, content, answer) {
      const slices: Buffer[] = [];
      for await (const slice of content) slices.push(slice);
      const accepted = admissions.filter(({ refusal }) => refusal === null).flatMap((one) => recipients.get(one) ?? []);
      const whole = { transaction, recipients: accepted, content: Buffer.concat(slices), end: content.end };
      arrived.push(whole);
      const outcomes: Outcome[] = [];
      for (const [position, recipient] of accepted.entries()) {
        const reply = (await options.settle?.(whole, position)) ?? replies.messageAccepted;
        const outcome = { recipient, verdict: null, reply, downstream: 'test', copies: [], ms: null };
        answer?.(position, outcome);
        outcomes.push(outcome);
      }
      return outcomes;
    },
    abandon: (_entrance, _transaction, _admissions, end) => abandoned.push(end),
  };
  const site: Site = {
    protocol,
    hostname: 'lists.example.org',
    entrance: {
      name: 'test',
      replies: protocol === 'lmtp' ? 'each' : 'one',
      mixed: 'strictest',
      refuseAt: 'rcpt',
      deadline: 5000,
      received: false,
    },
    clientFrom: 'peer',
    trusts: () => true,
    chunking: false,
    tls: null,
    limits: { size: 1_000_000, bareNewline: 'reject', recipients: 100 },
    sessions: { perPeer: 1000, errors: 20, commands: 1000 },
    clientTimeout: options.clientTimeout ?? 5000,
    log: silentLog(errors),
    pipeline: () => pipeline,
    offers: () => ({ size: null, smtputf8: true, dsn: false }),
    isFull: () => false,
    ...options.site,
  };
  const address = options.address ?? { host: '127.0.0.1', port: 0 };
  const listener = new Listener({ address, mode: null }, () => ({ ...site, ...options.live }));
  await listener.open();
  return { listener, port: listener.port ?? 0, arrived, abandoned, errors };
}
