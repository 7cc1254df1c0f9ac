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
  /** Finds the rules that may match; null where every rule is to be asked. */
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

/** The programs of the system's rules with those of a list, made once for each role that is asked for. */
export class Programs {
  readonly #system: Ruleset | null;
  readonly #withoutList = new Map<Role, Program>();
  readonly #byList = new WeakMap<Ruleset, Map<Role, Program>>();

  constructor(system: Ruleset | null) {
    this.#system = system;
  }

  for(list: Ruleset | null, role: Role): Program {
    const made = list === null ? this.#withoutList : this.#madeFor(list);
    const known = made.get(role);
    if (known !== undefined) return known;
    const program = programFor(this.#system, list, role);
    made.set(role, program);
    return program;
  }

  #madeFor(list: Ruleset): Map<Role, Program> {
    const known = this.#byList.get(list);
    if (known !== undefined) return known;
    const made = new Map<Role, Program>();
    this.#byList.set(list, made);
    return made;
  }
}
