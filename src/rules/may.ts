/**
 * may - what the files of lists may do, by the configuration: which actions and conditions, and how much of them.
 *
 * Where the configuration names none: all that is not for the system's rules alone, that is, what can only tighten or tag
 * the list's own mail. What is named may be used though it is for the system otherwise: so a site delegates. Presets are
 * the site's own, so their rules are bound by none of this.
 */
import type { Diagnostic } from '../core/diagnostic.ts';
import type { YamlPath, YamlValue } from '../yaml/load.ts';
import { wholeFile } from '../yaml/place.ts';
import { nearest } from '../yaml/suggest.ts';
import { valueAt } from '../yaml/tree.ts';
import type { Condition } from './condition.ts';
import type { FileTree, WhenTree } from './parse.ts';
import type { PartSpec } from './part.ts';
import { actions, conditions } from './registry.ts';
import { isList, isMapping, type Source } from './source.ts';

export interface ListsMay {
  /** Null for all that are not for the system alone. */
  readonly actions: readonly string[] | null;
  readonly conditions: readonly string[] | null;
  readonly regex: boolean;
  /** How many rules and sets a file has. */
  readonly rules: number;
  readonly sets: number;
  /** Octets of all patterns of a file together. */
  readonly patterns: number;
}

/** Without bounds of the configuration. */
export const TIGHTEN_ONLY: ListsMay = {
  actions: null,
  conditions: null,
  regex: true,
  rules: Number.POSITIVE_INFINITY,
  sets: Number.POSITIVE_INFINITY,
  patterns: Number.POSITIVE_INFINITY,
};

/** Names that are no action or condition; `file` is that of the configuration. */
export function checkNames(may: ListsMay, file: string): readonly Diagnostic[] {
  const unknown = (key: string, names: readonly string[] | null, parts: ReadonlyMap<string, unknown>) =>
    (names ?? [])
      .filter((name) => !parts.has(name))
      .map((name): Diagnostic => {
        const near = nearest(name, [...parts.keys()]);
        const hint = near === null ? `known here: ${[...parts.keys()].join(', ')}` : `did you mean "${near}"?`;
        const message = `rules.may.${key} names "${name}", which there is not`;
        return { code: 'E_REFERENCE', message, hint, place: wholeFile(file) };
      });
  return [...unknown('actions', may.actions, actions), ...unknown('conditions', may.conditions, conditions)];
}

/** Reports what a list's file does and may not. */
export function checkMay(source: Source, tree: FileTree, may: ListsMay): void {
  const asked = [
    ...tree.rules.flatMap(({ when, unless }) => [...conditionsOf(when), ...conditionsOf(unless)]),
    ...[...tree.conditions.values()].flatMap(({ when }) => conditionsOf(when)),
  ];
  for (const { condition, path } of asked) checkPart(source, condition, path, may.conditions, 'ask ');
  for (const { action, path } of tree.rules.flatMap((rule) => rule.actions)) {
    checkPart(source, action, path, may.actions, '');
  }
  checkPatterns(
    source,
    asked.flatMap(({ path }) => patternsAt(source, path)),
    may,
  );
  checkCount(source, 'rules', tree.rules, may.rules);
  checkCount(source, 'sets', tree.sets, may.sets);
}

function checkPart(
  source: Source,
  part: Pick<PartSpec<unknown>, 'name' | 'systemOnly'>,
  path: YamlPath,
  allowed: readonly string[] | null,
  verb: string,
): void {
  if (allowed === null ? part.systemOnly !== true : allowed.includes(part.name)) return;
  const isKey = verb !== '';
  const delegate = isKey ? '' : ', or have the site allow it: rules.may.actions';
  const [message, hint] =
    allowed === null || part.systemOnly === true
      ? [`only rules of the system may ${verb}\`${part.name}\``, `take it out${delegate}`]
      : [
          `on this site the rules of lists may not ${verb}\`${part.name}\``,
          `they may ${verb}${allowed.join(', ') || 'nothing'}`,
        ];
  source.report('E_NOT_ALLOWED', message, hint, path, isKey ? 'key' : 'value');
}

function checkCount(
  source: Source,
  what: 'rules' | 'sets',
  parts: readonly { readonly path: YamlPath }[],
  most: number,
): void {
  const first = parts[most];
  if (first === undefined) return;
  const message = `on this site the file of a list has at most ${most} ${what}, this one ${parts.length}`;
  const hint = what === 'rules' ? 'values belong into a set, not into rules of their own' : 'put several sets into one';
  source.report('E_NOT_ALLOWED', message, hint, first.path, what === 'sets' ? 'key' : 'value');
}

interface Pattern {
  readonly path: YamlPath;
  readonly octets: number;
}

function checkPatterns(source: Source, patterns: readonly Pattern[], may: ListsMay): void {
  let sum = 0;
  for (const { path, octets } of patterns) {
    if (!may.regex) {
      const hint = 'say it with contains, starts_with, ends_with or like';
      source.report('E_NOT_ALLOWED', 'on this site the rules of lists may not use `regex`', hint, path, 'key');
    }
    sum += octets;
    if (sum <= may.patterns || sum - octets > may.patterns) continue;
    const message = `on this site the patterns of a list have at most ${may.patterns} octets together; this one goes beyond`;
    source.report('E_NOT_ALLOWED', message, 'take some out, or say them with contains or like', path, 'key');
  }
}

/** Each `regex` in the argument of a condition, however deep. */
function patternsAt(source: Source, path: YamlPath): readonly Pattern[] {
  const search = (value: YamlValue, at: YamlPath): readonly Pattern[] => {
    if (isList(value)) return value.flatMap((item, index) => search(item, [...at, index]));
    if (!isMapping(value)) return [];
    return Object.entries(value).flatMap(([key, inner]) =>
      key === 'regex' ? [{ path: [...at, key], octets: octetsOf(inner) }] : search(inner, [...at, key]),
    );
  };
  return search(valueAt(source.document.value, path) ?? '', path);
}

function octetsOf(value: YamlValue): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  return isList(value) ? value.reduce((sum, item) => sum + octetsOf(item), 0) : 0;
}

interface Asked {
  readonly path: YamlPath;
  readonly condition: Condition;
}

function conditionsOf(tree: WhenTree | null): readonly Asked[] {
  if (tree === null || tree.kind === 'named') return [];
  if (tree.kind === 'condition') return [tree];
  return tree.kind === 'not' ? conditionsOf(tree.child) : tree.children.flatMap(conditionsOf);
}
