/**
 * relay - hands a message to its downstreams and gives every recipient its reply.
 *
 * Recipients with the same downstream and the same edits share one transaction. Equal recipients go once, because a list
 * manager posts twice otherwise; the one reply answers each (RFC 2033 section 4.2). Where a redirect makes them equal, the
 * message is that of the recipient which the client named itself.
 */
import type { Recipient, Transaction } from '../core/envelope.ts';
import { type Mailbox, printMailbox, sameMailbox } from '../core/mailbox.ts';
import type { Message } from '../core/message.ts';
import { type Reply, replies, withId } from '../core/reply.ts';
import type { HeaderEdit } from '../core/verdict.ts';
import type { DeliverOptions, Downstream } from '../downstream/downstream.ts';
import { editContent } from '../mail/edit.ts';
import { loopMark } from './loop-mark.ts';

/** One recipient on its way out. */
export interface Delivery {
  readonly recipient: Recipient;
  readonly downstream: Downstream;
  readonly edits: readonly HeaderEdit[];
  /** For whom the client meant the message that goes to another address; null where it goes to whom it was meant for. */
  readonly insteadOf: Mailbox | null;
}

/** The same for deliveries of which only one goes out. */
export function deliveryKey({ downstream, recipient }: Delivery): string {
  return `${downstream.name}\n${printMailbox(recipient.forwardPath)}`;
}

/** What goes out once; `positions` are those of the deliveries that it answers. */
interface Sent {
  readonly positions: number[];
  readonly marks: Mailbox[];
  /** The one before, of the same local-part. */
  readonly namesake: Sent | undefined;
  delivery: Delivery;
}

/**
 * Deliveries that share one transaction; `positions[i]` are those of the deliveries that recipient i answers for; null: each
 * recipient for the one of its own position.
 */
interface Group {
  readonly downstream: Downstream;
  readonly edits: readonly HeaderEdit[];
  readonly recipients: Recipient[];
  readonly positions: readonly (readonly number[])[] | null;
}

interface GrowingGroup extends Group {
  readonly positions: (readonly number[])[];
}

/** In the order in which they come first. */
function once(deliveries: readonly Delivery[]): readonly Sent[] {
  const all: Sent[] = [];
  const byLocalPart = new Map<string, Sent>();
  for (const [position, delivery] of deliveries.entries()) {
    const { localPart } = delivery.recipient.forwardPath;
    const namesake = byLocalPart.get(localPart);
    const known = sameAs(delivery, namesake);
    const marks = marksOf(delivery);
    if (known === null) {
      const sent = { positions: [position], marks, namesake, delivery };
      all.push(sent);
      byLocalPart.set(localPart, sent);
      continue;
    }
    known.positions.push(position);
    known.marks.push(...marks);
    if (known.delivery.insteadOf !== null && delivery.insteadOf === null) known.delivery = delivery;
  }
  return all;
}

function sameAs({ recipient, downstream }: Delivery, last: Sent | undefined): Sent | null {
  for (let sent = last; sent !== undefined; sent = sent.namesake) {
    const { delivery } = sent;
    if (delivery.downstream === downstream && sameMailbox(delivery.recipient.forwardPath, recipient.forwardPath))
      return sent;
  }
  return null;
}

function marksOf({ insteadOf }: Delivery): Mailbox[] {
  return insteadOf === null ? [] : [insteadOf];
}

/** The loop marks of all who asked for it, unless the client named the recipient itself. */
function editsOf({ delivery: { edits, insteadOf }, marks }: Sent): readonly HeaderEdit[] {
  if (insteadOf === null) return edits;
  return [...edits, ...marks.map(loopMark)];
}

/** The one group of most messages, which go to one downstream, as they are, and to nobody twice; null: it is not so. */
function oneGroup(deliveries: readonly Delivery[]): Group | null {
  const [first] = deliveries;
  if (first === undefined) return null;
  const { downstream, edits } = first;
  const recipients: Recipient[] = [];
  const localParts = new Set<string>();
  for (const { recipient, downstream: theirs, edits: wanted, insteadOf } of deliveries) {
    if (theirs !== downstream || wanted !== edits || insteadOf !== null) return null;
    recipients.push(recipient);
    localParts.add(recipient.forwardPath.localPart);
  }
  return localParts.size < deliveries.length ? null : { downstream, edits, recipients, positions: null };
}

function groupDeliveries(deliveries: readonly Delivery[]): readonly Group[] {
  const one = oneGroup(deliveries);
  if (one !== null) return [one];
  const groups = new Map<string, GrowingGroup>();
  let last: GrowingGroup | null = null;
  for (const sent of once(deliveries)) {
    const { recipient, downstream } = sent.delivery;
    const edits = editsOf(sent);
    // Mostly they are those of the recipient before.
    if (last === null || last.downstream !== downstream || last.edits !== edits) {
      const key: string = `${downstream.name}\n${JSON.stringify(edits)}`;
      last = groups.get(key) ?? { downstream, edits, recipients: [], positions: [] };
      groups.set(key, last);
    }
    last.recipients.push(recipient);
    last.positions.push(sent.positions);
  }
  return [...groups.values()];
}

/**
 * Delivers and answers: `answer` is called exactly once for each delivery, by position, as soon as its reply is known.
 * Resolves when all are answered; what a downstream throws against its contract is rethrown after the others finished.
 */
export async function relay(
  transaction: Transaction,
  message: Message,
  deliveries: readonly Delivery[],
  { signal, deadline }: Omit<DeliverOptions, 'onReply'>,
  answer: (position: number, reply: Reply) => void,
): Promise<void> {
  const deliver = async (group: Group): Promise<void> => {
    const answered: boolean[] = [];
    const onReply = (index: number, reply: Reply): void => {
      if (answered[index] === true) return;
      answered[index] = true;
      if (group.positions === null) answer(index, reply);
      else for (const position of group.positions[index] ?? []) answer(position, reply);
    };
    try {
      const edited = editContent(message.content, message.header, group.edits);
      const content = edited instanceof Promise ? await edited : edited;
      const envelope = { transaction, recipients: group.recipients };
      const results = await group.downstream.deliver(envelope, content, { signal, deadline, onReply });
      results.forEach((reply, index) => {
        onReply(index, reply);
      });
    } finally {
      const unanswered = withId(replies.internalError, transaction.id);
      for (let index = 0; index < group.recipients.length; index++) onReply(index, unanswered);
    }
  };
  const [first, ...others] = groupDeliveries(deliveries);
  if (first === undefined) return;
  if (others.length === 0) {
    await deliver(first);
    return;
  }
  const sent = [first, ...others].map(deliver);
  const failed = (await Promise.allSettled(sent)).find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}
