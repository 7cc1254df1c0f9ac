/**
 * relay - hands a message to its downstreams and gives every recipient its reply.
 *
 * Recipients with the same downstream and the same edits share one transaction. Equal recipients go once, because a list
 * manager posts twice otherwise; the one reply answers each (RFC 2033 section 4.2).
 */
import type { Recipient, Transaction } from '../core/envelope.ts';
import { printMailbox } from '../core/mailbox.ts';
import type { Message } from '../core/message.ts';
import { type Reply, replies, withId } from '../core/reply.ts';
import type { HeaderEdit } from '../core/verdict.ts';
import type { DeliverOptions, Downstream } from '../downstream/downstream.ts';
import { editContent } from '../mail/edit.ts';

/** One recipient on its way out. */
export interface Delivery {
  readonly recipient: Recipient;
  readonly downstream: Downstream;
  readonly edits: readonly HeaderEdit[];
}

/** Deliveries that share one transaction; `positions[i]` are those of the deliveries that recipient i answers for. */
interface Group {
  readonly downstream: Downstream;
  readonly edits: readonly HeaderEdit[];
  readonly recipients: Recipient[];
  readonly positions: number[][];
  readonly indexOf: Map<string, number>;
}

function groupDeliveries(deliveries: readonly Delivery[]): Group[] {
  const groups = new Map<string, Group>();
  for (const [position, { recipient, downstream, edits }] of deliveries.entries()) {
    const key = edits.length === 0 ? downstream.name : `${downstream.name}\n${JSON.stringify(edits)}`;
    let group = groups.get(key);
    if (group === undefined) {
      group = { downstream, edits, recipients: [], positions: [], indexOf: new Map() };
      groups.set(key, group);
    }
    const mailbox = printMailbox(recipient.forwardPath);
    const index = group.indexOf.get(mailbox);
    if (index === undefined) {
      group.indexOf.set(mailbox, group.recipients.length);
      group.recipients.push(recipient);
      group.positions.push([position]);
    } else {
      group.positions[index]?.push(position);
    }
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
  options: Omit<DeliverOptions, 'onReply'>,
  answer: (position: number, reply: Reply) => void,
): Promise<void> {
  const sent = groupDeliveries(deliveries).map(async (group) => {
    const answered = new Set<number>();
    const onReply = (index: number, reply: Reply): void => {
      if (answered.has(index)) return;
      answered.add(index);
      for (const position of group.positions[index] ?? []) answer(position, reply);
    };
    try {
      const content = await editContent(message.content, message.header, group.edits);
      const envelope = { transaction, recipients: group.recipients };
      const results = await group.downstream.deliver(envelope, content, { ...options, onReply });
      for (const [index, reply] of results.entries()) onReply(index, reply);
    } finally {
      const unanswered = withId(replies.internalError, transaction.id);
      for (const index of group.recipients.keys()) onReply(index, unanswered);
    }
  });
  const failed = (await Promise.allSettled(sent)).find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}
