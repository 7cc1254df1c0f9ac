/**
 * verdict - what the rules say of one recipient, and what became of it.
 */
import type { Recipient } from './envelope.ts';
import type { Phase } from './facts.ts';
import type { Reply } from './reply.ts';

/**
 * A change to the header section of one recipient's copy; applied in order. `value` is printable ASCII on one line, `text`
 * any text on one line, to stand in front of the field's own unless that holds it already.
 */
export type HeaderEdit =
  | { readonly kind: 'add'; readonly name: string; readonly value: string }
  | { readonly kind: 'remove'; readonly name: string }
  | { readonly kind: 'prefix'; readonly name: string; readonly text: string };

/** What the rules that go on have left behind: for the log, not for the message. */
export interface Remarks {
  /** Left out where there are none. */
  readonly notes?: readonly string[];
  /** The sum of the scores; left out where no rule scored. */
  readonly score?: number;
}

/** `ruleset` and `rule` name who decided; `rule` is null where nothing decided and the recipient is relayed. */
export type Verdict = Remarks & { readonly ruleset: string; readonly rule: string | null; readonly phase: Phase } & (
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
}
