/**
 * verdict - what the rules say of one recipient, and what became of it.
 */
import type { Recipient } from './envelope.ts';
import type { Phase } from './facts.ts';
import type { Mailbox } from './mailbox.ts';
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

/** One more recipient, and the edits that stood before it: those are made to what it gets. */
export interface Copy {
  readonly to: Mailbox;
  readonly edits: readonly HeaderEdit[];
}

/** `downstream`: the one that the rules name; null for that of the routes. */
type Served =
  | { readonly kind: 'relay'; readonly downstream: string | null; readonly edits: readonly HeaderEdit[] }
  | {
      readonly kind: 'redirect';
      readonly to: Mailbox;
      readonly downstream: string | null;
      readonly edits: readonly HeaderEdit[];
    }
  | { readonly kind: 'quarantine'; readonly downstream: string; readonly edits: readonly HeaderEdit[] };

/**
 * `ruleset` and `rule` name who decided; `rule` is null where nothing decided and the recipient is relayed. `copies`: who
 * has to have the message too before anybody hears 2yz; left out where there are none. What is refused goes nowhere.
 */
export type Verdict = Remarks & { readonly ruleset: string; readonly rule: string | null; readonly phase: Phase } & (
    | (Served & { readonly copies?: readonly Copy[] })
    | { readonly kind: 'discard'; readonly note: string; readonly copies?: readonly Copy[] }
    | { readonly kind: 'reject' | 'defer'; readonly reply: Reply }
  );

export type VerdictKind = Verdict['kind'];
/** A verdict by which a downstream gets the message. */
export type ServedVerdict = Extract<Verdict, Served>;
export type RefusingVerdict = Extract<Verdict, { readonly reply: Reply }>;

/** Whether the verdict is a 4yz or a 5yz. */
export function refuses(verdict: Verdict | null): verdict is RefusingVerdict {
  return verdict !== null && (verdict.kind === 'reject' || verdict.kind === 'defer');
}

/** Whether a downstream gets the message for this recipient. */
export function isServed(verdict: Verdict | null): verdict is ServedVerdict {
  if (verdict === null) return false;
  return verdict.kind === 'relay' || verdict.kind === 'redirect' || verdict.kind === 'quarantine';
}

export function copiesOf(verdict: Verdict | null): readonly Copy[] {
  return verdict !== null && 'copies' in verdict ? (verdict.copies ?? []) : [];
}

/** What became of one copy. */
export interface CopyOutcome {
  readonly to: Mailbox;
  readonly downstream: string;
  readonly reply: Reply;
}

/** A verdict and the reply that the client gets for it. */
export interface Outcome {
  readonly recipient: Recipient;
  /** null where the content never became a message (aborted, too large). */
  readonly verdict: Verdict | null;
  readonly reply: Reply;
  /** The downstream that was asked, or that has the message since an earlier attempt; null where there is none. */
  readonly downstream: string | null;
  readonly copies: readonly CopyOutcome[];
  /** Milliseconds from asking the downstream to its reply; null where none was asked now. */
  readonly ms: number | null;
}
