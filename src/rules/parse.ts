/**
 * parse - the document of one file as a tree of rules, conditions and actions, each with its path.
 *
 * Shapes only: which keys there are and what they lead to. What a condition or an action makes of its argument is asked
 * in compile.ts. A part that is wrong is reported and left out of the tree, so that all problems are found at once.
 */
import { z } from 'zod';
import { ROLES, type Role } from '../core/facts.ts';
import type { YamlPath, YamlValue } from '../yaml/load.ts';
import { listOf, scalar } from '../yaml/scalar.ts';
import { nearest } from '../yaml/suggest.ts';
import type { Action } from './action.ts';
import type { Condition } from './condition.ts';
import type { Scope } from './env.ts';
import { actions, conditions } from './registry.ts';
import type { Layer } from './ruleset.ts';
import { isList, isMapping, kindOf, type Source, type YamlMapping } from './source.ts';

export type WhenTree =
  | { readonly kind: 'all' | 'any'; readonly path: YamlPath; readonly children: readonly WhenTree[] }
  | { readonly kind: 'not'; readonly path: YamlPath; readonly child: WhenTree }
  | { readonly kind: 'condition'; readonly path: YamlPath; readonly condition: Condition };

export interface ActionTree {
  readonly path: YamlPath;
  readonly action: Action;
}

export interface RuleTree {
  readonly path: YamlPath;
  readonly layer: Layer;
  readonly name: string;
  readonly roles: readonly Role[];
  readonly when: WhenTree | null;
  readonly unless: WhenTree | null;
  readonly actions: readonly ActionTree[];
}

export interface FileTree {
  /** The address that the file says it is for. */
  readonly list: string | null;
  /** The authserv-ids that the system trusts, in lower case. */
  readonly trustResultsFrom: readonly string[];
  readonly sets: readonly { readonly name: string; readonly path: YamlPath; readonly value: YamlValue }[];
  readonly rules: readonly RuleTree[];
}

/** Which roles a rule is for that does not say. */
const DEFAULT_ROLES: Readonly<Record<Scope, readonly Role[]>> = { system: ROLES, list: ['post'] };

const FILE_KEYS: Readonly<Record<Scope, readonly string[]>> = {
  system: ['version', 'trust_results_from', 'sets', 'before', 'after'],
  list: ['version', 'list', 'sets', 'rules'],
};
const LAYERS: Readonly<Record<Scope, readonly Layer[]>> = { system: ['before', 'after'], list: ['rules'] };
const RULE_KEYS = ['name', 'roles', 'when', 'unless', 'then'];
const COMBINATIONS = ['all', 'any', 'not'];

const ruleName = scalar('name', ['members-only'], (source) => {
  if (/^[A-Za-z0-9][\w.-]{0,63}$/.test(source)) return { value: source };
  const hint = 'use up to 64 letters, digits, -, _ and . like members-only';
  return { problem: { code: 'E_VALUE', message: `"${source}" cannot be the name of a rule`, hint } };
});

const authservId = scalar('authserv-id', ['mx.example.org'], (text) => {
  if (/^[^\s;()="]{1,255}$/.test(text)) return { value: text.toLowerCase() };
  const hint = 'write the name that stands first in its Authentication-Results: mx.example.org';
  return { problem: { code: 'E_VALUE', message: `"${text}" is not an authserv-id`, hint } };
});

export function parseFile(source: Source, scope: Scope): FileTree {
  const root = source.document.value;
  if (!isMapping(root)) {
    source.report('E_TYPE', `expected a mapping, found ${kindOf(root)}`, 'a file begins with version: 1', []);
    return { list: null, trustResultsFrom: [], sets: [], rules: [] };
  }
  for (const key of Object.keys(root)) {
    if (FILE_KEYS[scope].includes(key)) continue;
    if (FILE_KEYS[scope === 'system' ? 'list' : 'system'].includes(key)) reportOtherScope(source, scope, key);
    else source.unknownKey([], key, FILE_KEYS[scope]);
  }
  source.read(z.object({ version: z.literal('1') }), []);
  return {
    list: scope === 'list' && root['list'] !== undefined ? source.read(z.string(), ['list']) : null,
    trustResultsFrom:
      scope === 'system' && root['trust_results_from'] !== undefined
        ? (source.read(listOf(authservId), ['trust_results_from']) ?? [])
        : [],
    sets: parseSets(source, root['sets']),
    rules: LAYERS[scope].flatMap((layer) => parseRules(source, scope, layer, root[layer])),
  };
}

function reportOtherScope(source: Source, scope: Scope, key: string): void {
  const message =
    scope === 'system' ? `\`${key}\` is for the files of lists` : `\`${key}\` is for the file of the system`;
  const hint = scope === 'system' ? 'write before or after, or move it to the file of a list' : 'write rules';
  const ofOne = key === 'list' || key === 'trust_results_from';
  source.report('E_UNKNOWN_KEY', message, ofOne ? 'take it out' : hint, [key], 'key');
}

function parseSets(source: Source, value: YamlValue | undefined): FileTree['sets'] {
  if (value === undefined) return [];
  if (isMapping(value)) return Object.entries(value).map(([name, set]) => ({ name, path: ['sets', name], value: set }));
  source.report('E_TYPE', `expected a mapping, found ${kindOf(value)}`, 'write a name and its values', ['sets']);
  return [];
}

function parseRules(source: Source, scope: Scope, layer: Layer, value: YamlValue | undefined): readonly RuleTree[] {
  if (value === undefined) return [];
  if (!isList(value)) {
    source.report('E_TYPE', `expected a list, found ${kindOf(value)}`, 'begin each rule with "- name:"', [layer]);
    return [];
  }
  return value.flatMap((rule, index) => parseRule(source, scope, layer, rule, [layer, index]) ?? []);
}

function parseRule(source: Source, scope: Scope, layer: Layer, rule: YamlValue, path: YamlPath): RuleTree | null {
  if (!isMapping(rule)) {
    source.report('E_TYPE', `expected a mapping, found ${kindOf(rule)}`, 'a rule has name, when and then', path);
    return null;
  }
  const unknown = Object.keys(rule).filter((key) => !RULE_KEYS.includes(key));
  for (const key of unknown) source.unknownKey(path, key, RULE_KEYS);
  const missing = (key: string, hint: string): void => {
    const mistyped = unknown.some((other) => nearest(other, RULE_KEYS) === key);
    if (rule[key] === undefined && !mistyped) source.report('E_MISSING_KEY', `the rule has no \`${key}\``, hint, path);
  };
  missing('name', 'add a name; logs and traces show it');
  missing('when', 'for a rule without a condition write when: { always: true }');
  missing('then', 'say what happens');
  const name = rule['name'] === undefined ? null : source.read(ruleName, [...path, 'name']);
  const roles = rule['roles'] === undefined ? null : source.read(listOf(z.enum(ROLES)), [...path, 'roles']);
  const clause = (key: string): WhenTree | null =>
    rule[key] === undefined ? null : parseWhen(source, rule[key], [...path, key]);
  return {
    path,
    layer,
    name: name ?? '',
    roles: roles ?? DEFAULT_ROLES[scope],
    when: clause('when'),
    unless: clause('unless'),
    actions: rule['then'] === undefined ? [] : parseThen(source, rule['then'], [...path, 'then']),
  };
}

/** All keys of the mapping must hold. */
function parseWhen(source: Source, value: YamlValue, path: YamlPath): WhenTree | null {
  if (!isMapping(value)) {
    const hint = isList(value)
      ? 'put the list under all: or any:'
      : 'write a condition and its value, like { always: true }';
    source.report('E_TYPE', `expected conditions, found ${kindOf(value)}`, hint, path);
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
  if (key === 'sender') {
    const hint = 'say `author` (From:) or `envelope_from` (MAIL FROM)';
    source.report('E_UNKNOWN_KEY', 'a message has no one sender', hint, path, 'key');
    return null;
  }
  source.unknownKey(above, key, [...conditions.keys(), ...COMBINATIONS]);
  return null;
}

function parseCombination(source: Source, kind: 'all' | 'any', value: YamlValue, path: YamlPath): WhenTree | null {
  if (!isList(value)) {
    source.report('E_TYPE', `expected a list of conditions, found ${kindOf(value)}`, 'begin each one with "- "', path);
    return null;
  }
  if (value.length === 0) source.report('E_EMPTY', 'there is no condition here', 'list at least one', path);
  const children = value.flatMap((child, index) => parseWhen(source, child, [...path, index]) ?? []);
  return { kind, path, children };
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
    for (const key of Object.keys(item)) source.unknownKey(path, key, known);
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
  const near = nearest(word, known);
  const hint = near === null ? `known here: ${known.join(', ')}` : `did you mean "${near}"?`;
  source.report('E_VALUE', `no action is called "${word}"`, hint, path);
  return [];
}
