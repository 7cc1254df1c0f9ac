/**
 * open-transaction - the transaction under way, from MAIL to its last reply. It keeps the pipeline and the promises it
 * began with over a reload.
 */
import type { Client, Transaction } from '../core/envelope.ts';
import type { Signal } from '../core/signal.ts';
import type { Entrance } from '../pipeline/entrance.ts';
import type { Admission, Pipeline } from '../pipeline/pipeline.ts';
import type { Mail } from './envelope-commands.ts';
import type { Site } from './site.ts';
import { newTransactionId } from './transaction-id.ts';

export interface OpenTransaction {
  readonly transaction: Transaction;
  /** As of this transaction: a client that asked for PRDR gets a reply for each recipient. */
  readonly entrance: Entrance;
  readonly pipeline: Pipeline;
  /** In the order of the RCPTs. */
  readonly admissions: Admission[];
  /** How many of them are of accepted recipients. */
  accepted: number;
}

/**
 * `vouched`: whether the peer's word on who a client is, is taken. From any other a claim of who submitted the message is as
 * none (RFC 4954 section 5). `signal`: aborted when the client is gone.
 */
export function openTransaction(
  site: Site,
  client: Client,
  vouched: boolean,
  { path, ...mail }: Mail,
  signal: Signal,
): OpenTransaction {
  const { entrance } = site;
  const claimed = mail.parameters.has('AUTH') && !vouched;
  const parameters = claimed ? new Map([...mail.parameters, ['AUTH', '<>'] as const]) : mail.parameters;
  return {
    transaction: {
      id: newTransactionId(),
      client,
      reversePath: path.mailbox,
      rawReversePath: path.raw,
      parameters,
      signal,
    },
    entrance: parameters.has('PRDR') ? { ...entrance, replies: 'each' } : entrance,
    pipeline: site.pipeline(),
    admissions: [],
    accepted: 0,
  };
}
