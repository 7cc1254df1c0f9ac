/**
 * copies - sends the copies that rules ask for, before the recipients themselves get anything.
 *
 * Copies to one address go once. Whoever is a recipient itself gets none beside: its own reply says whether it has the
 * message. What is out is told to served.ts by whoever has the client send again.
 */
import type { Eventual } from '../core/eventual.ts';
import { type Mailbox, printMailbox } from '../core/mailbox.ts';
import { isPositive, replies, type Reply } from '../core/reply.ts';
import { type CopyOutcome, copiesOf } from '../core/verdict.ts';
import type { Decision } from './decide.ts';
import { type Delivery, deliveryKey, relay } from './relay.ts';
import { servedKey } from './served.ts';
import type { ServeParts, Serving } from './serving.ts';

/** What became of the copies of a transaction. */
export interface CopyOutcomes {
  readonly of: ReadonlyMap<Decision, readonly CopyOutcome[]>;
  /** Who wants a copy that was not taken. */
  readonly failed: ReadonlySet<Decision>;
  /** The keys of those that have theirs. */
  readonly taken: ReadonlySet<string>;
}

const NONE: CopyOutcomes = { of: new Map(), failed: new Set(), taken: new Set() };

interface Wanted {
  readonly decision: Decision;
  readonly to: Mailbox;
  readonly delivery: Delivery;
  readonly key: string;
}

/** `mains`: the deliveries to the recipients themselves. */
export function sendCopies(
  parts: ServeParts,
  serving: Serving,
  decisions: readonly Decision[],
  mains: readonly Delivery[],
): Eventual<CopyOutcomes> {
  const isWanted = decisions.some(({ verdict }) => copiesOf(verdict).length > 0);
  return isWanted ? send(parts, serving, decisions, mains) : NONE;
}

async function send(
  { served, destinations, traceFields, log }: ServeParts,
  { entrance, transaction, message, deadline }: Serving,
  decisions: readonly Decision[],
  mains: readonly Delivery[],
): Promise<CopyOutcomes> {
  const trace = traceFields(entrance, transaction);
  const wanted = decisions.flatMap((decision) =>
    copiesOf(decision.verdict).map(({ to, edits }): Wanted => {
      const delivery = { ...destinations.ofCopy(decision, to), edits: [...edits, ...trace] };
      return { decision, to, delivery, key: servedKey(transaction, to, 'copied') };
    }),
  );
  const outcomes = new Map<Decision, CopyOutcome[]>();
  const failed = new Set<Decision>();
  const taken = new Set<string>();
  const tell = ({ decision, to, delivery, key }: Wanted, reply: Reply): void => {
    const downstream = delivery.downstream.name;
    outcomes.set(decision, [...(outcomes.get(decision) ?? []), { to, downstream, reply }]);
    if (isPositive(reply)) {
      taken.add(key);
      return;
    }
    failed.add(decision);
    const copy = { recipient: decision.recipient.raw, copy: printMailbox(to), downstream };
    log.warn('copy-failed', { id: transaction.id, ...copy, reply: `${reply.code} ${reply.text}` });
  };
  const recipients = new Set(mains.map(deliveryKey));
  const keys = wanted.map(({ key }) => key);
  const before = await served.before(message, keys);
  const open: Wanted[] = [];
  for (const copy of wanted) {
    if (before.has(copy.key)) tell(copy, replies.receivedBefore);
    else if (!recipients.has(deliveryKey(copy.delivery))) open.push(copy);
  }
  const deliveries = open.map(({ delivery }) => delivery);
  await relay(transaction, message, deliveries, { signal: transaction.signal, deadline }, (position, reply) => {
    const copy = open[position];
    if (copy !== undefined) tell(copy, reply);
  });
  return { of: outcomes, failed, taken };
}
