/**
 * decide - a verdict for one recipient, asked at each phase until there is one.
 *
 * A decision keeps its ruleset and the answers of stores from RCPT to the dot, so that neither a reload nor a changed
 * store can split a transaction.
 */
import type { Recipient, Transaction } from '../core/envelope.ts';
import { type Addressees, Answers, type Facts, type Score } from '../core/facts.ts';
import { printMailbox } from '../core/mailbox.ts';
import type { Header, Message } from '../core/message.ts';
import { replies, withId } from '../core/reply.ts';
import type { Outcome, Verdict } from '../core/verdict.ts';
import { andThen, type Eventual } from '../core/eventual.ts';
import { type Evaluation, type Policy, RuledOut } from '../rules/policy.ts';

/** What the decisions of one transaction share. */
export interface Course {
  /** Milliseconds since the epoch, at the first RCPT. */
  readonly startedAt: number;
  readonly addressees: Named;
  readonly ruledOut: RuledOut;
}

export function openCourse(startedAt: number): Course {
  return { startedAt, addressees: new Named(), ruledOut: new RuledOut() };
}

/** Those that a transaction has named; counted when a rule asks. */
class Named implements Addressees {
  readonly #all: { readonly recipient: Recipient; readonly list: string }[] = [];

  get isEmpty(): boolean {
    return this.#all.length === 0;
  }

  add(recipient: Recipient, list: string): void {
    this.#all.push({ recipient, list });
  }

  get recipients(): ReadonlySet<string> {
    return new Set(this.#all.map(({ recipient }) => printMailbox(recipient.forwardPath).toLowerCase()));
  }

  get lists(): ReadonlySet<string> {
    return new Set(this.#all.map(({ list }) => list));
  }
}

export interface Decision {
  readonly transaction: Transaction;
  readonly course: Course;
  readonly recipient: Recipient;
  readonly policy: Policy;
  readonly evaluation: Evaluation;
  readonly answers: Answers;
  readonly score: Score;
  verdict: Verdict | null;
  /** Of the transaction; null before its reply is known. */
  outcome: Outcome | null;
}

/** What became known since RCPT. */
export type Learned =
  | { readonly phase: 'envelope' }
  | { readonly phase: 'header'; readonly header: Header }
  | { readonly phase: 'content'; readonly header: Header; readonly message: Message };

/** Names the recipient in the course of its transaction. With `trace` the evaluation keeps what each rule saw. */
export function openDecision(
  transaction: Transaction,
  course: Course,
  recipient: Recipient,
  policy: Policy,
  trace = false,
): Decision {
  const { addressees, ruledOut } = course;
  ruledOut.isShared = !addressees.isEmpty;
  addressees.add(recipient, policy.address.list);
  const decision: Decision = {
    transaction,
    course,
    recipient,
    policy,
    evaluation: policy.start({ trace, ruledOut }),
    answers: new Answers(),
    score: { sum: null },
    verdict: null,
    outcome: null,
  };
  if (policy.unavailable !== null) {
    const reply = withId(replies.policyUnavailable, transaction.id);
    decision.verdict = { ruleset: policy.address.list, rule: null, phase: 'envelope', kind: 'defer', reply };
  }
  return decision;
}

/**
 * Asks the rules with what is known by now; the verdict, or null where more must be known first. Shadow rules are asked on
 * though there is a verdict; that changes nothing about it.
 */
export function decide(decision: Decision, learned: Learned): Eventual<Verdict | null> {
  if (decision.verdict !== null && !decision.evaluation.pending) return decision.verdict;
  return andThen(decision.evaluation.advance(factsOf(decision, learned)), (verdict) => {
    if (verdict !== 'later') decision.verdict = verdict;
    return decision.verdict;
  });
}

/** The same for all, one after the other. */
export function decideAll(decisions: readonly Decision[], learned: Learned, from = 0): Eventual<void> {
  for (let next = from; next < decisions.length; next += 1) {
    const decision = decisions[next];
    const verdict = decision === undefined ? null : decide(decision, learned);
    if (verdict instanceof Promise) return verdict.then(() => decideAll(decisions, learned, next + 1));
  }
}

/** Tells the rules that a downstream took the message. Never throws and never rejects. */
export function accept(decision: Decision, { header, content }: Message): void | Promise<void> {
  const { transaction, course, recipient, policy, answers, score, evaluation } = decision;
  const message = { header, content };
  return evaluation.accepted({
    phase: 'content',
    now: course.startedAt,
    addressees: course.addressees,
    transaction,
    recipient,
    address: policy.address,
    answers,
    score,
    header,
    message,
  });
}

/** Spelled out, because spreading objects of several shapes is slow, and this is done for each recipient and phase. */
function factsOf({ transaction, course, recipient, policy, answers, score }: Decision, learned: Learned): Facts {
  const { address } = policy;
  const { startedAt: now, addressees } = course;
  switch (learned.phase) {
    case 'envelope':
      return { phase: 'envelope', now, addressees, transaction, recipient, address, answers, score };
    case 'header':
      return {
        phase: 'header',
        now,
        addressees,
        transaction,
        recipient,
        address,
        answers,
        score,
        header: learned.header,
      };
    case 'content': {
      const { header, message } = learned;
      return { phase: 'content', now, addressees, transaction, recipient, address, answers, score, header, message };
    }
  }
}
