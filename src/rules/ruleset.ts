/**
 * ruleset - the rules of one file, compiled.
 */
import type { Place } from '../core/diagnostic.ts';
import type { ContentFacts, Facts, Phase, Role, Test } from '../core/facts.ts';
import type { Decision, Mark } from './action.ts';
import type { TrustedServer } from './env.ts';
import type { Needs } from './needs.ts';

export type Layer = 'before' | 'rules' | 'after';

/** `defer` the recipient, or `skip` the rule as if it did not match. */
export const IF_TOO_COSTLY = ['defer', 'skip'] as const;
export type IfTooCostly = (typeof IF_TOO_COSTLY)[number];

/** Told that a downstream took the message. */
export type Accepted = (facts: ContentFacts) => void | Promise<void>;

/** A condition, or a combination of them, where it stands in its file. */
export interface Clause {
  /** `author`, `any`, `not`. */
  readonly label: string;
  readonly place: Place;
  readonly test: Test;
  /** The earliest phase at which a condition may be known; null for a combination, which may be known before all its children are. */
  readonly phase: Phase | null;
  /** What it stands for, where a trace does not look into it. */
  readonly inside?: Clause;
  readonly children: readonly Clause[];
  /** What a message must hold for it to be true; null where nothing is certain. */
  readonly needs: Needs;
  /** Whether the answer is the same for all recipients of a message. */
  readonly ofMessage: boolean;
  /** Whether to ask it, or one of its children, leaves a trace: then only the evaluator may ask. */
  readonly counts: boolean;
  /** Of what counts, whether the evaluator has asked it. */
  wasAsked(facts: Facts): boolean;
  /** What is to be told when a downstream took the message, of itself and of its children. */
  readonly accepted: readonly Accepted[];
  /** What a condition looks at; null for a combination, and before the condition's phase. */
  saw(facts: Facts): string | null;
}

export interface Rule {
  readonly name: string;
  readonly layer: Layer;
  readonly place: Place;
  readonly roles: readonly Role[];
  /** Whether a list may go without it. */
  readonly overridable: boolean;
  /** Whether it is only asked and counted: it decides nothing and edits nothing. */
  readonly shadow: boolean;
  /** What becomes of a message on which its patterns take too long. */
  readonly ifTooCostly: IfTooCostly;
  /** `when` and not `unless`. */
  readonly clause: Clause;
  /** The phase from which on all its texts can be filled; a rule that matches waits for it. */
  readonly phase: Phase;
  /** What its actions that go on leave behind, in order. */
  readonly marks: readonly Mark[];
  /** null for a rule that goes on. */
  readonly decide: ((facts: Facts) => Decision) | null;
}

/** The rules of one file; what the file has no layer for is empty. */
export interface Ruleset {
  readonly file: string;
  /** Whose Authentication-Results `auth` believes: those of the system, for the files of lists too. */
  readonly trustResultsFrom: readonly TrustedServer[];
  readonly layers: Readonly<Record<Layer, readonly Rule[]>>;
  /** The names of the system's rules that the list goes without. */
  readonly skip: ReadonlySet<string>;
}
