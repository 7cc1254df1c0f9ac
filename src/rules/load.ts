/**
 * load - the text of one file as a ruleset, or everything that is wrong with it.
 *
 * text -> document (yaml) -> tree (parse) -> rules (compile) -> checked as a whole (check). Warnings do not keep a file
 * from loading. Nothing is read but the text: whether the files of its sets are there is asked later.
 */
import type { Diagnostic, Place } from '../core/diagnostic.ts';
import { parseAddressEntry } from '../store/address.ts';
import type { Ledger } from '../store/ledger.ts';
import { memoryLedger } from '../store/memory-ledger.ts';
import { loadYaml } from '../yaml/load.ts';
import { checkRules, checkUse } from './check.ts';
import { compileRule, type FileEnv } from './compile.ts';
import type { NamedSet, Scope } from './env.ts';
import { SET_NAME } from './members.ts';
import { type FileTree, parseFile } from './parse.ts';
import type { PatternCache } from './pattern.ts';
import { PLANNED } from './planned.ts';
import type { Layer, Ruleset } from './ruleset.ts';
import { brokenSet, mayLieAt, openSet, setSchema } from './sets.ts';
import { isMapping, Source } from './source.ts';

export interface LoadOptions {
  /** As it shall stand in diagnostics; the files of sets are relative to its folder. */
  readonly file: string;
  readonly text: string;
  readonly scope: Scope;
  /** The list whose file it is by its place; null for the system's file and for a domain's default. */
  readonly list: string | null;
  readonly downstreams: readonly string[];
  readonly patterns: PatternCache;
  /** What rules remember between transactions; without it they remember as long as the ruleset lives. */
  readonly ledger?: Ledger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** A file that a set reads. */
export interface SetFile {
  readonly path: string;
  readonly place: Place;
}

export interface LoadedRuleset {
  /** null if there is any error. */
  readonly ruleset: Ruleset | null;
  readonly diagnostics: readonly Diagnostic[];
  readonly setFiles: readonly SetFile[];
}

export function loadRuleset(options: LoadOptions): LoadedRuleset {
  const { file, text, scope } = options;
  const { document, diagnostics } = loadYaml(file, text);
  if (document === null) return { ruleset: null, diagnostics, setFiles: [] };
  const source = new Source(document);
  const tree = parseFile(source, scope);
  checkPlace(source, tree, options);
  const { sets, setFiles } = openSets(source, tree, options);
  const used = new Set<string>();
  const env: FileEnv = {
    scope,
    downstreams: options.downstreams,
    patterns: options.patterns.forFile(),
    ledger: options.ledger ?? memoryLedger({ now: options.now }),
    setNames: [...sets.keys()],
    set(name) {
      used.add(name);
      return sets.get(name);
    },
  };
  const rules = tree.rules.map((rule) => compileRule(source, rule, env));
  checkRules(source, tree, scope);
  checkUse(source, tree, used);
  const ofLayer = (layer: Layer) => rules.filter((rule) => rule.layer === layer);
  const ruleset = { file, layers: { before: ofLayer('before'), rules: ofLayer('rules'), after: ofLayer('after') } };
  source.release();
  return { ruleset: source.failed ? null : ruleset, diagnostics: source.diagnostics, setFiles };
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

function openSets(source: Source, tree: FileTree, { file, scope, now }: LoadOptions): OpenedSets {
  const sets = new Map<string, NamedSet>();
  const setFiles: SetFile[] = [];
  for (const { name, path, value } of tree.sets) {
    if (!SET_NAME.test(name)) {
      const hint = 'use letters, digits, - and _, and begin with a letter';
      source.report('E_VALUE', `"${name}" cannot be the name of a set`, hint, path, 'key');
    }
    const planned = isMapping(value) ? Object.keys(value).filter((key) => PLANNED.has(key)) : [];
    for (const key of planned) source.unknownKey(path, key, []);
    const parsed = planned.length > 0 ? null : source.read(setSchema, path);
    if (parsed === null) {
      sets.set(name, brokenSet(value));
      continue;
    }
    const place = [...path, 'file'];
    if (parsed.file !== undefined && !mayLieAt(parsed.file, scope)) {
      const hint = 'put it beside the file of the list, or below';
      source.report('E_NOT_ALLOWED', 'a list may only read files of its own folder', hint, place);
    }
    const set = openSet(parsed, file, now);
    if (set.path !== null) setFiles.push({ path: set.path, place: source.document.placeOf(place) });
    sets.set(name, set);
  }
  return { sets, setFiles };
}
