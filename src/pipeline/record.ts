/**
 * record - the one log record of a transaction: who, to whom, which rule, which reply. Never content. At the level debug
 * a trace of each recipient stands before it.
 */
import type { Transaction } from '../core/envelope.ts';
import type { CopyRecord, Log, RecipientRecord, Stages } from '../core/log.ts';
import { printMailbox } from '../core/mailbox.ts';
import type { Reply } from '../core/reply.ts';
import type { CopyOutcome, Remarks, Verdict } from '../core/verdict.ts';
import type { Decision } from './decide.ts';
import type { Entrance } from './entrance.ts';

/** `end` says how the transaction ended: as the content did, or `refused` and `reset` before any content. */
export interface Ending {
  readonly end: string;
  /** Octets of content received. */
  readonly size: number;
  readonly stages?: Stages;
}

/** The one before, because those of many recipients are often the same. */
let last: { readonly reply: Reply; readonly printed: string } | null = null;

function printReply(reply: Reply): string {
  if (last?.reply === reply) return last.printed;
  const { code, status, text } = reply;
  const line = text.includes('\n') ? text.replaceAll('\n', ' | ') : text;
  last = { reply, printed: status === null ? `${code} ${line}` : `${code} ${status} ${line}` };
  return last.printed;
}

function recordRecipient(decision: Decision, refusal: Reply | null): RecipientRecord {
  const { verdict, policy, recipient, outcome } = decision;
  const { shadows } = decision.evaluation;
  const reply = outcome?.reply ?? refusal;
  const one: RecipientRecord = {
    to: printMailbox(recipient.forwardPath),
    list: policy.address.list,
    role: policy.address.role,
    ruleset: verdict?.ruleset ?? null,
    rule: verdict?.rule ?? null,
    verdict: verdict?.kind ?? 'none',
    phase: verdict?.phase ?? null,
    reply: reply === null ? '' : printReply(reply),
    downstream: outcome?.downstream ?? null,
    ms: outcome?.ms ?? null,
  };
  const remarks = verdict === null ? NOTHING : remarksOf(verdict);
  const plain = verdict?.kind !== 'redirect' && !outcome?.copies.length;
  if (plain && remarks === NOTHING && shadows.length === 0) return one;
  return {
    ...one,
    ...(verdict?.kind === 'redirect' ? { redirect: printMailbox(verdict.to) } : {}),
    ...(outcome?.copies.length ? { copies: outcome.copies.map(recordCopy) } : {}),
    ...remarks,
    ...(shadows.length === 0 ? {} : { shadow: shadows }),
  };
}

const NOTHING: Remarks = {};

function recordCopy({ to, downstream, reply }: CopyOutcome): CopyRecord {
  return { to: printMailbox(to), downstream, reply: printReply(reply) };
}

function remarksOf(verdict: Verdict): Remarks {
  if (verdict.kind !== 'discard' && verdict.notes === undefined && verdict.score === undefined) return NOTHING;
  const notes = [...(verdict.notes ?? []), ...(verdict.kind === 'discard' ? [verdict.note] : [])];
  return { ...(notes.length > 0 ? { notes } : {}), ...(verdict.score === undefined ? {} : { score: verdict.score }) };
}

/**
 * Why each verdict is what it is, as `explain` shows it; where the log is not for that, nothing. Before the content is let
 * go. Never rejects.
 */
export async function recordTraces(
  log: Log,
  transaction: Transaction,
  recipients: readonly { readonly decision: Decision }[],
): Promise<void> {
  if (log.debug === undefined) return;
  for (const { decision } of recipients) {
    const { recipient, policy, evaluation } = decision;
    const where = { id: transaction.id, to: printMailbox(recipient.forwardPath), list: policy.address.list };
    try {
      log.debug('trace', { ...where, steps: await evaluation.trace() });
    } catch (error) {
      log.error('trace', error, where);
    }
  }
}

/** Writes the record. */
export function record(
  log: Log,
  entrance: Entrance,
  transaction: Transaction,
  recipients: readonly { readonly decision: Decision; readonly refusal: Reply | null }[],
  ending: Ending,
  ms: number,
): void {
  log.transaction({
    id: transaction.id,
    listener: entrance.name,
    client: transaction.client.address,
    helo: transaction.client.helo,
    from: transaction.reversePath === null ? '' : printMailbox(transaction.reversePath),
    size: ending.size,
    end: ending.end,
    ms,
    ...(ending.stages === undefined ? {} : { stages: ending.stages }),
    recipients: recipients.map(({ decision, refusal }) => recordRecipient(decision, refusal)),
  });
}
