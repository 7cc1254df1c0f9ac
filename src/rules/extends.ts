/**
 * extends - the presets that a list names, and what it gives them.
 *
 *     extends: members-only
 *     with: { members: { file: rosters/gardeners.txt }, strangers: reject }
 *
 * A list that extends several presets gives a value to each of them that has a parameter of that name, or to one alone
 * under the preset's name: `with: { size-limit: { limit: 5 MB } }`.
 */
import type { DiagnosticCode } from '../core/diagnostic.ts';
import { quoted } from '../yaml/guards.ts';
import type { YamlPath, YamlValue } from '../yaml/load.ts';
import { nearest } from '../yaml/suggest.ts';
import { valueAt } from '../yaml/tree.ts';
import type { Parameter } from './parameters.ts';
import type { FileTree } from './parse.ts';
import type { Preset, Presets } from './preset.ts';
import { isList, isMapping, type Source } from './source.ts';

/** Null for a preset that there is not; that was reported then. */
export function findPresets(source: Source, tree: FileTree, known: Presets | null): readonly (Preset | null)[] {
  if (tree.extends.length === 0 && isMapping(source.document.value) && source.document.value['with'] !== undefined) {
    source.report('E_MISSING_KEY', '`with` without a preset', 'name one with extends, or take it out', ['with'], 'key');
  }
  return tree.extends.map((name, index) => {
    const report = (code: DiagnosticCode, message: string, hint: string): null => {
      source.report(code, message, hint, ['extends', index]);
      return null;
    };
    if (tree.extends.indexOf(name) < index) {
      return report('E_DUPLICATE_NAME', `the list extends "${name}" already`, 'take it out');
    }
    const preset = known?.get(name);
    if (preset !== undefined) return preset;
    const near = nearest(name, [...(known?.keys() ?? [])]);
    const names = known === null || known.size === 0 ? 'there are none' : `known here: ${[...known.keys()].join(', ')}`;
    if (known === null) {
      const hint = 'say in the configuration where they are: rules: { presets: rules/presets }';
      return report('E_REFERENCE', `no preset is called "${name}"`, hint);
    }
    return report('E_REFERENCE', `no preset is called "${name}"`, near === null ? names : `did you mean "${near}"?`);
  });
}

/** Where the list gives a value for a parameter: for the preset alone, or for all that have one of that name. */
export function givenPath(source: Source, preset: string, name: string): YamlPath | null {
  const paths: readonly YamlPath[] = [
    ['with', preset, name],
    ['with', name],
  ];
  return paths.find((path) => valueAt(source.document.value, path) !== undefined) ?? null;
}

/** Keys of `with` that are no parameter of any preset that the list extends. */
export function checkWith(source: Source, presets: readonly Preset[]): void {
  const given = valueAt(source.document.value, ['with']);
  if (given === undefined) return;
  if (!isMapping(given)) {
    source.report('E_TYPE', 'expected a mapping', 'write with: { parameter: value }', ['with']);
    return;
  }
  const unknown = (path: YamlPath, key: string, known: readonly string[]): void => {
    const near = nearest(key, known);
    const all = known.length === 0 ? 'take it out: there are none' : `known here: ${known.join(', ')}`;
    const hint = near === null ? all : `did you mean "${near}"?`;
    source.report('E_UNKNOWN_KEY', `no parameter is called "${key}"`, hint, [...path, key], 'key');
  };
  for (const [key, value] of Object.entries(given)) {
    const preset = presets.find(({ name }) => name === key);
    if (preset !== undefined && isMapping(value)) {
      const known = [...preset.parameters.keys()];
      for (const inner of Object.keys(value)) if (!known.includes(inner)) unknown(['with', key], inner, known);
    } else if (preset !== undefined) {
      const hint = `write ${key}: { parameter: value }`;
      source.report('E_TYPE', `expected a mapping: "${key}" is a preset`, hint, ['with', key]);
    } else {
      const known = presets.flatMap(({ parameters }) => [...parameters.keys()]);
      if (!known.includes(key)) unknown(['with'], key, [...new Set(known)]);
    }
  }
}

/** Tells that a list must give a value. */
export function reportMissing(source: Source, at: YamlPath, preset: Preset, name: string, parameter: Parameter): void {
  const message = `the preset "${preset.name}" needs \`${name}\`: ${parameter.description}`;
  const path = valueAt(source.document.value, ['with']) === undefined ? at : ['with'];
  const written = `${name}: ${inFlow(parameter.example ?? '…')}`;
  const hint = path === at ? `add with: { ${written} }` : `add ${written}`;
  source.report('E_MISSING_KEY', message, hint, path, path === at ? 'value' : 'key');
}

/** A value as it can be written on one line. */
function inFlow(value: YamlValue): string {
  if (typeof value === 'string') return /^[A-Za-z0-9][\w@./ -]*$/.test(value) ? value : quoted(value);
  if (isList(value)) return `[${value.map(inFlow).join(', ')}]`;
  const entries = Object.entries(value).map(([key, inner]) => `${key}: ${inFlow(inner)}`);
  return `{ ${entries.join(', ')} }`;
}
