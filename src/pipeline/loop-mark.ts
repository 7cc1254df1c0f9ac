/**
 * loop-mark - `X-Loop: ADDRESS` on what is sent on in place of, or beside, the recipient ADDRESS: redirects and copies.
 *
 * Where it comes to that recipient again with the mark, it is refused (RFC 3463, X.4.6): a copy that leads back here would
 * double at each turn, and the hop counts of MTAs bound the turns only. To skip the copy in place of a refusal would let
 * anybody who forges the field keep a message out of an archive.
 */
import { type Mailbox, printMailbox } from '../core/mailbox.ts';
import type { Header } from '../core/message.ts';
import { type Reply, reply } from '../core/reply.ts';
import { copiesOf, type HeaderEdit } from '../core/verdict.ts';
import { encodeText, foldForMatch } from '../mail/text.ts';
import type { Decision } from './decide.ts';

const NAME = 'X-Loop';

export const mailLoop: Reply = reply(550, '5.4.6', 'Mail loop: this message was sent on from this address before');

export function loopMark(mailbox: Mailbox): HeaderEdit {
  return { kind: 'add', name: NAME, value: encodeText(printMailbox(mailbox)) };
}

/** Whether somebody would get the message whom the client did not name, and it has been sent on from here before. */
export function loops({ recipient, verdict }: Decision, header: Header): boolean {
  return (verdict?.kind === 'redirect' || copiesOf(verdict).length > 0) && isMarked(header, recipient.forwardPath);
}

export function isMarked(header: Header, mailbox: Mailbox): boolean {
  const mark = foldForMatch(printMailbox(mailbox));
  return header.named(NAME).some(({ text }) => foldForMatch(text) === mark);
}
