/**
 * pipeline - one transaction, from the first RCPT to the last reply. Read this file first.
 *
 *   admit    at each RCPT: refuse now what can be refused now
 *   settle   from DATA on: receive, decide, relay, and a reply for every recipient
 *   record   one log record, however it ended
 *
 * Nothing is queued: a recipient gets 2yz after its downstream gave 2yz (or its rules said discard), never before.
 * Whatever goes wrong, every recipient is answered, and in doubt with 4yz.
 */
import type { Recipient, Transaction } from '../core/envelope.ts';
import { andThen, type Eventual } from '../core/eventual.ts';
import type { Log } from '../core/log.ts';
import type { Mailbox } from '../core/mailbox.ts';
import type { ContentEnd, IncomingContent } from '../core/message.ts';
import { type Reply, replies, withId } from '../core/reply.ts';
import { isServed, type Outcome, refuses } from '../core/verdict.ts';
import type { Downstream } from '../downstream/downstream.ts';
import { outOfReach } from '../downstream/reach.ts';
import type { Spool } from '../mail/spool.ts';
import type { Rulebook } from '../rules/rulebook.ts';
import { type Decision, decide, decideAll, openCourse, openDecision } from './decide.ts';
import { Destinations } from './destinations.ts';
import type { Entrance } from './entrance.ts';
import { OneReply, separately, withheld } from './one-reply.ts';
import { receive } from './receive.ts';
import { receivedField } from './received.ts';
import { type Ending, record, recordTraces } from './record.ts';
import { type Asked, type Conclude, needsMessage, serve } from './serve.ts';
import { type Remembered, Served } from './served.ts';
import type { ServeParts } from './serving.ts';

export interface PipelineParts {
  readonly hostname: string;
  readonly rulebook: Pick<Rulebook, 'policyFor'>;
  /** The name of the downstream that serves a recipient. */
  readonly route: (mailbox: Mailbox) => string;
  readonly downstreams: ReadonlyMap<string, Downstream>;
  readonly spool: Spool;
  /** Outlives a reload. */
  readonly memory: Remembered<string>;
  readonly log: Log;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** One RCPT, answered. */
export interface Admission {
  readonly decision: Decision;
  /** null where the recipient was accepted. */
  readonly refusal: Reply | null;
}

/** Told each accepted recipient's outcome as soon as it is known, once, by its position among the accepted. */
export type Answer = (position: number, outcome: Outcome) => void;

export interface Pipeline {
  /** `earlier`: the RCPTs of the transaction answered before. */
  admit(
    entrance: Entrance,
    transaction: Transaction,
    recipient: Recipient,
    earlier: readonly Admission[],
  ): Eventual<Admission>;
  /** Never rejects. Resolves with an outcome for each accepted recipient, in RCPT order. */
  settle(
    entrance: Entrance,
    transaction: Transaction,
    admissions: readonly Admission[],
    content: IncomingContent,
    answer?: Answer,
  ): Promise<readonly Outcome[]>;
  /** Records an envelope that ended without content. */
  abandon(entrance: Entrance, transaction: Transaction, admissions: readonly Admission[], end: string): void;
}

/** What each end of the content but the good one means for every recipient. */
const FAULTS: Readonly<Record<Exclude<ContentEnd, 'complete'>, Reply>> = {
  aborted: replies.contentIncomplete,
  'too-large': replies.tooLarge,
  'bare-newline': replies.bareNewline,
  nul: replies.nul,
};

export function createPipeline(parts: PipelineParts): Pipeline {
  const { log, now } = parts;
  const oneReply = new OneReply(parts.memory);
  const destinations = new Destinations(parts.route, parts.downstreams);
  const serveParts: ServeParts = {
    served: new Served(parts.memory),
    destinations,
    traceFields: (entrance, transaction) =>
      entrance.received ? [receivedField(transaction, parts.hostname, new Date(now()))] : [],
    log,
    now,
  };

  function admit(
    entrance: Entrance,
    transaction: Transaction,
    recipient: Recipient,
    earlier: readonly Admission[],
  ): Eventual<Admission> {
    const course = earlier[0]?.decision.course ?? openCourse(now());
    return andThen(parts.rulebook.policyFor(recipient.forwardPath), (policy) => {
      const decision = openDecision(transaction, course, recipient, policy, log.debug !== undefined);
      return andThen(decide(decision, { phase: 'envelope' }), () => answerAtRcpt(entrance, decision, earlier));
    });
  }

  /** What is said at RCPT of a decision, which may have a verdict by now. */
  function answerAtRcpt(entrance: Entrance, decision: Decision, earlier: readonly Admission[]): Eventual<Admission> {
    const { transaction, verdict } = decision;
    // A null reverse-path is refused after the dot only: sites that verify an address by calling back ask with it.
    const tellNow = entrance.refuseAt === 'rcpt' && transaction.reversePath !== null;
    if (tellNow && refuses(verdict)) return { decision, refusal: verdict.reply };
    const first = isSplit(entrance) ? earlier.find(({ refusal }) => refusal === null) : undefined;
    if (first !== undefined && oneReply.mustWait(first.decision, decision)) {
      return { decision, refusal: withId(separately, transaction.id) };
    }
    if (entrance.refuseAt !== 'rcpt' || (verdict !== null && !isServed(verdict))) return { decision, refusal: null };
    const { downstream, recipient: asked } = destinations.of(decision, verdict);
    const refused = outOfReach(downstream, transaction, asked);
    if (refused !== null) return { decision, refusal: refused };
    return andThen(downstream.verify?.(transaction, asked) ?? null, (refusal) => ({ decision, refusal }));
  }

  async function settle(
    entrance: Entrance,
    transaction: Transaction,
    admissions: readonly Admission[],
    content: IncomingContent,
    answer: Answer = () => {},
  ): Promise<readonly Outcome[]> {
    const decisions: Decision[] = [];
    for (const { decision, refusal } of admissions) if (refusal === null) decisions.push(decision);
    const conclude: Conclude = (decision: Decision, reply: Reply, asked: Asked = {}): void => {
      if (decision.outcome !== null) return;
      const { recipient, verdict } = decision;
      const { downstream = null, copies = [], ms = null } = asked;
      decision.outcome = { recipient, verdict, reply, downstream, copies, ms };
      answer(decisions.indexOf(decision), decision.outcome);
    };
    const concludeRest = (reply: Reply): void => {
      for (const decision of decisions) {
        if (decision.outcome === null) conclude(decision, withId(reply, transaction.id));
      }
    };

    const writer = parts.spool.open();
    let ending: Ending = { end: 'error', size: 0 };
    const began = now();
    /** Whether a downstream may still read the content. */
    let inUse = false;
    try {
      const received = await receive(content, writer, (header) =>
        andThen(decideAll(decisions, { phase: 'header', header }), () => someoneServed(entrance, decisions)),
      );
      ending = { end: received.end, size: received.size };
      const whole = now();
      const deadline = whole + entrance.deadline;
      if (received.end !== 'complete') {
        concludeRest(FAULTS[received.end]);
      } else if (received.failed) {
        const { id } = transaction;
        log.error('spool', writer.failure, { id, listener: entrance.name, limit: 'memory', size: received.size });
        concludeUnserved(decisions, conclude);
        concludeRest(replies.noStorage);
      } else {
        if (received.message !== null) {
          const { header, content: octets } = received.message;
          await decideAll(decisions, { phase: 'content', header, message: { header, content: octets } });
        }
        const apart = isSplit(entrance) ? oneReply.whereApart(decisions) : null;
        if (apart !== null) concludeRest(apart);
        concludeUnserved(decisions, conclude);
        if (!someoneServed(entrance, decisions) || received.message === null) concludeRest(withheld);
        else {
          const { message } = received;
          const decided = now();
          inUse = true;
          await serve(serveParts, { entrance, transaction, message, decisions, deadline }, conclude);
          inUse = transaction.signal.aborted || now() >= deadline;
          const stages = { content: whole - began, rules: decided - whole, delivery: now() - decided };
          ending = { end: received.end, size: received.size, stages };
        }
      }
    } catch (error) {
      log.error('settle', error, { id: transaction.id });
    } finally {
      concludeRest(replies.internalError);
      if (log.debug !== undefined) await recordTraces(log, transaction, admissions);
      if (inUse) writer.discard();
      else writer.release();
      finish(entrance, transaction, admissions, ending);
    }
    return outcomesOf(decisions);
  }

  function finish(
    entrance: Entrance,
    transaction: Transaction,
    admissions: readonly Admission[],
    ending: Ending,
  ): void {
    const startedAt = admissions[0]?.decision.course.startedAt;
    const ms = startedAt === undefined ? 0 : now() - startedAt;
    record(log, entrance, transaction, admissions, ending, ms);
  }

  return {
    admit,
    settle,
    abandon(entrance, transaction, admissions, end) {
      const done = (): void => finish(entrance, transaction, admissions, { end, size: 0 });
      if (log.debug === undefined) done();
      else void recordTraces(log, transaction, admissions).then(done);
    },
  };
}

function outcomesOf(decisions: readonly Decision[]): readonly Outcome[] {
  const outcomes: Outcome[] = [];
  for (const { outcome } of decisions) if (outcome !== null) outcomes.push(outcome);
  return outcomes;
}

function isSplit(entrance: Entrance): boolean {
  return entrance.replies === 'one' && entrance.mixed !== 'strictest';
}

/** Whether, by what is decided, the message may still go to anybody. */
function someoneServed(entrance: Entrance, decisions: readonly Decision[]): boolean {
  if (entrance.replies === 'one' && decisions.some(({ verdict }) => refuses(verdict))) return false;
  return decisions.some(needsMessage);
}

/** Answers those whom the rules refuse, and those of whose message nothing is left to send. */
function concludeUnserved(decisions: readonly Decision[], conclude: Conclude): void {
  for (const decision of decisions) {
    const { verdict } = decision;
    if (refuses(verdict)) conclude(decision, verdict.reply);
    else if (!needsMessage(decision)) conclude(decision, replies.messageAccepted);
  }
}
