/**
 * load - the text of one file as a ruleset or a preset, or everything that is wrong with it.
 *
 * text -> document (yaml) -> tree (parse) -> rules (compile) -> checked as a whole (check). The presets that a list extends
 * go the same way with the list's values in them (substitute), and their rules stand before the list's own. Warnings do
 * not keep a file from loading. Nothing is read but the text: whether the files of its sets are there is asked later.
 */
import { dirname, resolve } from 'node:path';
import { type Diagnostic, type DiagnosticCode, isWarning, type Place } from '../core/diagnostic.ts';
import { parseAddressEntry } from '../store/address.ts';
import type { Ledger } from '../store/ledger.ts';
import { memoryLedger } from '../store/memory-ledger.ts';
import { loadYaml } from '../yaml/load.ts';
import { nearest } from '../yaml/suggest.ts';
import { valueAt } from '../yaml/tree.ts';
import { type Arguments, type Giver, readArguments } from './arguments.ts';
import { readCases, type RuleCase } from './case-read.ts';
import { checkRules, checkShadows, checkSkip, checkUse } from './check.ts';
import { compileConditions, compileRule, type FileEnv, type NamedClauses } from './compile.ts';
import type { NamedSet, Scope, TrustedServer } from './env.ts';
import { checkWith, findPresets, givenPath, reportMissing } from './extends.ts';
import { type ListsMay, TIGHTEN_ONLY } from './may.ts';
import { SET_NAME } from './members.ts';
import type { FileKind } from './file-schema.ts';
import { type FileTree, parseFile } from './parse.ts';
import type { PatternCache } from './pattern.ts';
import { openPatternFile } from './pattern-file.ts';
import { type Preset, type Presets, readPreset } from './preset.ts';
import type { Layer, Rule, Ruleset } from './ruleset.ts';
import { exampleOf, brokenSet, mayLieAt, type OpenedSet, openSet, type SetSource, setSchema } from './sets.ts';
import { isMapping, ruleOfPreset, Source } from './source.ts';
import { substitute } from './substitute.ts';

export interface LoadOptions {
  /** As it shall stand in diagnostics; the files of sets are relative to its folder. */
  readonly file: string;
  readonly text: string;
  readonly scope: Scope;
  /** The list whose file it is by its place; null for the system's file and for a domain's default. */
  readonly list: string | null;
  readonly downstreams: readonly string[];
  /** Those of them that are Maildirs; none where it is left out. */
  readonly maildirs?: readonly string[];
  /** What the system's file trusts, for the file of a list. */
  readonly trustResultsFrom?: readonly TrustedServer[];
  readonly patterns: PatternCache;
  /** What rules remember between transactions; without it they remember as long as the ruleset lives. */
  readonly ledger?: Ledger;
  /** The system's rules in force, for a list's `skip`. */
  readonly system?: Ruleset | null;
  /** For a list's `extends`; null where the site has none. */
  readonly presets?: Presets | null;
  /** For a list's file. */
  readonly may?: ListsMay;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** How its named sets are opened; while its cases run they hold what each case gives. */
  readonly open?: (name: string, source: SetSource) => OpenedSet;
}

/** A file that a set or a condition reads. */
export interface SetFile {
  readonly path: string;
  readonly place: Place;
  readonly holds: 'addresses' | 'patterns';
}

export interface LoadedRuleset {
  /** null if there is any error. */
  readonly ruleset: Ruleset | null;
  readonly diagnostics: readonly Diagnostic[];
  readonly setFiles: readonly SetFile[];
  /** The cases beside its rules; they are not run here. */
  readonly cases: readonly RuleCase[];
}

export interface LoadedPreset {
  /** null if there is any error. */
  readonly preset: Preset | null;
  readonly diagnostics: readonly Diagnostic[];
  readonly setFiles: readonly SetFile[];
}

/** Whom the system trusts is not the preset's business; the list that extends it is told. */
const TRUSTED_FOR_A_TRY: readonly TrustedServer[] = [{ name: 'mx.example.org', several: false }];

/** What a ruleset is made with beside its own text. */
type Shared = Pick<LoadOptions, 'downstreams' | 'maildirs' | 'patterns' | 'ledger' | 'now' | 'trustResultsFrom'>;

export function loadRuleset(options: LoadOptions): LoadedRuleset {
  const { file, text, scope } = options;
  const { document, diagnostics } = loadYaml(file, text);
  if (document === null) return { ruleset: null, diagnostics, setFiles: [], cases: [] };
  const source = new Source(document);
  const tree = parseFile(source, scope);
  checkPlace(source, tree, options);
  checkSkip(source, tree, options.system ?? null);
  const { sets, setFiles } = openSets(source, tree, options);
  const used = new Set<string>();
  const ofSystem = options.system?.trustResultsFrom ?? options.trustResultsFrom ?? [];
  const trustResultsFrom = scope === 'system' ? tree.trustResultsFrom : ofSystem;
  const shared = { ...options, trustResultsFrom };
  const patternFiles: SetFile[] = [];
  const env = envFor(scope, sets, used, shared, patternFiles);
  const ofPresets = extendPresets(source, tree, env, shared);
  const rules = [...ofPresets.rules, ...compileRules(source, tree, scope, env, options.may)];
  checkUse(source, tree, used);
  checkShadows(source, tree, options.now());
  const names = rules.map(({ name }) => name);
  const cases = readCases(source, tree.cases, {
    list: options.list,
    rules: names,
    sets: new Map([...ofPresets.sets, ...sets]),
    env,
  });
  const ofLayer = (layer: Layer) => rules.filter((rule) => rule.layer === layer);
  const layers = { before: ofLayer('before'), rules: ofLayer('rules'), after: ofLayer('after') };
  const ruleset = { file, trustResultsFrom, layers, skip: new Set(tree.skip) };
  source.release();
  return {
    ruleset: source.failed ? null : ruleset,
    diagnostics: source.diagnostics,
    setFiles: [...setFiles, ...patternFiles, ...ofPresets.setFiles],
    cases,
  };
}

/** Reads a preset, and tries it with the examples and defaults of its parameters and with each word to choose from. */
export function loadPreset(options: Shared & { readonly file: string; readonly text: string }): LoadedPreset {
  const { document, diagnostics } = loadYaml(options.file, options.text);
  if (document === null) return { preset: null, diagnostics, setFiles: [] };
  const source = new Source(document);
  const preset = readPreset(source);
  if (preset === null) return { preset, diagnostics: source.diagnostics, setFiles: [] };
  const setFiles: SetFile[] = [];
  const env = envFor('system', new Map(), new Set(), options);
  const giver: Giver = { source, env, scope: 'system', now: options.now };
  const tries = [[null, 0], ...choicesOf(preset)] as const;
  for (const [chosen, index] of tries) {
    const values = readArguments(preset, (name, parameter) => {
      const own = parameter.default === undefined ? 'example' : 'default';
      const path = name === chosen ? ['parameters', name, 'words', index] : ['parameters', name, own];
      return { giver, path, given: false, called: name };
    });
    if (values === null) break;
    // What is wrong with every try is told once.
    const tried = instantiate(preset, values, { ...options, trustResultsFrom: TRUSTED_FOR_A_TRY }, null);
    source.adopt(tried.diagnostics.filter((one) => !isKnown(source, one)));
    if (chosen === null) setFiles.push(...tried.setFiles);
  }
  return { preset: source.failed ? null : preset, diagnostics: source.diagnostics, setFiles };
}

/** The words of each parameter that is one, by their position. */
function choicesOf({ parameters }: Preset): readonly (readonly [string, number])[] {
  return [...parameters].flatMap(([name, { words = [] }]) => words.map((_, index) => [name, index] as const));
}

function isKnown(source: Source, { code, place, message }: Diagnostic): boolean {
  return source.diagnostics.some(
    (known) =>
      known.code === code &&
      known.place.line === place.line &&
      known.place.column === place.column &&
      known.message === message,
  );
}

interface OfPresets {
  /** Those that a list gives and may fill in its cases, by the name that they have there. */
  readonly sets: ReadonlyMap<string, NamedSet>;
  readonly rules: readonly Rule[];
  readonly setFiles: readonly SetFile[];
}

/** The rules of the presets that a list extends, with its values. */
function extendPresets(source: Source, tree: FileTree, env: FileEnv, options: LoadOptions): OfPresets {
  const presets = findPresets(source, tree, options.presets ?? null);
  if (presets.length > 0 && presets.every((preset) => preset !== null)) checkWith(source, presets);
  const rules: Rule[] = [];
  const setFiles: SetFile[] = [];
  const sets = new Map<string, NamedSet>();
  const giver: Giver = { source, env, scope: 'list', now: options.now, open: options.open };
  for (const [index, preset] of presets.entries()) {
    if (preset === null) continue;
    const ofPreset = new Source(preset.document);
    const defaults = envFor('system', new Map(), new Set(), options);
    const fallback: Giver = { source: ofPreset, env: defaults, scope: 'system', now: options.now };
    const givenAs = new Map<string, string>();
    const values = readArguments(preset, (name, parameter) => {
      const path = givenPath(source, preset.name, name);
      const alone = (path ?? []).length > 2 || tree.sets.some((set) => set.name === name);
      const called = alone ? ruleOfPreset(preset.name, name) : name;
      if (path !== null) {
        if (isMapping(valueAt(source.document.value, path) ?? '')) givenAs.set(name, called);
        return { giver, path, given: true, called };
      }
      if (parameter.default !== undefined)
        return { giver: fallback, path: ['parameters', name, 'default'], given: false, called };
      reportMissing(source, ['extends', index], preset, name, parameter);
      return null;
    });
    if (values === null) continue;
    const made = instantiate(preset, values, options, tree.ifTooCostly);
    source.adopt(made.diagnostics.filter((one) => !isWarning(one)));
    rules.push(...made.rules);
    setFiles.push(...values.setFiles.map((file) => ({ ...file, holds: 'addresses' as const })), ...made.patternFiles);
    for (const [name, called] of givenAs) {
      const set = values.sets.get(name);
      if (set !== undefined) sets.set(called, set);
    }
  }
  return { rules, setFiles, sets };
}

interface Instance extends Omit<OfPresets, 'sets'> {
  readonly patternFiles: readonly SetFile[];
  readonly diagnostics: readonly Diagnostic[];
}

/** The rules of a preset with the values of its parameters, each named after its preset too. */
function instantiate(
  preset: Preset,
  { values, sets: given }: Arguments,
  shared: Shared,
  ifTooCostly: FileTree['ifTooCostly'],
): Instance {
  const usedParameters = new Set<string>();
  const own = new Source(preset.document, preset.name);
  const document = substitute(preset.document, (name, path, as) => {
    const report = (code: DiagnosticCode, message: string, hint: string): void =>
      own.report(code, message, hint, path, as === 'key' ? 'key' : 'value');
    usedParameters.add(name);
    const found = values.get(name);
    if (found === undefined) {
      const near = nearest(name, [...values.keys()]);
      const hint = near === null ? `add it under parameters: ${name}` : `did you mean "${near}"?`;
      report('E_REFERENCE', `no parameter is called "${name}"`, hint);
      return null;
    }
    const [top, , key] = path;
    if (top === 'sets' && key === 'file') {
      // Else a list could name any file of the system: what a preset names is not bound to a folder.
      report('E_NOT_ALLOWED', 'a list may not say which file a preset reads', 'give the parameter type: addresses');
    } else if (path.at(-1) === 'taboo' && preset.parameters.get(name)?.type !== 'patterns') {
      report('E_NOT_ALLOWED', 'a list may not say which file a preset reads', 'give the parameter type: patterns');
    } else if (as === 'within' && given.has(name)) {
      report(
        'E_VALUE',
        `the members of "${name}" cannot stand in a text`,
        'take it out, or use a parameter of type text',
      );
    }
    return found;
  });
  for (const name of values.keys()) {
    if (usedParameters.has(name)) continue;
    own.report('W_UNUSED', `no rule asks the parameter "${name}"`, 'take it out', ['parameters', name], 'key');
  }
  const source = new Source(document, preset.name);
  const parsed = parseFile(source, 'preset');
  const named = parsed.rules.map((rule) => ({ ...rule, name: rule.name && ruleOfPreset(preset.name, rule.name) }));
  const tree = { ...parsed, rules: named, ifTooCostly: parsed.ifTooCostly ?? ifTooCostly };
  const opened = openSets(source, tree, { file: document.file, scope: 'system', now: shared.now });
  const used = new Set<string>();
  const patternFiles: SetFile[] = [];
  const ofFile = { ...shared, file: document.file };
  const env = {
    ...envFor('system', new Map([...opened.sets, ...given]), used, ofFile, patternFiles),
    perList: true,
  };
  for (const { name, path } of tree.sets) {
    if (!given.has(name)) continue;
    source.report('E_DUPLICATE_NAME', `"${name}" is a parameter already`, 'use another name', path, 'key');
  }
  const rules = compileRules(source, tree, 'preset', env).filter((_, index) => tree.rules[index]?.enabled === true);
  checkUse(source, tree, used);
  checkShadows(source, tree, shared.now());
  source.release();
  return {
    rules,
    diagnostics: [...own.diagnostics, ...source.diagnostics],
    setFiles: opened.setFiles,
    patternFiles,
  };
}

/** `patternFiles` gathers the files of patterns that are named. */
function envFor(
  scope: Scope,
  sets: ReadonlyMap<string, NamedSet>,
  used: Set<string>,
  shared: Shared & Pick<LoadOptions, 'file'>,
  patternFiles: SetFile[] = [],
): FileEnv {
  return {
    scope,
    perList: scope === 'list',
    downstreams: shared.downstreams,
    maildirs: shared.maildirs ?? [],
    trustResultsFrom: shared.trustResultsFrom ?? [],
    patterns: shared.patterns.forFile(),
    ledger: shared.ledger ?? memoryLedger({ now: shared.now }),
    setNames: [...sets.keys()],
    set(name) {
      used.add(name);
      return sets.get(name);
    },
    openPatterns(named, place) {
      const path = resolve(dirname(shared.file), named);
      // Whether there is a file where none may be asked for is nobody's business.
      if (mayLieAt(named, scope)) patternFiles.push({ path, place, holds: 'patterns' });
      return openPatternFile(shared.patterns, path, shared.now);
    },
  };
}

function compileRules(
  source: Source,
  tree: FileTree,
  kind: FileKind,
  env: FileEnv,
  may: ListsMay = TIGHTEN_ONLY,
): readonly Rule[] {
  const named = compileConditions(source, tree, env, 'condition');
  const ofShadows = conditionsOfShadows(source, tree, env, named);
  const rules = tree.rules.map((rule) =>
    compileRule(source, rule, env, rule.shadow === null ? named : ofShadows, tree.ifTooCostly ?? 'defer'),
  );
  checkRules(source, tree, kind, may);
  return rules;
}

/** Compiled once more, and silently: what a shadow rule counts must not be counted for the rules that decide. */
function conditionsOfShadows(source: Source, tree: FileTree, env: FileEnv, named: NamedClauses): NamedClauses {
  const counting = [...tree.conditions.keys()].some((name) => named(name)?.counts);
  if (!counting || tree.rules.every(({ shadow }) => shadow === null)) return named;
  const apart = source.again();
  const compiled = compileConditions(apart, tree, env, 'shadow condition');
  apart.release();
  return compiled;
}

/** `list:` says for which list a file is meant, so that a file that was copied or moved does not govern another one. */
function checkPlace(source: Source, tree: FileTree, { scope, list }: LoadOptions): void {
  if (scope === 'system' || tree.list === null) return;
  if (list !== null && parseAddressEntry(tree.list)?.key === list) return;
  const message =
    list === null ? 'the default for a domain cannot be for one list' : `by its place this is the file of ${list}`;
  const hint = list === null ? 'take `list` out' : `write ${list}, or move the file`;
  source.report('E_PLACE', message, hint, ['list']);
}

interface OpenedSets {
  readonly sets: ReadonlyMap<string, NamedSet>;
  readonly setFiles: readonly SetFile[];
}

type SetsOptions = Pick<LoadOptions, 'file' | 'scope' | 'now' | 'open'>;

function openSets(source: Source, tree: FileTree, { file, scope, now, open }: SetsOptions): OpenedSets {
  const sets = new Map<string, NamedSet>();
  const setFiles: SetFile[] = [];
  for (const { name, path, value } of tree.sets) {
    if (!SET_NAME.test(name)) {
      const hint = 'use letters, digits, - and _, and begin with a letter';
      source.report('E_VALUE', `"${name}" cannot be the name of a set`, hint, path, 'key');
    }
    const parsed = source.read(setSchema, path, exampleOf(value));
    if (parsed === null) {
      sets.set(name, brokenSet(value));
      continue;
    }
    const place = [...path, 'file'];
    const allowed = parsed.file === undefined || mayLieAt(parsed.file, scope);
    if (!allowed) {
      const hint = 'put it beside the file of the list, or below';
      source.report('E_NOT_ALLOWED', 'a list may only read files of its own folder', hint, place);
    }
    const set = open === undefined ? openSet(parsed, file, now) : open(name, parsed);
    // Whether there is a file where none may be asked for is nobody's business.
    if (set.path !== null && allowed)
      setFiles.push({ path: set.path, place: source.document.placeOf(place), holds: 'addresses' });
    sets.set(name, set);
  }
  return { sets, setFiles };
}
