/**
 * compile - the tree of a file as rules that can be asked.
 *
 * Each condition and action reads its own argument here and reports what is wrong with it. Whatever could not be compiled
 * leaves a hole; a file with any error never becomes a ruleset, so no rule with a hole is ever asked.
 */
import type { Place } from '../core/diagnostic.ts';
import type { Facts, Phase, Test, Truth } from '../core/facts.ts';
import type { YamlPath } from '../yaml/load.ts';
import { valueAt } from '../yaml/tree.ts';
import type { Decision, Mark } from './action.ts';
import { all, any, inTurn, not } from './combinators.ts';
import type { CompileEnv } from './env.ts';
import { conditionMeant } from './meant.ts';
import { needsOfAll, needsOfAny } from './needs.ts';
import type { FileTree, RuleTree, WhenTree } from './parse.ts';
import type { Clause, IfTooCostly, Rule } from './ruleset.ts';
import type { PatternFile } from './pattern-file.ts';
import { mayLieAt } from './sets.ts';
import type { Source } from './source.ts';
import { laterPhase } from './text-template.ts';

/** What all rules of a file share. */
export interface FileEnv extends Omit<CompileEnv, 'rule' | 'report' | 'patternFile'> {
  /** Opens a file of patterns that is named at `place`. */
  readonly openPatterns: (path: string, place: Place) => PatternFile;
}

/** The clause of a named condition; null where there is none. */
export type NamedClauses = (name: string) => Clause | null;

/** Made once: a function made beside the tree would hold it as long as the rules live. */
const sawNothing = (): null => null;

const NOTHING: Omit<Clause, 'place'> = {
  phase: null,
  label: 'condition',
  test: () => false,
  children: [],
  needs: null,
  ofMessage: false,
  counts: false,
  wasAsked: () => true,
  accepted: [],
  saw: sawNothing,
};

type EnvAt = (path: YamlPath) => CompileEnv;

/** Made apart from the tree: compiled parts hold their env as long as they live, and the tree need not live with them. */
function envFor(source: Source, rule: string, shared: FileEnv): EnvAt {
  return (path) => ({
    ...shared,
    rule,
    patternFile: (file, at = []) => {
      if (!mayLieAt(file, shared.scope)) {
        const hint = 'put it beside the file of the list, or below';
        source.report('E_NOT_ALLOWED', 'a list may only read files of its own folder', hint, [...path, ...at]);
      }
      return shared.openPatterns(file, source.document.placeOf([...path, ...at]));
    },
    report: (code, message, hint, at = []) => source.report(code, message, hint, [...path, ...at]),
  });
}

/**
 * Each is compiled once, whoever asks it, and answers once for each recipient and phase. `counter`: for whom they count,
 * those who ask them together.
 */
export function compileConditions(
  source: Source,
  { conditions }: FileTree,
  shared: FileEnv,
  counter: string,
): NamedClauses {
  const compiled = new Map<string, Clause | null>();
  const find: NamedClauses = (name) => {
    const known = compiled.get(name);
    if (known !== undefined) return known;
    // Until it is compiled a circle finds nothing here; such a file does not load.
    compiled.set(name, null);
    const when = conditions.get(name)?.when ?? null;
    if (when === null) return null;
    const envAt = envFor(source, source.fullName(`${counter} ${name}`), shared);
    // What a trace shows of a block ends at the blocks that it asks in turn: all of them could be very many.
    const clause = compileClause(source, when, envAt, (inner) => {
      const found = find(inner);
      return found && { ...found, children: [], inside: found };
    });
    const asked: Clause = {
      label: `condition ${name}`,
      place: clause.place,
      test: onceForFacts(clause.test),
      phase: null,
      children: [clause],
      needs: clause.needs,
      ofMessage: clause.ofMessage,
      counts: clause.counts,
      wasAsked: clause.wasAsked,
      accepted: clause.accepted,
      saw: sawNothing,
    };
    compiled.set(name, asked);
    return asked;
  };
  for (const name of conditions.keys()) find(name);
  return find;
}

/**
 * Blocks that ask blocks that ask blocks must not multiply. Facts are made anew for each recipient and phase; of them only
 * the score grows between two rules.
 */
function onceForFacts(test: Test): Test {
  const answers = new WeakMap<Facts, { readonly sum: number | null; readonly answer: () => Truth | Promise<Truth> }>();
  const ask = (facts: Facts): (() => Truth | Promise<Truth>) => {
    try {
      const truth = test(facts);
      return () => truth;
    } catch (error) {
      return () => {
        throw error;
      };
    }
  };
  return (facts) => {
    const { sum } = facts.score;
    const known = answers.get(facts);
    const answer = known !== undefined && known.sum === sum ? known.answer : ask(facts);
    answers.set(facts, { sum, answer });
    return answer();
  };
}

export function compileRule(
  source: Source,
  tree: RuleTree,
  shared: FileEnv,
  named: NamedClauses,
  ifTooCostly: IfTooCostly,
): Rule {
  const compileAt = envFor(source, tree.name, shared);
  let phase: Phase = 'envelope';
  const marks: Mark[] = [];
  let decide: ((facts: Facts) => Decision) | null = null;
  for (const { action, path } of tree.actions) {
    const example = { path: [action.name], yaml: action.examples[0]?.yaml ?? action.name };
    const effect = action.bind((argument) => source.read(argument, path, example), compileAt(path));
    if (effect === null) continue;
    phase = laterPhase(phase, effect.phase);
    if (effect.kind === 'decide') decide = effect.decide;
    else marks.push(effect);
  }

  const clause = (when: WhenTree): Clause => compileClause(source, when, compileAt, named);
  const asked = conjuncts(tree.when).map(clause);
  const excepted =
    tree.unless === null ? [] : [negation(source, [...tree.path, 'unless'], 'unless', clause(tree.unless))];
  return {
    name: tree.name,
    layer: tree.layer,
    place: source.document.placeOf([...tree.path, 'name']),
    roles: tree.roles,
    overridable: tree.overridable,
    shadow: tree.shadow !== null,
    ifTooCostly,
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

function compileClause(source: Source, tree: WhenTree, envAt: EnvAt, named: NamedClauses): Clause {
  if (tree.kind === 'not') return negation(source, tree.path, 'not', compileClause(source, tree.child, envAt, named));
  const place = source.document.placeOf(tree.path, tree.kind === 'named' ? 'value' : 'key');
  if (tree.kind === 'named') return { ...(named(tree.name) ?? NOTHING), place };
  if (tree.kind !== 'condition') {
    const children = tree.children.map((child) => compileClause(source, child, envAt, named));
    return combination(source, tree.path, tree.kind, children);
  }
  const { condition, path } = tree;
  const { name, examples } = condition;
  const env = envAt(path);
  const value = valueAt(source.document.value, path) ?? '';
  const example = { path: [], yaml: conditionMeant(name, value, examples[0]?.argument ?? '', env.setNames) };
  const bound = condition.bind((argument) => source.read(argument, path, example), env);
  const counts = condition.counts === true;
  return {
    label: condition.name,
    place,
    ...watched(bound?.test ?? (() => false), counts),
    phase: bound?.phase ?? condition.phase,
    children: [],
    needs: bound?.needs ?? null,
    ofMessage: bound?.ofMessage ?? false,
    counts,
    accepted: bound?.accepted === undefined ? [] : [bound.accepted],
    saw: bound?.saw ?? sawNothing,
  };
}

function combination(source: Source, path: YamlPath, kind: 'all' | 'any', children: readonly Clause[]): Clause {
  return {
    label: kind,
    place: source.document.placeOf(path, 'key'),
    ...watched(combined(kind, children), inherited(children).counts),
    phase: null,
    children,
    needs: (kind === 'all' ? needsOfAll : needsOfAny)(children.map(({ needs }) => needs)),
    ...inherited(children),
    saw: sawNothing,
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

function inherited(children: readonly Clause[]): Pick<Clause, 'ofMessage' | 'counts' | 'accepted'> {
  return {
    ofMessage: children.every(({ ofMessage }) => ofMessage),
    counts: children.some(({ counts }) => counts),
    accepted: children.flatMap(({ accepted }) => accepted),
  };
}

function negation(source: Source, path: YamlPath, label: 'not' | 'unless', child: Clause): Clause {
  return {
    label,
    place: source.document.placeOf(path, 'key'),
    ...watched(not(child.test), child.counts),
    phase: null,
    children: [child],
    needs: null,
    ...inherited([child]),
    saw: sawNothing,
  };
}
