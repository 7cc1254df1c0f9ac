/**
 * check - what no single condition or action can see: names, order, reach, and what a list's file may do.
 */
import type { Role } from '../core/facts.ts';
import { nearest } from '../yaml/suggest.ts';
import { copy } from './actions/copy.ts';
import { checkSense } from './check-sense.ts';
import { checkMay, type ListsMay } from './may.ts';
import { checkConditions } from './named-conditions.ts';
import type { FileKind } from './file-schema.ts';
import type { FileTree, RuleTree, WhenTree } from './parse.ts';
import type { Ruleset } from './ruleset.ts';
import { isMapping, type Source } from './source.ts';

const MOST_RULES = 1000;
/** Each is a delivery of its own, for every message. */
const MOST_COPIES = 10;

export function checkRules(source: Source, tree: FileTree, kind: FileKind, may: ListsMay): void {
  checkCount(source, tree);
  checkCopies(source, tree);
  checkNames(source, tree);
  for (const rule of tree.rules) checkActionOrder(source, rule);
  if (kind !== 'system') checkBounces(source, tree);
  if (kind === 'list') checkMay(source, tree, may);
  checkConditions(source, tree);
  checkReach(source, tree);
  checkSense(source, tree);
}

/** Shadow rules that have been tried for longer than they say. */
export function checkShadows(source: Source, { rules }: FileTree, now: number): void {
  const today = new Date(now).toISOString().slice(0, 10);
  for (const { shadow, path } of rules) {
    if (!shadow?.until || today <= shadow.until) continue;
    const hint = 'take mode and until out to put it in force, give it another day, or take the rule out';
    const message = `it was to be a shadow rule until ${shadow.until}`;
    source.report('W_OVERDUE', message, hint, [...path, 'until']);
  }
}

/** Sets that no rule asks. In a file with errors the rule that names one may be wrong and ask it all the same. */
export function checkUse(source: Source, tree: FileTree, used: ReadonlySet<string>): void {
  const root = source.document.value;
  const others = Object.entries(isMapping(root) ? root : {}).filter(([key]) => key !== 'sets' && key !== 'tests');
  const named = new Set(source.failed ? JSON.stringify(others).match(/[\w-]+/g) : []);
  for (const { name, path } of tree.sets) {
    if (!used.has(name) && !named.has(name))
      source.report('W_UNUSED', `no rule asks the set "${name}"`, 'take it out, or ask it with in:', path, 'key');
  }
}

/** A list goes without those rules of the system only that say so. */
export function checkSkip(source: Source, { skip }: FileTree, system: Ruleset | null): void {
  const rules = system === null ? [] : [...system.layers.before, ...system.layers.after];
  const open = rules.filter(({ overridable }) => overridable).map(({ name }) => name);
  const known = open.length === 0 ? 'take it out: none may be skipped' : `these may be skipped: ${open.join(', ')}`;
  for (const [index, name] of skip.entries()) {
    const report = (code: 'E_REFERENCE' | 'E_NOT_ALLOWED', message: string, hint: string) =>
      source.report(code, message, hint, ['skip', index]);
    if (open.includes(name)) continue;
    if (rules.some((rule) => rule.name === name)) {
      report('E_NOT_ALLOWED', `the system's rule "${name}" may not be skipped: it is not overridable`, known);
      continue;
    }
    const near = nearest(name, open);
    report('E_REFERENCE', `the system has no rule "${name}"`, near === null ? known : `write ${near}`);
  }
}

function checkCount(source: Source, { rules }: FileTree): void {
  const first = rules[MOST_RULES];
  if (first === undefined) return;
  const hint = 'values belong into a set, not into rules of their own';
  source.report('E_TOO_MANY', `a file has at most ${MOST_RULES} rules, this one ${rules.length}`, hint, first.path);
}

function checkCopies(source: Source, { rules }: FileTree): void {
  const copies = rules.flatMap(({ actions }) => actions.filter(({ action }) => action === copy));
  const first = copies[MOST_COPIES];
  if (first === undefined) return;
  const message = `a file has at most ${MOST_COPIES} copies, this one ${copies.length}`;
  source.report('E_TOO_MANY', message, 'copy to one address that passes it on to the others', first.path);
}

function checkNames(source: Source, { rules }: FileTree): void {
  const seen = new Map<string, RuleTree>();
  for (const rule of rules) {
    if (rule.name === '') continue;
    const first = seen.get(rule.name);
    if (first === undefined) {
      seen.set(rule.name, rule);
      continue;
    }
    const { line } = source.document.placeOf([...first.path, 'name']);
    const hint = 'logs and traces tell rules apart by name; use another one';
    source.report('E_DUPLICATE_NAME', `line ${line} has a rule "${rule.name}" already`, hint, [...rule.path, 'name']);
  }
}

/** At most one action decides, and it comes last. */
function checkActionOrder(source: Source, { actions }: RuleTree): void {
  const first = actions.find(({ action }) => action.decides);
  if (first === undefined) return;
  const next = actions[actions.indexOf(first) + 1];
  if (next === undefined) return;
  const message = next.action.decides
    ? `\`${first.action.name}\` has decided already`
    : `\`${next.action.name}\` comes behind \`${first.action.name}\`, which decides`;
  const hint = next.action.decides ? 'keep one of them' : 'put it in front';
  source.report('E_ACTION_ORDER', message, hint, next.path);
}

function checkBounces(source: Source, { rules }: FileTree): void {
  for (const { roles, path } of rules) {
    if (!roles.includes('bounces')) continue;
    const message = 'rules of a list never see the bounces address: to refuse a bounce breaks the list manager';
    source.report('E_NOT_ALLOWED', message, 'take bounces out', [...path, 'roles']);
  }
}

/** Warns of rules behind one that decides on every message of all their roles. */
function checkReach(source: Source, { rules }: FileTree): void {
  const decided = new Map<string, RuleTree>();
  for (const rule of rules) {
    const earlier = rule.roles.map((role) => decided.get(keyOf(rule, role)));
    const [stopper] = earlier;
    if (stopper !== undefined && !earlier.includes(undefined)) {
      const hint = `put it in front of "${stopper.name}"`;
      source.report('W_UNREACHABLE', `"${stopper.name}" has decided on every message before this rule`, hint, [
        ...rule.path,
        'name',
      ]);
    }
    if (!decidesAlways(rule)) continue;
    for (const role of rule.roles) if (!decided.has(keyOf(rule, role))) decided.set(keyOf(rule, role), rule);
  }
}

function keyOf({ layer }: RuleTree, role: Role): string {
  return `${layer} ${role}`;
}

function decidesAlways({ enabled, shadow, when, unless, actions }: RuleTree): boolean {
  if (!enabled || shadow !== null || when === null || unless !== null) return false;
  return holdsAlways(when) && actions.some(({ action }) => action.decides);
}

function holdsAlways(tree: WhenTree): boolean {
  switch (tree.kind) {
    case 'condition':
      return tree.condition.name === 'always';
    case 'not':
    case 'named':
      return false;
    case 'all':
      return tree.children.every(holdsAlways);
    case 'any':
      return tree.children.some(holdsAlways);
  }
}
