/**
 * policy - what applies to one recipient: the rules' contract with the pipeline.
 */
import type { ContentFacts, Facts, ListAddress } from '../core/facts.ts';
import type { Mailbox } from '../core/mailbox.ts';
import type { Verdict } from '../core/verdict.ts';
import type { TraceStep } from './trace.ts';

/** One recipient's way through its rulesets: a small state that is asked again at each phase. */
export interface Evaluation {
  /** The verdict, or `later` where a rule needs the next phase. Never throws; never `later` at `content`. */
  advance(facts: Facts): Verdict | 'later' | Promise<Verdict | 'later'>;
  /** Told when a downstream took the message, while its content is there, for rules that remember. Never throws. */
  accepted(facts: ContentFacts): void | Promise<void>;
  /** The rules that may still be asked, in order; none where there is a verdict. Two lists share a rule if it is the same object. */
  readonly undecided: readonly object[];
  /** Where a list's rules have sent the message instead, though the system's last layer may still decide otherwise. */
  readonly redirected: Mailbox | null;
  /** Whether shadow rules wait to be asked at a later phase, also where there is a verdict already. */
  readonly pending: boolean;
  /** The names of the shadow rules that would have decided. */
  readonly shadows: readonly string[];
  /**
   * The rules asked so far and what they saw; empty unless the policy was asked to trace. Asks again, so it is for the end:
   * what that costs must not be missing to the rules. Needs the content, if it was known. Never rejects.
   */
  trace(): Promise<readonly TraceStep[]>;
}

/** Of one transaction: the rules that cannot match its message, whoever it is for. Found for one recipient, known for the next. */
export class RuledOut {
  #rules: Set<object> | null = null;
  /** Whether there is a next one. */
  isShared = false;

  has(rule: object): boolean {
    return this.#rules?.has(rule) === true;
  }

  add(rule: object): void {
    if (!this.isShared) return;
    this.#rules ??= new Set();
    this.#rules.add(rule);
  }
}

export interface StartOptions {
  /** Whether what each rule saw is kept. */
  readonly trace: boolean;
  /** Left out: of this evaluation alone. */
  readonly ruledOut?: RuledOut;
}

export interface Policy {
  readonly address: ListAddress;
  /** Why the list's rules cannot be applied (its mail is deferred); null where they can. */
  readonly unavailable: string | null;
  start(options?: StartOptions): Evaluation;
}
