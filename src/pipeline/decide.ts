/**
 * decide - a verdict for one recipient, asked at each phase until there is one.
 *
 * A decision keeps its ruleset and the answers of stores from RCPT to the dot, so that neither a reload nor a changed
 * store can split a transaction.
 */
import type { Recipient, Transaction } from '../core/envelope.ts';
import type { Answers, Facts } from '../core/facts.ts';
import type { Header, Message } from '../core/message.ts';
import { replies, withId } from '../core/reply.ts';
import type { Verdict } from '../core/verdict.ts';
import type { Evaluation, Policy } from '../rules/policy.ts';

export interface Decision {
  readonly transaction: Transaction;
  readonly recipient: Recipient;
  readonly policy: Policy;
  readonly evaluation: Evaluation;
  readonly answers: Answers;
  verdict: Verdict | null;
}

/** What became known since RCPT. */
export type Learned =
  | { readonly phase: 'envelope' }
  | { readonly phase: 'header'; readonly header: Header }
  | { readonly phase: 'content'; readonly header: Header; readonly message: Message };

/** With `trace` the evaluation keeps what each rule saw. */
export function openDecision(transaction: Transaction, recipient: Recipient, policy: Policy, trace = false): Decision {
  const decision: Decision = {
    transaction,
    recipient,
    policy,
    evaluation: policy.start({ trace }),
    answers: new Map(),
    verdict: null,
  };
  if (policy.unavailable !== null) {
    const reply = withId(replies.policyUnavailable, transaction.id);
    decision.verdict = { ruleset: policy.address.list, rule: null, phase: 'envelope', kind: 'defer', reply };
  }
  return decision;
}

/** Asks the rules with what is known by now; the verdict, or null where more must be known first. */
export async function decide(decision: Decision, learned: Learned): Promise<Verdict | null> {
  if (decision.verdict !== null) return decision.verdict;
  const verdict = await decision.evaluation.advance(factsOf(decision, learned));
  if (verdict !== 'later') decision.verdict = verdict;
  return decision.verdict;
}

/** Tells the rules that a downstream took the message. Never throws and never rejects. */
export function accept(decision: Decision, { header, content }: Message): void | Promise<void> {
  const { transaction, recipient, policy, answers, evaluation } = decision;
  const message = { header, content };
  return evaluation.accepted({
    phase: 'content',
    transaction,
    recipient,
    address: policy.address,
    answers,
    header,
    message,
  });
}

/** Spelled out, because spreading objects of several shapes is slow, and this is done for each recipient and phase. */
function factsOf({ transaction, recipient, policy, answers }: Decision, learned: Learned): Facts {
  const { address } = policy;
  switch (learned.phase) {
    case 'envelope':
      return { phase: 'envelope', transaction, recipient, address, answers };
    case 'header':
      return { phase: 'header', transaction, recipient, address, answers, header: learned.header };
    case 'content': {
      const { header, message } = learned;
      return { phase: 'content', transaction, recipient, address, answers, header, message };
    }
  }
}

/** Whether the verdict is a 4yz or a 5yz. */
export function refuses(verdict: Verdict | null): verdict is Verdict & { kind: 'reject' | 'defer' } {
  return verdict !== null && (verdict.kind === 'reject' || verdict.kind === 'defer');
}
