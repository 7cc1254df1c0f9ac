/**
 * one-reply - what is done where one reply must do for all recipients of a message (SMTP), and their verdicts may differ.
 *
 * `strictest`: the rules refuse one, nobody is served. `split`: recipients whose undecided rules are the same share a class,
 * the first accepted RCPT fixes the class of the transaction, and others are asked for in a transaction of their own. Where
 * a class falls apart all the same (a rule looks at the recipient), nobody is served, and for some hours such recipients are
 * taken one at a time, so that the retry gets each its own answer.
 *
 * Where downstreams answer differently the client hears 4yz and sends the message again. Who has it already is remembered
 * for some hours, by the content without its trace fields, and is not served twice.
 */
import { createHash } from 'node:crypto';
import type { Transaction } from '../core/envelope.ts';
import { printMailbox } from '../core/mailbox.ts';
import type { Message } from '../core/message.ts';
import { type Reply, reply } from '../core/reply.ts';
import { cutFields } from '../mail/cut.ts';
import { type Decision, refuses } from './decide.ts';

/** A bounded memory of some hours; what it forgets costs a retry or a duplicate, nothing else. */
export interface Remembered<V> {
  get(key: string): V | undefined;
  set(key: string, value: V): void;
}

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

/** Whether nothing known now can make the verdicts of the two differ by rules that are not the same. */
function sameClass(a: Decision, b: Decision): boolean {
  if (a.verdict !== null || b.verdict !== null) return a.verdict?.kind === b.verdict?.kind;
  const [left, right] = [a.evaluation.undecided, b.evaluation.undecided];
  return left.length === right.length && left.every((rule, index) => rule === right[index]);
}

/** The content without what changes from one attempt to the next: the fields that every hop adds. */
async function digestOf({ header, content }: Message): Promise<string> {
  const trace = header.fields.filter(({ name }) => /^(received|return-path|delivered-to|x-received)$/i.test(name));
  const untraced = cutFields([], trace);
  const hash = createHash('sha256');
  for await (const slice of content.slices()) for (const piece of untraced.push(slice)) hash.update(piece);
  return hash.digest('base64');
}

export class OneReply {
  readonly #memory: Remembered<string>;

  constructor(memory: Remembered<string>) {
    this.#memory = memory;
  }

  /** Whether a recipient must come in a transaction of its own, beside the first one accepted. */
  mustWait(first: Decision, next: Decision): boolean {
    if (first.recipient === next.recipient) return false;
    return !sameClass(first, next) || [first, next].some((one) => this.#memory.get(apartKey(one)) !== undefined);
  }

  /** The reply to all where a class fell apart; remembers it. null where it holds. */
  whereApart(decisions: readonly Decision[]): Reply | null {
    const refused = decisions.filter(({ verdict }) => refuses(verdict)).length;
    if (refused === 0 || refused === decisions.length) return null;
    for (const decision of decisions) this.#memory.set(apartKey(decision), 'apart');
    return fallenApart;
  }

  /** Who of them has this message from an earlier attempt. */
  async alreadyServed(message: Message, decisions: readonly Decision[]): Promise<readonly Decision[]> {
    const candidates = decisions.filter((one) => this.#memory.get(servedKey(one)) !== undefined);
    if (candidates.length === 0) return [];
    const digest = await digestOf(message);
    return candidates.filter((one) => this.#memory.get(servedKey(one)) === digest);
  }

  /** These have the message although its client will hear 4yz. */
  async rememberServed(message: Message, decisions: readonly Decision[]): Promise<void> {
    if (decisions.length === 0) return;
    const digest = await digestOf(message);
    for (const decision of decisions) this.#memory.set(servedKey(decision), digest);
  }
}

function apartKey(decision: Decision): string {
  return `apart ${envelopeKey(decision.transaction, decision)}`;
}

function servedKey(decision: Decision): string {
  return `served ${envelopeKey(decision.transaction, decision)}`;
}

function envelopeKey({ rawReversePath }: Transaction, { recipient }: Decision): string {
  return `<${rawReversePath}> <${printMailbox(recipient.forwardPath)}>`;
}
