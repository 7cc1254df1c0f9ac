/**
 * trace - why a verdict is what it is: each rule that was asked, with each condition, what it saw and what it answered.
 *
 * Written only when somebody wants to read it. Every clause is asked by the same test that the verdict comes from, also
 * those that were not needed for it; all but what counts, which stays `later` where the verdict did not hang on it.
 */
import type { Place } from '../core/diagnostic.ts';
import type { Facts, Phase, Truth } from '../core/facts.ts';
import type { Clause, Layer, Rule } from './ruleset.ts';

/** `failed`: a set could not be asked. */
export type TracedTruth = Truth | 'failed';

export interface TracedClause {
  /** `author`, `any`, `unless`. */
  readonly label: string;
  readonly place: Place;
  readonly truth: TracedTruth;
  /** What the condition looked at; null for combinations, and before the condition's phase. */
  readonly saw: string | null;
  readonly children: readonly TracedClause[];
}

/** One rule at one phase; a rule that had to wait has one at each phase it was asked. */
export interface TraceStep {
  readonly phase: Phase;
  readonly layer: Layer;
  readonly rule: string;
  readonly place: Place;
  readonly truth: TracedTruth;
  /** Whether it is a shadow rule, which decides nothing. */
  readonly shadow: boolean;
  /** Whether it matched and only waits for a value that its texts name. */
  readonly waitsForText: boolean;
  readonly clauses: readonly TracedClause[];
}

export async function traceRule(rule: Rule, facts: Facts, waitsForText: boolean): Promise<TraceStep> {
  const { truth, children } = await traceClause(rule.clause, facts);
  const { name, layer, place, shadow } = rule;
  return { phase: facts.phase, layer, rule: name, place, truth, shadow, waitsForText, clauses: children };
}

async function traceClause(clause: Clause, facts: Facts): Promise<TracedClause> {
  const children: TracedClause[] = [];
  for (const child of clause.children) children.push(await traceClause(child, facts));
  return {
    label: clause.label,
    place: clause.place,
    truth: await ask(clause, facts),
    saw: clause.saw(facts),
    children,
  };
}

async function ask(clause: Clause, facts: Facts): Promise<TracedTruth> {
  if (!clause.wasAsked(facts)) return 'later';
  try {
    return await clause.test(facts);
  } catch {
    return 'failed';
  }
}
