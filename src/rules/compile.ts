/**
 * compile - the tree of a file as rules that can be asked.
 *
 * Each condition and action reads its own argument here and reports what is wrong with it. Whatever could not be compiled
 * leaves a hole; a file with any error never becomes a ruleset, so no rule with a hole is ever asked.
 */
import type { Facts, Phase, Test } from '../core/facts.ts';
import type { HeaderEdit } from '../core/verdict.ts';
import type { YamlPath } from '../yaml/load.ts';
import type { Decision } from './action.ts';
import { all, any, inTurn, not } from './combinators.ts';
import type { CompileEnv } from './env.ts';
import type { RuleTree, WhenTree } from './parse.ts';
import type { Clause, Rule } from './ruleset.ts';
import type { Source } from './source.ts';
import { laterPhase } from './text-template.ts';

/** What all rules of a file share. */
export type FileEnv = Omit<CompileEnv, 'rule' | 'report'>;

export function compileRule(source: Source, tree: RuleTree, shared: FileEnv): Rule {
  const { name } = tree;
  const compileAt: EnvAt = (path) => envOf(source, name, shared, path);
  let phase: Phase = 'envelope';
  const edits: ((facts: Facts) => HeaderEdit)[] = [];
  let decide: ((facts: Facts) => Decision) | null = null;
  for (const { action, path } of tree.actions) {
    const effect = action.bind((argument) => source.read(argument, path), compileAt(path));
    if (effect === null) continue;
    phase = laterPhase(phase, effect.phase);
    if (effect.kind === 'edit') edits.push(effect.edit);
    else decide = effect.decide;
  }

  const clause = (when: WhenTree): Clause => compileClause(source, when, compileAt);
  const asked = conjuncts(tree.when).map(clause);
  const excepted =
    tree.unless === null ? [] : [negation(source, [...tree.path, 'unless'], 'unless', clause(tree.unless))];
  return {
    name: tree.name,
    layer: tree.layer,
    place: source.document.placeOf([...tree.path, 'name']),
    roles: tree.roles,
    clause: combination(source, tree.path, 'all', [...asked, ...excepted]),
    phase,
    edits,
    decide,
  };
}

type EnvAt = (path: YamlPath) => CompileEnv;

/** Made apart from the tree: compiled parts hold their env as long as they live, and the tree need not live with them. */
function envOf(source: Source, rule: string, shared: FileEnv, path: YamlPath): CompileEnv {
  return {
    ...shared,
    rule,
    report: (code, message, hint, at = []) => source.report(code, message, hint, [...path, ...at]),
  };
}

/** What must hold together, one by one. */
function conjuncts(tree: WhenTree | null): readonly WhenTree[] {
  if (tree === null) return [];
  return tree.kind === 'all' ? tree.children : [tree];
}

function compileClause(source: Source, tree: WhenTree, envAt: EnvAt): Clause {
  if (tree.kind === 'not') return negation(source, tree.path, 'not', compileClause(source, tree.child, envAt));
  if (tree.kind !== 'condition') {
    const children = tree.children.map((child) => compileClause(source, child, envAt));
    return combination(source, tree.path, tree.kind, children);
  }
  const { condition, path } = tree;
  const bound = condition.bind((argument) => source.read(argument, path), envAt(path));
  const counts = condition.counts === true;
  return {
    label: condition.name,
    place: source.document.placeOf(path, 'key'),
    ...watched(bound?.test ?? (() => false), counts),
    children: [],
    counts,
    accepted: bound?.accepted === undefined ? [] : [bound.accepted],
    saw: bound?.saw ?? (() => null),
  };
}

function combination(source: Source, path: YamlPath, kind: 'all' | 'any', children: readonly Clause[]): Clause {
  return {
    label: kind,
    place: source.document.placeOf(path, 'key'),
    ...watched(combined(kind, children), inherited(children).counts),
    children,
    ...inherited(children),
    saw: () => null,
  };
}

/**
 * What counts is asked last, one by one, and only where the answer hangs on it. So a message counts where the conditions
 * beside hold, and whether they were known early or late makes no difference to the counts.
 */
function combined(kind: 'all' | 'any', children: readonly Clause[]): Test {
  const testsOf = (some: readonly Clause[]): readonly Test[] => some.map(({ test }) => test);
  const combine = kind === 'all' ? all : any;
  const counting = children.filter(({ counts }) => counts);
  if (counting.length === 0) return combine(testsOf(children));
  const first = combine(testsOf(children.filter(({ counts }) => !counts)));
  return testsOf(counting).reduce((before, test) => inTurn(kind, before, test), first);
}

/** The test, which remembers whom it was asked about where it counts. */
function watched(test: Test, counts: boolean): Pick<Clause, 'test' | 'wasAsked'> {
  if (!counts) return { test, wasAsked: () => true };
  const asked = new WeakSet<Facts['answers']>();
  return {
    test(facts) {
      asked.add(facts.answers);
      return test(facts);
    },
    wasAsked: (facts) => asked.has(facts.answers),
  };
}

function inherited(children: readonly Clause[]): Pick<Clause, 'counts' | 'accepted'> {
  return {
    counts: children.some(({ counts }) => counts),
    accepted: children.flatMap(({ accepted }) => accepted),
  };
}

function negation(source: Source, path: YamlPath, label: 'not' | 'unless', child: Clause): Clause {
  return {
    label,
    place: source.document.placeOf(path, 'key'),
    ...watched(not(child.test), child.counts),
    children: [child],
    ...inherited([child]),
    saw: () => null,
  };
}
