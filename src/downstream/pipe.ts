/**
 * pipe - delivers to a program: one run for each recipient, the content on standard input, the exit code is the reply.
 *
 * The end of standard input is the commit point: until then a lost client ends the program, and never by an end of input,
 * which it would take for the end of the message. Whoever is not done at the deadline is answered with 451, and their
 * program is ended.
 */
import type { Recipient } from '../core/envelope.ts';
import type { ListAddress } from '../core/facts.ts';
import type { Log } from '../core/log.ts';
import type { Mailbox } from '../core/mailbox.ts';
import type { Content } from '../core/message.ts';
import { isPositive, type Reply, replies, reply, withId } from '../core/reply.ts';
import { withLineFeeds } from '../mail/line-feeds.ts';
import { Answers } from './answers.ts';
import { type Child, hasExited, start, terminate } from './child.ts';
import type { DeliverOptions, Downstream } from './downstream.ts';
import { failureReply } from './failure.ts';
import { Places } from './places.ts';
import { type Call, fillCall } from './program-call.ts';
import { programFailed, replyToExit } from './sysexits.ts';
import type { Signal } from '../core/signal.ts';

export interface PipeOptions {
  readonly name: string;
  /** Path and arguments, with placeholders. */
  readonly program: readonly string[];
  /** Programs that run at a time; further ones wait. */
  readonly connections: number;
  /** Takes an address apart by the dialect of the list manager. */
  readonly split: (mailbox: Mailbox) => ListAddress;
  /** Milliseconds that one run may take. */
  readonly timeout: number;
  readonly log: Log;
}

const unsafeAddress = reply(550, '5.1.3', 'This address cannot be passed on');
const crowded = failureReply('crowded');
const silent = failureReply('silent');

const LONGEST_TIMER = 2 ** 31 - 1;

export function createPipeDownstream(options: PipeOptions): Downstream {
  const { name, program, split, log } = options;
  const places = new Places(options.connections);
  const underWay = new Set<Promise<unknown>>();

  function warn(call: Call, event: string, detail: Readonly<Record<string, unknown>>): void {
    log.warn(event, { downstream: name, id: call.transaction.id, recipient: call.recipient.raw, ...detail });
  }

  async function run(call: Call, content: Content, { signal, deadline }: DeliverOptions): Promise<Reply> {
    const filled = fillCall(program, call);
    if (filled === null) return unsafeAddress;
    if (signal.aborted) return replies.clientGone;
    if (!(await places.take(deadline, signal))) return signal.aborted ? replies.clientGone : crowded;
    const child = await start(filled, (line) => warn(call, 'downstream-stderr', { line }));
    if (child instanceof Error) {
      places.leave();
      warn(call, 'downstream-failed', { stage: 'connect', failure: 'unreachable', detail: child.message });
      return programFailed;
    }
    child.stdout.resume();
    const end = exited(child);
    void end.then(() => places.leave());
    track(end);

    let cut: Reply | null = null;
    void feed(child, content, signal).then((problem) => {
      if (problem === null) return;
      cut = problem;
      terminate(child);
    });
    const code = await within(end, Math.min(deadline, Date.now() + options.timeout));
    if (cut !== null) return cut;
    if (code === 'silent') {
      terminate(child);
      warn(call, 'downstream-unknown-outcome', { stage: 'final', failure: code, note: 'may be delivered twice' });
      return silent;
    }
    if (code !== 0) {
      const failure = code === null ? `ended by ${child.signalCode}` : `exit ${code}`;
      warn(call, 'downstream-failed', { stage: 'final', failure });
    }
    return replyToExit(code);
  }

  function track(promise: Promise<unknown>): void {
    underWay.add(promise);
    const forget = (): boolean => underWay.delete(promise);
    promise.then(forget, forget);
  }

  return {
    name,
    offers: () => ({ size: null, smtputf8: true, dsn: false }),
    async deliver({ transaction, recipients }, content, options) {
      const answers = new Answers(recipients.length, options.onReply);
      const runs = recipients.map(async (recipient: Recipient, position) => {
        const call = { recipient, transaction, address: split(recipient.forwardPath) };
        const given = await run(call, content, options);
        answers.set(position, isPositive(given) ? given : withId(given, transaction.id));
      });
      const all = Promise.all(runs);
      track(all);
      await all;
      return answers.all();
    },
    async close() {
      while (underWay.size > 0) await Promise.allSettled(underWay);
    },
  };
}

/** The exit code; null where a signal ended the program. */
function exited(child: Child): Promise<number | null> {
  if (hasExited(child)) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => child.once('exit', (code) => resolve(code)));
}

/** `silent` at `until`, in milliseconds since the epoch. */
async function within<T>(promise: Promise<T>, until: number): Promise<T | 'silent'> {
  let timer: NodeJS.Timeout | undefined;
  const timeUp = new Promise<'silent'>((resolve) => {
    timer = setTimeout(() => resolve('silent'), Math.min(Math.max(until - Date.now(), 0), LONGEST_TIMER));
  });
  try {
    return await Promise.race([promise, timeUp]);
  } finally {
    clearTimeout(timer);
  }
}

/** Gives the program the content, as much as it reads; or why it must not have its end. */
async function feed({ stdin }: Child, content: Content, signal: Signal): Promise<Reply | null> {
  let octets = 0;
  const counted: Content = {
    size: content.size,
    async *slices() {
      for await (const slice of content.slices()) {
        octets += slice.length;
        yield slice;
      }
    },
  };
  try {
    for await (const slice of withLineFeeds(counted)) {
      if (signal.aborted) return replies.clientGone;
      if (stdin.destroyed) return null;
      if (!stdin.write(slice)) await room(stdin);
    }
  } catch {
    return replies.internalError;
  }
  if (signal.aborted) return replies.clientGone;
  if (octets !== content.size) return replies.internalError;
  stdin.end();
  return null;
}

/** Until more can be written, or nobody reads any more. */
function room(stdin: Child['stdin']): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      stdin.off('drain', settle);
      stdin.off('close', settle);
      resolve();
    };
    stdin.once('drain', settle);
    stdin.once('close', settle);
    if (stdin.destroyed) settle();
  });
}
