/**
 * parse - the document of one file as a tree of rules, conditions and actions, each with its path.
 *
 * Shapes only: which keys there are and what they lead to. What a condition or an action makes of its argument is asked
 * in compile.ts. A part that is wrong is reported and left out of the tree, so that all problems are found at once.
 */
import { z } from 'zod';
import { ROLES, type Role } from '../core/facts.ts';
import type { YamlPath, YamlValue } from '../yaml/load.ts';
import { listOf, text } from '../yaml/scalar.ts';
import { instead, nearest } from '../yaml/suggest.ts';
import { valueAt } from '../yaml/tree.ts';
import type { Action } from './action.ts';
import type { Condition } from './condition.ts';
import type { TrustedServer } from './env.ts';
import {
  combinations,
  FILE_KINDS,
  type FileKind,
  fileSchemas,
  ifTooCostly,
  ruleKeys,
  ruleSchemas,
} from './file-schema.ts';
import { actionMeant, listMeant, noConditionMeant, ruleKeyMeant, whenMeant } from './meant.ts';
import { actions, conditions } from './registry.ts';
import type { IfTooCostly, Layer } from './ruleset.ts';
import { isList, isMapping, kindOf, type Source, type YamlMapping } from './source.ts';

export type WhenTree =
  | { readonly kind: 'all' | 'any'; readonly path: YamlPath; readonly children: readonly WhenTree[] }
  | { readonly kind: 'not'; readonly path: YamlPath; readonly child: WhenTree }
  | { readonly kind: 'named'; readonly path: YamlPath; readonly name: string }
  | { readonly kind: 'condition'; readonly path: YamlPath; readonly condition: Condition };

/** One entry of `conditions:`; `when` is null where it could not be read. */
export interface NamedTree {
  readonly path: YamlPath;
  readonly when: WhenTree | null;
}

export interface ActionTree {
  readonly path: YamlPath;
  readonly action: Action;
}

export interface RuleTree {
  readonly path: YamlPath;
  readonly layer: Layer;
  readonly name: string;
  readonly roles: readonly Role[];
  /** Whether a list may skip it. */
  readonly overridable: boolean;
  /** False for a rule that a parameter of its preset turns off. */
  readonly enabled: boolean;
  /** `mode: shadow`: it is asked and decides nothing. `until`: the last day of that, YYYY-MM-DD. */
  readonly shadow: { readonly until: string | null } | null;
  readonly when: WhenTree | null;
  readonly unless: WhenTree | null;
  readonly actions: readonly ActionTree[];
}

export interface FileTree {
  /** The address that the file says it is for. */
  readonly list: string | null;
  /** The presets whose rules stand before the list's own, in order. */
  readonly extends: readonly string[];
  /** The rules of the system that the list goes without. */
  readonly skip: readonly string[];
  /** Whose Authentication-Results the system believes. */
  readonly trustResultsFrom: readonly TrustedServer[];
  /** null where the file does not say. */
  readonly ifTooCostly: IfTooCostly | null;
  readonly sets: readonly { readonly name: string; readonly path: YamlPath; readonly value: YamlValue }[];
  readonly conditions: ReadonlyMap<string, NamedTree>;
  readonly rules: readonly RuleTree[];
  /** What stands under `tests`; read in case-read.ts. */
  readonly cases: YamlValue | undefined;
}

/** Which roles a rule is for that does not say. */
const DEFAULT_ROLES: Readonly<Record<FileKind, readonly Role[]>> = {
  system: ROLES,
  list: ['post'],
  preset: ['post'],
};

const LAYERS: Readonly<Record<FileKind, readonly Layer[]>> = {
  system: ['before', 'after'],
  list: ['rules'],
  preset: ['rules'],
};
const MOST_CONDITIONS = 100;

const names = listOf(text);
const keysOf = ({ shape }: { readonly shape: object }): readonly string[] => Object.keys(shape);

/** Made once: to make a schema costs more than to read with it. */
const head = z.object({ version: z.literal('1') });
const listName = z.string();

export function parseFile(source: Source, kind: FileKind): FileTree {
  const root = source.document.value;
  if (!isMapping(root)) {
    source.report('E_TYPE', `expected a mapping, found ${kindOf(root)}`, 'a file begins with version: 1', []);
    const nothing = { list: null, ifTooCostly: null, trustResultsFrom: [], extends: [], skip: [], sets: [], rules: [] };
    return { ...nothing, conditions: new Map(), cases: undefined };
  }
  for (const key of Object.keys(root)) {
    const known = keysOf(fileSchemas[kind]);
    if (known.includes(key)) continue;
    const other = FILE_KINDS.find((one) => keysOf(fileSchemas[one]).includes(key));
    if (other === undefined) source.unknownKey([], key, known);
    else reportOtherKind(source, other, key);
  }
  source.read(head, []);
  return {
    list: kind === 'list' && root['list'] !== undefined ? source.read(listName, ['list']) : null,
    extends: namesAt(source, kind, root, 'extends'),
    skip: namesAt(source, kind, root, 'skip'),
    trustResultsFrom:
      kind === 'system' && root['trust_results_from'] !== undefined
        ? (source.read(fileSchemas.system.shape.trust_results_from, ['trust_results_from']) ?? [])
        : [],
    ifTooCostly: root['if_too_costly'] === undefined ? null : source.read(ifTooCostly, ['if_too_costly']),
    sets: parseSets(source, root['sets']),
    conditions: parseConditions(source, root['conditions']),
    rules: LAYERS[kind].flatMap((layer) => parseRules(source, kind, layer, root[layer])),
    cases: root['tests'],
  };
}

/** Names under a key that is for lists. */
function namesAt(source: Source, kind: FileKind, root: YamlMapping, key: string): readonly string[] {
  return kind !== 'list' || root[key] === undefined ? [] : (source.read(names, [key]) ?? []);
}

const KIND_WORDS: Readonly<Record<FileKind, string>> = {
  system: 'the file of the system',
  list: 'the files of lists',
  preset: 'presets',
};

function reportOtherKind(source: Source, other: FileKind, key: string): void {
  const message = `\`${key}\` is for ${KIND_WORDS[other]}`;
  const hints: Readonly<Record<string, string>> = {
    rules: 'write before or after, or move it to the file of a list',
    before: 'write rules',
    after: 'write rules',
  };
  source.report('E_UNKNOWN_KEY', message, hints[key] ?? 'take it out', [key], 'key');
}

function parseSets(source: Source, value: YamlValue | undefined): FileTree['sets'] {
  if (value === undefined) return [];
  if (isMapping(value)) return Object.entries(value).map(([name, set]) => ({ name, path: ['sets', name], value: set }));
  source.report('E_TYPE', `expected a mapping, found ${kindOf(value)}`, 'write a name and its values', ['sets']);
  return [];
}

function parseConditions(source: Source, value: YamlValue | undefined): FileTree['conditions'] {
  if (value === undefined) return new Map();
  if (!isMapping(value)) {
    const hint = 'write a name and, behind it, what would stand under `when`';
    source.report('E_TYPE', `expected a mapping, found ${kindOf(value)}`, hint, ['conditions']);
    return new Map();
  }
  const entries = Object.entries(value);
  const [first] = entries[MOST_CONDITIONS] ?? [];
  if (first !== undefined) {
    const message = `a file has at most ${MOST_CONDITIONS} named conditions, this one ${entries.length}`;
    source.report('E_TOO_MANY', message, 'name what several rules ask', ['conditions', first], 'key');
  }
  return new Map(
    entries.slice(0, MOST_CONDITIONS).map(([name, when]) => {
      const path = ['conditions', name];
      return [name, { path, when: parseWhen(source, when, path) }];
    }),
  );
}

function parseRules(source: Source, kind: FileKind, layer: Layer, value: YamlValue | undefined): readonly RuleTree[] {
  if (value === undefined) return [];
  if (!isList(value)) {
    source.report('E_TYPE', `expected a list, found ${kindOf(value)}`, 'begin each rule with "- name:"', [layer]);
    return [];
  }
  return value.flatMap((rule, index) => parseRule(source, kind, layer, rule, [layer, index]) ?? []);
}

function parseRule(source: Source, kind: FileKind, layer: Layer, rule: YamlValue, path: YamlPath): RuleTree | null {
  if (!isMapping(rule)) {
    source.report('E_TYPE', `expected a mapping, found ${kindOf(rule)}`, 'a rule has name, when and then', path);
    return null;
  }
  const keys = keysOf(ruleSchemas[kind]);
  const unknown = Object.keys(rule).filter((key) => !keys.includes(key));
  for (const key of unknown) {
    const said = ruleKeyMeant(key);
    if (said === null) source.unknownKey(path, key, keys);
    else source.report('E_UNKNOWN_KEY', said.message, said.hint, [...path, key], 'key');
  }
  const missing = (key: string, hint: string): void => {
    const mistyped = unknown.some((other) => nearest(other, keys) === key || ruleKeyMeant(other)?.under === key);
    if (rule[key] === undefined && !mistyped) source.report('E_MISSING_KEY', `the rule has no \`${key}\``, hint, path);
  };
  missing('name', 'add a name; logs and traces show it');
  missing('when', 'for a rule without a condition write when: { always: true }');
  missing('then', 'say what happens');
  const name = rule['name'] === undefined ? null : source.read(ruleKeys.name, [...path, 'name']);
  const roles = rule['roles'] === undefined ? null : source.read(ruleKeys.roles, [...path, 'roles']);
  const overridable =
    rule['overridable'] === undefined ? null : source.read(ruleKeys.overridable, [...path, 'overridable']);
  const enabled = rule['enabled'] === undefined ? null : source.read(ruleKeys.enabled, [...path, 'enabled']);
  const clause = (key: string): WhenTree | null =>
    rule[key] === undefined ? null : parseWhen(source, rule[key], [...path, key]);
  return {
    path,
    layer,
    name: name ?? '',
    roles: roles ?? DEFAULT_ROLES[kind],
    overridable: overridable ?? false,
    enabled: enabled ?? true,
    shadow: parseShadow(source, rule, path),
    when: clause('when'),
    unless: clause('unless'),
    actions: rule['then'] === undefined ? [] : parseThen(source, rule['then'], [...path, 'then']),
  };
}

/** `mode: enforce` is what a rule does that does not say. */
function parseShadow(source: Source, rule: YamlMapping, path: YamlPath): RuleTree['shadow'] {
  const said = rule['mode'] === undefined ? null : source.read(ruleKeys.mode, [...path, 'mode']);
  const until = rule['until'] === undefined ? null : source.read(ruleKeys.until, [...path, 'until']);
  if (said === 'shadow') return { until: until ?? null };
  if (until !== null && (said === 'enforce' || rule['mode'] === undefined)) {
    source.report(
      'E_VALUE',
      '`until` is for shadow rules',
      'add mode: shadow, or take it out',
      [...path, 'until'],
      'key',
    );
  }
  return null;
}

/** All keys of the mapping must hold. */
function parseWhen(source: Source, value: YamlValue, path: YamlPath): WhenTree | null {
  if (!isMapping(value)) {
    source.report('E_TYPE', `expected conditions, found ${kindOf(value)}`, whenMeant(value), path);
    return null;
  }
  const keys = Object.keys(value);
  if (keys.length === 0) {
    source.report(
      'E_EMPTY',
      'there is no condition here',
      'for a rule without a condition write { always: true }',
      path,
    );
  }
  const children = keys.flatMap((key) => parseClause(source, value, key, path) ?? []);
  // What could not be read holds for nobody, not for all.
  if (keys.length > 0 && children.length === 0) return null;
  const [only, ...more] = children;
  return only !== undefined && more.length === 0 ? only : { kind: 'all', path, children };
}

function parseClause(source: Source, parent: YamlMapping, key: string, above: YamlPath): WhenTree | null {
  const path = [...above, key];
  const value = parent[key] ?? '';
  const condition = conditions.get(key);
  if (condition !== undefined) return { kind: 'condition', path, condition };
  if (key === 'not') {
    const child = parseWhen(source, value, path);
    return child && { kind: 'not', path, child };
  }
  if (key === 'all' || key === 'any') return parseCombination(source, key, value, path);
  if (key === 'condition') return parseNames(source, value, path);
  if (key === 'sender') {
    const hint = 'say `author` (From:) or `envelope_from` (MAIL FROM)';
    source.report('E_UNKNOWN_KEY', 'a message has no one sender', hint, path, 'key');
    return null;
  }
  if (valueAt(source.document.value, ['conditions', key]) !== undefined) {
    const message = `"${key}" is the name of a condition`;
    source.report('E_UNKNOWN_KEY', message, `write condition: ${key}`, path, 'key');
    return null;
  }
  if (Object.hasOwn(ruleKeys, key)) {
    const message = `\`${key}\` belongs to the rule, not to its conditions`;
    source.report('E_UNKNOWN_KEY', message, 'write it as far to the left as `when`', path, 'key');
    return null;
  }
  const known = [...conditions.keys(), ...Object.keys(combinations)];
  const near = nearest(key, known);
  const field = key.replaceAll('_', '-').replace(/\b[a-z]/g, (letter) => letter.toUpperCase());
  const hint =
    noConditionMeant(key) ??
    (near === null
      ? `for a header field write header: { name: ${field}, exists: true }; docs/reference.md has all conditions`
      : `did you mean "${near}"?`);
  source.report('E_UNKNOWN_KEY', `no condition is called "${key}"`, hint, path, 'key');
  return null;
}

function parseCombination(source: Source, kind: 'all' | 'any', value: YamlValue, path: YamlPath): WhenTree | null {
  if (!isList(value)) {
    source.report('E_TYPE', `expected a list of conditions, found ${kindOf(value)}`, listMeant(kind, value), path);
    return null;
  }
  if (value.length === 0) source.report('E_EMPTY', 'there is no condition here', 'list at least one', path);
  const children = value.flatMap((child, index) => parseWhen(source, child, [...path, index]) ?? []);
  return { kind, path, children };
}

/** `condition: NAME`, or a list of names of which any must hold. */
function parseNames(source: Source, value: YamlValue, path: YamlPath): WhenTree | null {
  if (typeof value === 'string') return { kind: 'named', path, name: value };
  const children = source
    .read(names, path)
    ?.map((name, index): WhenTree => ({ kind: 'named', path: [...path, index], name }));
  return children === undefined ? null : { kind: 'any', path, children };
}

function parseThen(source: Source, value: YamlValue, path: YamlPath): readonly ActionTree[] {
  if (!isList(value)) return parseAction(source, value, path);
  if (value.length === 0) source.report('E_EMPTY', 'there is no action here', 'say what happens', path);
  return value.flatMap((item, index) => parseAction(source, item, [...path, index]));
}

function parseAction(source: Source, item: YamlValue, path: YamlPath): readonly ActionTree[] {
  const known = [...actions.keys()];
  if (typeof item === 'string') return parseBareAction(source, item, path, known);
  if (!isMapping(item)) {
    source.report('E_TYPE', `expected an action, found ${kindOf(item)}`, 'write one like reject: "text"', path);
    return [];
  }
  const named = Object.keys(item).flatMap((key) => actions.get(key) ?? []);
  const [action, second] = named;
  if (action === undefined) {
    for (const key of Object.keys(item)) {
      const said = key === 'status' ? ruleKeyMeant(key) : null;
      if (said === null) source.unknownKey(path, key, known);
      else source.report('E_UNKNOWN_KEY', '`status` is no action', said.hint, [...path, key], 'key');
    }
    if (Object.keys(item).length === 0) source.report('E_EMPTY', 'there is no action here', 'say what happens', path);
    return [];
  }
  if (second !== undefined) {
    const message = `\`${action.name}\` and \`${second.name}\` in one item of \`then\``;
    source.report(
      'E_ACTION_ORDER',
      message,
      'make `then` a list with an item for each action',
      [...path, second.name],
      'key',
    );
    return [];
  }
  return [{ path, action }];
}

/** An action as a word alone, such as `then: relay`. */
function parseBareAction(
  source: Source,
  word: string,
  path: YamlPath,
  known: readonly string[],
): readonly ActionTree[] {
  const action = actions.get(word);
  if (action?.argument.safeParse(word).success) return [{ path, action }];
  if (action !== undefined) {
    source.report('E_TYPE', `\`${word}\` needs a value`, `write ${action.examples[0]?.yaml}`, path);
    return [];
  }
  const hint = actionMeant(word) ?? instead(word, known, 'known here');
  source.report('E_VALUE', `no action is called "${word}"`, hint, path);
  return [];
}
