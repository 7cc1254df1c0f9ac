/**
 * check-sense - what is well formed and can hardly be meant: a rule that never applies, several values in one text.
 */
import type { YamlPath, YamlValue } from '../yaml/tree.ts';
import { valueAt } from '../yaml/tree.ts';
import type { FileTree, RuleTree, WhenTree } from './parse.ts';
import { isList, isMapping, type Source } from './source.ts';

const LITERAL_WORDS: ReadonlySet<string> = new Set(['is', 'contains', 'starts_with', 'ends_with', 'like']);

export function checkSense(source: Source, tree: FileTree): void {
  for (const rule of tree.rules) checkNever(source, rule);
  const whens = [
    ...tree.rules.flatMap(({ when, unless }) => [when, unless]),
    ...[...tree.conditions.values()].map(({ when }) => when),
  ];
  for (const when of whens) {
    if (when === null) continue;
    checkAny(source, when);
    for (const path of pathsOf(when)) checkTexts(source, path);
  }
}

/** Warns of `any` over several `not_in` of one condition, where mostly all of them are meant. */
function checkAny(source: Source, tree: WhenTree): void {
  if (tree.kind === 'not') checkAny(source, tree.child);
  if (tree.kind !== 'all' && tree.kind !== 'any') return;
  for (const child of tree.children) checkAny(source, child);
  if (tree.kind !== 'any') return;
  const sets = new Map<string, string[]>();
  for (const child of tree.children) {
    if (child.kind !== 'condition') continue;
    const value = valueAt(source.document.value, child.path);
    const [[word, set] = [], ...more] = isMapping(value) ? Object.entries(value) : [];
    if (word !== 'not_in' || typeof set !== 'string' || more.length > 0) continue;
    const { name } = child.condition;
    sets.set(name, [...(sets.get(name) ?? []), set]);
  }
  for (const [name, some] of sets) {
    if (some.length < 2) continue;
    const message = `this holds for everybody who is not in all of ${some.join(', ')} at once`;
    const hint = `for who is in none of them write ${name}: { not_in: [${some.join(', ')}] }`;
    source.report('W_LOOSE_ANY', message, hint, tree.path, 'key');
  }
}

/** Warns where `unless` holds whenever `when` does. */
function checkNever(source: Source, { path, when, unless }: RuleTree): void {
  if (when === null || unless === null) return;
  const asked = new Set(partsOf(source, [...path, 'when']));
  if (!partsOf(source, [...path, 'unless']).every((part) => asked.has(part))) return;
  const hint = 'take `unless` out, or ask something else there';
  source.report(
    'W_NEVER',
    'the rule never applies: `unless` holds whenever `when` does',
    hint,
    [...path, 'unless'],
    'key',
  );
}

/** The conditions of a mapping, each as a text that is the same for the same condition. */
function partsOf(source: Source, path: YamlPath): readonly string[] {
  const value = valueAt(source.document.value, path);
  return isMapping(value) ? Object.entries(value).map((entry) => JSON.stringify(entry)) : [];
}

function pathsOf(tree: WhenTree): readonly YamlPath[] {
  switch (tree.kind) {
    case 'condition':
      return [tree.path];
    case 'named':
      return [];
    case 'not':
      return pathsOf(tree.child);
    case 'all':
    case 'any':
      return tree.children.flatMap(pathsOf);
  }
}

/** Warns of values of match words that are a list to people and one text to YAML. In quotes they are meant. */
function checkTexts(source: Source, path: YamlPath): void {
  const value = valueAt(source.document.value, path);
  if (!isMapping(value)) return;
  for (const [key, inner] of Object.entries(value)) {
    if (LITERAL_WORDS.has(key)) checkValues(source, [...path, key], inner);
    else checkTexts(source, [...path, key]);
  }
}

function checkValues(source: Source, path: YamlPath, value: YamlValue): void {
  if (isList(value)) {
    for (const [index, one] of value.entries()) checkValues(source, [...path, index], one);
    return;
  }
  if (typeof value !== 'string') return;
  const several = value.split(/,\s+|\s+or\s+/).map((one) => one.trim());
  if (several.length < 2 || several.includes('') || isQuoted(source, path, value)) return;
  const hint = `for several write a list: [${several.join(', ')}]; for one text put it in quotes`;
  source.report('W_MARKS', `"${value}" is one text`, hint, path);
}

function isQuoted(source: Source, path: YamlPath, value: string): boolean {
  const { length } = source.document.placeOf(path);
  return length !== [...value].length;
}
