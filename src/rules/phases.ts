/**
 * phases - when each rule can decide, when it will, and which rule in front of it holds it back.
 *
 * Rules are asked in order, so a rule that knows its answer at RCPT still waits for one in front of it that does not. All
 * phases are the earliest possible: a condition is known at its phase, `all` is false as soon as one child is, `any` true.
 */
import { isReached, type Phase } from '../core/facts.ts';
import { always } from './conditions/always.ts';
import { programFor } from './program.ts';
import type { Clause, Rule, Ruleset } from './ruleset.ts';
import { laterPhase } from './text-template.ts';

export interface RulePhases {
  readonly rule: Rule;
  /** The phase at which it could decide, were it the first. */
  readonly earliest: Phase;
  /** The phase at which it will, behind the rules in front of it. */
  readonly actual: Phase;
  /** The first rule in front of it that is known only at `actual`; null where none holds it back. */
  readonly heldBy: Rule | null;
  /** The rule above which it would decide at `earliest`; null where it does already, or the rule is of another file. */
  readonly moveAbove: Rule | null;
}

/** The rules of `file` in order: those of a list between the system's, or those of the system alone. */
export function phasesOf(system: Ruleset | null, file: Ruleset): readonly RulePhases[] {
  const list = file === system ? null : file;
  const own = [...file.layers.before, ...file.layers.rules, ...file.layers.after];
  return own.map((rule) => {
    const perRole = rule.roles.map((role) => place(rule, programFor(system, list, role).rules));
    const [first, ...rest] = perRole;
    return rest.reduce((last, one) => (isReached(one.actual, last.actual) ? last : one), first ?? place(rule, [rule]));
  });
}

/** `program`: what is asked for one role, the rule among it. */
function place(rule: Rule, program: readonly Rule[]): RulePhases {
  const earliest = laterPhase(knownAt(rule.clause).yes ?? 'envelope', rule.phase);
  const before = program.slice(0, program.indexOf(rule)).filter(({ shadow }) => !shadow);
  const actual = before.map(passedAt).reduce(laterPhase, earliest);
  const held = before.filter((other) => !isReached(passedAt(other), earliest));
  const [above] = held;
  const movable = above !== undefined && above.place.file === rule.place.file && above.layer === rule.layer;
  return {
    rule,
    earliest,
    actual,
    heldBy: held.find((other) => passedAt(other) === actual) ?? null,
    moveAbove: movable ? above : null,
  };
}

/** When the rules behind it are asked: once it does not match, or has left its edits. */
function passedAt({ clause, decide, phase }: Rule): Phase {
  const { yes, no } = knownAt(clause);
  const passed = decide === null ? earlierOf(no, laterOf(yes, phase)) : no;
  // Rules behind one that decides on everything are never asked, which another check warns of.
  return passed ?? 'envelope';
}

/** The earliest phases at which a clause is known to hold, and not to hold; null where it never does. */
interface Known {
  readonly yes: Phase | null;
  readonly no: Phase | null;
}

/** Blocks that stand for blocks that stand for blocks must not multiply. */
const knownBlocks = new WeakMap<Clause, Known>();

function knownAt({ label, phase, children, inside }: Clause): Known {
  if (inside !== undefined) {
    const known = knownBlocks.get(inside) ?? knownAt(inside);
    knownBlocks.set(inside, known);
    return known;
  }
  if (phase !== null) return { yes: phase, no: label === always.name ? null : phase };
  const [first, ...rest] = children.map(knownAt);
  if (first === undefined) return { yes: 'envelope', no: 'envelope' };
  if (label === 'not' || label === 'unless') return { yes: first.no, no: first.yes };
  const [yes, no] = label === 'any' ? [earlierOf, laterOf] : [laterOf, earlierOf];
  return rest.reduce((all, one) => ({ yes: yes(all.yes, one.yes), no: no(all.no, one.no) }), first);
}

function laterOf(a: Phase | null, b: Phase | null): Phase | null {
  return a === null || b === null ? null : laterPhase(a, b);
}

function earlierOf(a: Phase | null, b: Phase | null): Phase | null {
  if (a === null || b === null) return a ?? b;
  return isReached(a, b) ? a : b;
}
