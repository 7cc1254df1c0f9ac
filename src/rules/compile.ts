/**
 * compile - the tree of a file as rules that can be asked.
 *
 * Each condition and action reads its own argument here and reports what is wrong with it. Whatever could not be compiled
 * leaves a hole; a file with any error never becomes a ruleset, so no rule with a hole is ever asked.
 */
import type { Facts, Phase } from '../core/facts.ts';
import type { YamlPath } from '../yaml/load.ts';
import type { Decision, Mark } from './action.ts';
import { all, any, not } from './combinators.ts';
import type { CompileEnv } from './env.ts';
import type { RuleTree, WhenTree } from './parse.ts';
import type { Clause, Rule } from './ruleset.ts';
import type { Source } from './source.ts';
import { laterPhase } from './text-template.ts';

/** What all rules of a file share. */
export type FileEnv = Omit<CompileEnv, 'rule' | 'report'>;

export function compileRule(source: Source, tree: RuleTree, shared: FileEnv): Rule {
  const compileAt = (path: YamlPath): CompileEnv => ({
    ...shared,
    rule: tree.name,
    report: (code, message, hint, at = []) => source.report(code, message, hint, [...path, ...at]),
  });
  let phase: Phase = 'envelope';
  const marks: Mark[] = [];
  let decide: ((facts: Facts) => Decision) | null = null;
  for (const { action, path } of tree.actions) {
    const effect = action.bind((argument) => source.read(argument, path), compileAt(path));
    if (effect === null) continue;
    phase = laterPhase(phase, effect.phase);
    if (effect.kind === 'decide') decide = effect.decide;
    else marks.push(effect);
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
    marks,
    decide,
  };
}

/** What must hold together, one by one. */
function conjuncts(tree: WhenTree | null): readonly WhenTree[] {
  if (tree === null) return [];
  return tree.kind === 'all' ? tree.children : [tree];
}

function compileClause(source: Source, tree: WhenTree, envAt: (path: YamlPath) => CompileEnv): Clause {
  if (tree.kind === 'not') return negation(source, tree.path, 'not', compileClause(source, tree.child, envAt));
  if (tree.kind !== 'condition') {
    const children = tree.children.map((child) => compileClause(source, child, envAt));
    return combination(source, tree.path, tree.kind, children);
  }
  const { condition, path } = tree;
  const bound = condition.bind((argument) => source.read(argument, path), envAt(path));
  return {
    label: condition.name,
    place: source.document.placeOf(path, 'key'),
    test: bound?.test ?? (() => false),
    children: [],
    saw: bound?.saw ?? (() => null),
  };
}

function combination(source: Source, path: YamlPath, kind: 'all' | 'any', children: readonly Clause[]): Clause {
  const tests = children.map(({ test }) => test);
  const test = kind === 'all' ? all(tests) : any(tests);
  return { label: kind, place: source.document.placeOf(path, 'key'), test, children, saw: () => null };
}

function negation(source: Source, path: YamlPath, label: 'not' | 'unless', child: Clause): Clause {
  return {
    label,
    place: source.document.placeOf(path, 'key'),
    test: not(child.test),
    children: [child],
    saw: () => null,
  };
}
