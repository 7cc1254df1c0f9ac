/**
 * one-reply - what is done where one reply must do for all recipients of a message (SMTP), and their verdicts may differ.
 *
 * `strictest`: the rules refuse one, nobody is served. `split`: recipients whose undecided rules are the same share a class,
 * the first accepted RCPT fixes the class of the transaction, and others are asked for in a transaction of their own. Where
 * a class falls apart all the same (a rule looks at the recipient), nobody is served, and for some hours such recipients are
 * taken one at a time, so that the retry gets each its own answer.
 *
 * Where downstreams answer differently the client hears 4yz and sends the message again; served.ts remembers who has it.
 */
import { printMailbox } from '../core/mailbox.ts';
import { type Reply, reply } from '../core/reply.ts';
import { refuses, type Verdict } from '../core/verdict.ts';
import type { Decision } from './decide.ts';
import type { Remembered } from './served.ts';

export const separately: Reply = reply(452, '4.5.3', 'Please send this recipient a message of its own');

/** Nobody is served while the rules refuse somebody. */
export const withheld: Reply = reply(
  451,
  '4.5.3',
  'Not delivered, because another recipient of this message was refused',
);

const fallenApart: Reply = reply(
  451,
  '4.5.3',
  'The recipients of this message need different answers; please send it again',
);

/** Rules that take a message answer alike wherever they send it; what refuses it has an answer of its own. */
function classOf(verdict: Verdict | null): string | null {
  if (verdict === null) return null;
  return refuses(verdict) ? verdict.kind : 'taken';
}

/** Whether nothing known now can make the verdicts of the two differ by rules that are not the same. */
function sameClass(a: Decision, b: Decision): boolean {
  if (a.verdict !== null || b.verdict !== null) return classOf(a.verdict) === classOf(b.verdict);
  const [left, right] = [a.evaluation.undecided, b.evaluation.undecided];
  return left.length === right.length && left.every((rule, index) => rule === right[index]);
}

export class OneReply {
  readonly #memory: Remembered<string>;

  constructor(memory: Remembered<string>) {
    this.#memory = memory;
  }

  /** Whether a recipient must come in a transaction of its own, beside the first one accepted. */
  mustWait(first: Decision, next: Decision): boolean {
    return !sameClass(first, next) || [first, next].some((one) => this.#memory.get(apartKey(one)) !== undefined);
  }

  /** The reply to all where a class fell apart; remembers it. null where it holds. */
  whereApart(decisions: readonly Decision[]): Reply | null {
    const refused = decisions.filter(({ verdict }) => refuses(verdict)).length;
    if (refused === 0 || refused === decisions.length) return null;
    for (const decision of decisions) this.#memory.set(apartKey(decision), 'apart');
    return fallenApart;
  }
}

function apartKey({ transaction, recipient }: Decision): string {
  return `apart <${transaction.rawReversePath}> <${printMailbox(recipient.forwardPath)}>`;
}
