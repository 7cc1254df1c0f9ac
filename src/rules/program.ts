/**
 * program - the rules of the system and of a list as they are asked for one recipient.
 *
 * Layers run in order: the system's `before`, the list's own `rules`, the system's `after`.
 */
import type { Role } from '../core/facts.ts';
import type { Accepted, Rule, Ruleset } from './ruleset.ts';
import { type Sift, siftOf } from './sieve.ts';

/** What is asked for one recipient, in order; from position `after` on it is the system's last layer. */
export interface Program {
  readonly rules: readonly Rule[];
  readonly after: number;
  /** Of all its rules, whether they were asked or not; each once. */
  readonly accepted: readonly Accepted[];
  /** Finds the next rule that may match; null where every rule is to be asked. */
  readonly sift: Sift | null;
  /** Whether any of them is a shadow rule. */
  readonly shadows: boolean;
}

/** The rules that concern a role. */
export function programFor(system: Ruleset | null, list: Ruleset | null, role: Role): Program {
  const isSkipped = ({ name, layer, overridable }: Rule) =>
    layer !== 'rules' && overridable && (list?.skip.has(name) ?? false);
  const ofRole = (rules: readonly Rule[] = []) => rules.filter((rule) => rule.roles.includes(role) && !isSkipped(rule));
  const first = [...ofRole(system?.layers.before), ...ofRole(list?.layers.rules)];
  const rules = [...first, ...ofRole(system?.layers.after)];
  const accepted = [...new Set(rules.flatMap(({ clause }) => clause.accepted))];
  const sift = siftOf(
    rules,
    [system, list].flatMap((ruleset) => ruleset ?? []),
  );
  return { rules, after: first.length, accepted, sift, shadows: rules.some(({ shadow }) => shadow) };
}
