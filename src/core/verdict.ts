/**
 * verdict - what the rules say of one recipient, and what became of it.
 */
import type { Recipient } from './envelope.ts';
import type { Phase } from './facts.ts';
import type { Reply } from './reply.ts';

/** A change to the header section of one recipient's copy; applied in order. `value` is printable ASCII on one line. */
export type HeaderEdit =
  | { readonly kind: 'add'; readonly name: string; readonly value: string }
  | { readonly kind: 'remove'; readonly name: string };

/** `ruleset` and `rule` name who decided; `rule` is null where nothing decided and the recipient is relayed. */
export type Verdict = { readonly ruleset: string; readonly rule: string | null; readonly phase: Phase } & (
  | { readonly kind: 'relay'; readonly downstream: string | null; readonly edits: readonly HeaderEdit[] }
  | { readonly kind: 'reject' | 'defer'; readonly reply: Reply }
  | { readonly kind: 'discard'; readonly note: string }
);

export type VerdictKind = Verdict['kind'];

/** A verdict and the reply that the client gets for it. */
export interface Outcome {
  readonly recipient: Recipient;
  /** null where the content never became a message (aborted, too large). */
  readonly verdict: Verdict | null;
  readonly reply: Reply;
  /** The downstream that was asked; null where none was. */
  readonly downstream: string | null;
  /** Milliseconds from asking the downstream to its reply; left out where none was asked. */
  readonly ms?: number;
}
