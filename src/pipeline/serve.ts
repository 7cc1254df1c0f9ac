/**
 * serve - hands a message to all who are to have it, and gives every recipient its reply.
 *
 * Copies go first. Only when all copies of a recipient are taken is the recipient itself served; where one fails, by a 4yz
 * or a 5yz, it hears 451 and has nothing yet: the client keeps the message, and the retry skips the copies that are out.
 * So no 250 hides a copy that is missing, and a list never gets a message twice for a copy's sake. Where one reply does for
 * all, a copy that fails keeps everybody waiting.
 */
import { isPositive, isTransient, type Reply, replies, reply, withId } from '../core/reply.ts';
import { type CopyOutcome, copiesOf, isServed } from '../core/verdict.ts';
import { sendCopies } from './copies.ts';
import { accept, type Decision } from './decide.ts';
import { loops, mailLoop } from './loop-mark.ts';
import { type Delivery, relay } from './relay.ts';
import { NOBODY, servedKey } from './served.ts';
import type { ServeParts, Serving } from './serving.ts';

/** Beside the reply: the downstream of a recipient, `ms` where it was asked in this transaction, and its copies. */
export interface Asked {
  readonly downstream?: string;
  readonly ms?: number;
  readonly copies?: readonly CopyOutcome[];
}

export type Conclude = (decision: Decision, reply: Reply, asked?: Asked) => void;

/** What the client may know of a copy that failed; whose it is stands in the log. */
const notComplete: Reply = reply(
  451,
  '4.3.0',
  'The message cannot be delivered to all it is for; please try again later',
);

/** A recipient that needs the message. `delivery`: null where it gets nothing itself, but somebody a copy for it. */
interface Leaving {
  readonly decision: Decision;
  readonly delivery: Delivery | null;
  /** Under which it is remembered that it has the message. */
  readonly key: string;
}

type Main = Leaving & { readonly delivery: Delivery };

/** Whether the message is needed for the recipient. */
export function needsMessage({ verdict }: Decision): boolean {
  return verdict === null || isServed(verdict) || copiesOf(verdict).length > 0;
}

/** `conclude` is called once for each decision that needs the message; what a downstream throws is rethrown. */
export async function serve(parts: ServeParts, serving: Serving, conclude: Conclude): Promise<void> {
  const { entrance, transaction, message, deadline } = serving;
  const { served, now } = parts;
  const one = entrance.replies === 'one';
  const leaving = leavingOf(parts, serving, conclude);
  const known = one ? served.before(message, leaving.filter(isMain).map(keyOf)) : NOBODY;
  const before = known instanceof Promise ? await known : known;
  const left: Leaving[] = [];
  for (const each of leaving) {
    if (!isMain(each) || !before.has(each.key)) left.push(each);
    else conclude(each.decision, replies.receivedBefore, { downstream: each.delivery.downstream.name });
  }

  const sentCopies = sendCopies(parts, serving, left.map(decisionOf), leaving.filter(isMain).map(deliveryOf));
  const copies = sentCopies instanceof Promise ? await sentCopies : sentCopies;
  const copiesFor = (decision: Decision): readonly CopyOutcome[] => copies.of.get(decision) ?? NO_COPIES;
  const open: Main[] = [];
  for (const each of left) {
    const { decision } = each;
    if (one ? copies.failed.size > 0 : copies.failed.has(decision)) {
      conclude(decision, withId(notComplete, transaction.id), { copies: copiesFor(decision) });
    } else if (isMain(each)) open.push(each);
    else conclude(decision, replies.messageAccepted, { copies: copiesFor(decision) });
  }

  const took = [...before];
  const remembering: Promise<void>[] = [];
  let deferred = copies.failed.size > 0;
  const began = now();
  const options = { signal: transaction.signal, deadline };
  await relay(transaction, message, open.map(deliveryOf), options, (position, answer) => {
    const main = open[position];
    if (main === undefined) return;
    const { decision, delivery, key } = main;
    deferred ||= isTransient(answer);
    const asked = { downstream: delivery.downstream.name, ms: now() - began, copies: copiesFor(decision) };
    conclude(decision, answer, asked);
    if (!isPositive(answer)) return;
    took.push(key);
    const remembered = accept(decision, message);
    if (remembered !== undefined) remembering.push(remembered);
  });
  // The client has its answers; what is left needs the content.
  if (remembering.length > 0) await Promise.all(remembering);
  if (deferred) await served.remember(message, [...copies.taken, ...(one ? took : [])]);
}

const NO_COPIES: readonly CopyOutcome[] = [];

const isMain = (each: Leaving): each is Main => each.delivery !== null;
const decisionOf = ({ decision }: Leaving): Decision => decision;
const deliveryOf = ({ delivery }: Main): Delivery => delivery;
const keyOf = ({ key }: Leaving): string => key;

/** Whoever needs the message; a recipient in front of whom it goes round is answered. */
function leavingOf({ destinations, traceFields }: ServeParts, serving: Serving, conclude: Conclude): Leaving[] {
  const { entrance, transaction, message } = serving;
  // Made once: recipients of the same edits share a transaction downstream.
  const trace = traceFields(entrance, transaction);
  const leaving: Leaving[] = [];
  for (const decision of serving.decisions) {
    const { verdict, recipient } = decision;
    if (!needsMessage(decision)) continue;
    if (loops(decision, message.header)) {
      conclude(decision, withId(mailLoop, transaction.id));
    } else if (isServed(verdict)) {
      const edits = verdict.edits.length === 0 ? trace : [...verdict.edits, ...trace];
      const { recipient: to, downstream, insteadOf } = destinations.of(decision, verdict);
      const delivery = { recipient: to, downstream, edits, insteadOf };
      // Only where one reply does for all can a client be told to send again what somebody has.
      const key = entrance.replies === 'one' ? servedKey(transaction, recipient.forwardPath, 'served') : '';
      leaving.push({ decision, delivery, key });
    } else leaving.push({ decision, delivery: null, key: '' });
  }
  return leaving;
}
