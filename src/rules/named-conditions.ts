/**
 * named-conditions - the `conditions:` of a file: blocks that would stand under `when`, asked by name.
 *
 *     conditions:
 *       from-a-robot: { any: [ { envelope_from: { empty: true } }, { header: { name: Precedence, is: bulk } } ] }
 *     rules:
 *       - name: no-robots
 *         when: { condition: from-a-robot }
 *
 * A name can stand wherever a condition can, also in another block, but no block leads back to itself.
 */
import { nearest } from '../yaml/suggest.ts';
import { SET_NAME } from './members.ts';
import type { FileTree, WhenTree } from './parse.ts';
import type { Source } from './source.ts';

type Reference = WhenTree & { readonly kind: 'named' };

/** Names that stand for nothing, blocks that lead back to themselves, and blocks that nobody asks. */
export function checkConditions(source: Source, { conditions, rules }: FileTree): void {
  const asked = rules.flatMap(({ when, unless }) => [...referencesIn(when), ...referencesIn(unless)]);
  const all = [...asked, ...[...conditions.values()].flatMap(({ when }) => referencesIn(when))];
  for (const { name, path } of all) {
    if (conditions.has(name)) continue;
    const near = nearest(name, [...conditions.keys()]);
    const hint = near === null ? `add it under conditions: ${name}: { always: true }` : `write ${near}`;
    source.report('E_REFERENCE', `no condition is called "${name}"`, hint, path);
  }
  for (const [name, { path, when }] of conditions) {
    if (!SET_NAME.test(name)) {
      const hint = 'use letters, digits, - and _, and begin with a letter';
      source.report('E_VALUE', `"${name}" cannot be the name of a condition`, hint, path, 'key');
    }
    const circle = referencesIn(when).find((reference) => leadsTo(name, reference.name, conditions, new Set()));
    if (circle !== undefined) {
      source.report('E_REFERENCE', `the condition "${name}" leads back to itself`, 'take it out here', circle.path);
    } else if (!all.some((reference) => reference.name === name)) {
      const hint = `take it out, or ask it with condition: ${name}`;
      source.report('W_UNUSED', `nobody asks the condition "${name}"`, hint, path, 'key');
    }
  }
}

function leadsTo(goal: string, from: string, conditions: FileTree['conditions'], seen: Set<string>): boolean {
  if (from === goal) return true;
  if (seen.has(from)) return false;
  seen.add(from);
  return referencesIn(conditions.get(from)?.when ?? null).some(({ name }) => leadsTo(goal, name, conditions, seen));
}

function referencesIn(tree: WhenTree | null): readonly Reference[] {
  if (tree === null || tree.kind === 'condition') return [];
  if (tree.kind === 'named') return [tree];
  return tree.kind === 'not' ? referencesIn(tree.child) : tree.children.flatMap(referencesIn);
}
