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

/** A recipient on its way out. */
interface Main {
  readonly decision: Decision;
  readonly delivery: Delivery;
  readonly key: string;
}

/** Whether the message is needed for the recipient. */
export function needsMessage({ verdict }: Decision): boolean {
  return verdict === null || isServed(verdict) || copiesOf(verdict).length > 0;
}

/** `conclude` is called once for each decision that needs the message; what a downstream throws is rethrown. */
export async function serve(parts: ServeParts, serving: Serving, conclude: Conclude): Promise<void> {
  const { entrance, transaction, message, deadline } = serving;
  const { served, now } = parts;
  const one = entrance.replies === 'one';
  const wanting: Decision[] = [];
  for (const decision of serving.decisions) {
    if (!needsMessage(decision)) continue;
    if (loops(decision, message.header)) conclude(decision, withId(mailLoop, transaction.id));
    else wanting.push(decision);
  }
  const mains = wanting.flatMap((decision) => mainOf(parts, serving, decision) ?? []);
  const keys = mains.map(({ key }) => key);
  const known = one ? served.before(message, keys) : NOBODY;
  const before = known instanceof Promise ? await known : known;
  const done = new Set<Decision>();
  for (const { decision, delivery, key } of mains) {
    if (!before.has(key)) continue;
    done.add(decision);
    conclude(decision, replies.receivedBefore, { downstream: delivery.downstream.name });
  }

  const left = wanting.filter((decision) => !done.has(decision));
  const deliveries = mains.map(({ delivery }) => delivery);
  const copies = await sendCopies(parts, serving, left, deliveries);
  const copiesFor = (decision: Decision): readonly CopyOutcome[] => copies.of.get(decision) ?? [];
  for (const decision of left) {
    const waits = one ? copies.failed.size > 0 : copies.failed.has(decision);
    if (!waits && isServed(decision.verdict)) continue;
    done.add(decision);
    const answer = waits ? withId(notComplete, transaction.id) : replies.messageAccepted;
    conclude(decision, answer, { copies: copiesFor(decision) });
  }

  const open = mains.filter(({ decision }) => !done.has(decision));
  const took = [...before];
  const remembering: Promise<void>[] = [];
  let deferred = copies.failed.size > 0;
  const began = now();
  const sent = open.map(({ delivery }) => delivery);
  await relay(transaction, message, sent, { signal: transaction.signal, deadline }, (position, answer) => {
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

/** null for a recipient that gets nothing itself. */
function mainOf({ destinations, traceFields }: ServeParts, serving: Serving, decision: Decision): Main | null {
  const { entrance, transaction } = serving;
  const { verdict, recipient } = decision;
  if (!isServed(verdict)) return null;
  const trace = traceFields(entrance, transaction);
  const edits = trace.length === 0 ? verdict.edits : [...verdict.edits, ...trace];
  const { recipient: to, downstream, insteadOf } = destinations.of(decision, verdict);
  const delivery = { recipient: to, downstream, edits, insteadOf };
  // Only where one reply does for all can a client be told to send again what somebody has.
  const key = entrance.replies === 'one' ? servedKey(transaction, recipient.forwardPath, 'served') : '';
  return { decision, delivery, key };
}
