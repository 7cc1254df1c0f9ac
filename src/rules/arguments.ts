/**
 * arguments - the values that one use of a preset gives to its parameters.
 *
 * A value stands in the file of the list that extends the preset, or is the parameter's default. A set is named, or
 * written as under `sets:`.
 */
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import type { Place } from '../core/diagnostic.ts';
import type { YamlPath, YamlValue } from '../yaml/load.ts';
import { listOf, text } from '../yaml/scalar.ts';
import { valueAt } from '../yaml/tree.ts';
import type { CompileEnv, NamedSet, Scope, SetKind } from './env.ts';
import type { FileEnv } from './compile.ts';
import { compileMembers } from './members.ts';
import { type Parameter, setKindOf, valueSchema } from './parameters.ts';
import type { Preset } from './preset.ts';
import { mayLieAt, type OpenedSet, openSet, type SetSource, setSchema } from './sets.ts';
import { isList, isMapping, type Source } from './source.ts';
import type { Substitute } from './substitute.ts';

const names = listOf(text);

/** The file in which values stand, and what its sets are. */
export interface Giver {
  readonly source: Source;
  readonly env: FileEnv;
  readonly scope: Scope;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** How a set is opened that is written out; by default as it is written. */
  readonly open?: ((name: string, set: SetSource) => OpenedSet) | undefined;
}

export interface Arguments {
  readonly values: ReadonlyMap<string, Substitute>;
  /** The sets among them; in the preset they go by the name of their parameter. */
  readonly sets: ReadonlyMap<string, NamedSet>;
  readonly setFiles: readonly { readonly path: string; readonly place: Place }[];
}

/** Where the value of a parameter stands, and in whose file. `given`: by the list. */
export interface Found {
  readonly giver: Giver;
  readonly path: YamlPath;
  readonly given: boolean;
  /** What its set is called in cases. */
  readonly called: string;
}

/** Null after what is wrong with a value was reported. `find` answers null where there is no value. */
export function readArguments(
  preset: Preset,
  find: (name: string, parameter: Parameter) => Found | null,
): Arguments | null {
  const values = new Map<string, Substitute>();
  const sets = new Map<string, NamedSet>();
  const setFiles: { readonly path: string; readonly place: Place }[] = [];
  let complete = true;
  for (const [name, parameter] of preset.parameters) {
    const found = find(name, parameter);
    if (found === null) {
      complete = false;
      continue;
    }
    const { giver, path, given, called } = found;
    const { document } = giver.source;
    const value = valueAt(document.value, path) ?? '';
    const kind = setKindOf(parameter);
    const placeOf = given ? (inner: YamlPath) => document.placeOf([...path, ...inner]) : null;
    if (parameter.type === 'patterns') {
      const file = readPatternFile(giver, path);
      if (file === null) complete = false;
      values.set(name, { value: file ?? '', placeOf });
      continue;
    }
    if (kind === null) {
      if (giver.source.read(valueSchema(parameter), path) === null) complete = false;
      values.set(name, { value, placeOf });
      continue;
    }
    const set = readSet(giver, path, value, kind, called);
    if (set === null) complete = false;
    else sets.set(name, set);
    if (set?.path) setFiles.push({ path: set.path, place: document.placeOf([...path, 'file']) });
    values.set(name, { value: name, placeOf });
  }
  return complete ? { values, sets, setFiles } : null;
}

const fileKey = text.meta({
  description: 'A file of patterns, one a line; its path starts at the folder of this file.',
  examples: ['taboo.txt'],
});
const patternFile = z.union([z.strictObject({ file: fileKey }), text.transform((file) => ({ file }))]);

/** What a list may write for a parameter; for the schema of its file. */
export function writtenSchema(parameter: Parameter): z.ZodType {
  if (parameter.type === 'patterns') return patternFile;
  if (setKindOf(parameter) === null) return valueSchema(parameter);
  return z.union([z.array(z.string()), z.string(), setSchema]);
}

/** The path of a file of patterns, absolute: the preset lies elsewhere. */
function readPatternFile({ source, scope }: Giver, path: YamlPath): string | null {
  const found = source.read(patternFile, path);
  if (found === null) return null;
  if (mayLieAt(found.file, scope)) return resolve(dirname(source.document.file), found.file);
  const hint = 'put it beside the file of the list, or below';
  const at = isMapping(valueAt(source.document.value, path)) ? [...path, 'file'] : path;
  source.report('E_NOT_ALLOWED', 'a list may only read files of its own folder', hint, at);
  return null;
}

/** A set written as under `sets:`, or names of sets and addresses. */
function readSet(
  giver: Giver,
  path: YamlPath,
  value: YamlValue,
  kind: SetKind,
  called: string,
): (NamedSet & { path: string | null }) | null {
  const { source, scope } = giver;
  if (isMapping(value)) {
    const parsed = source.read(setSchema, path);
    return parsed && openWritten(parsed, giver, path, kind, called);
  }
  const items = isList(value) && value.length === 0 ? [] : source.read(names, path);
  if (items === null) return null;
  let failed = false;
  const report: CompileEnv['report'] = (code, message, hint, [, ...at] = []) => {
    failed = true;
    source.report(code, message, hint, [...path, ...at]);
  };
  const [file] = items.filter((item) => /\/.*[a-z]|\.txt$/i.test(item));
  if (file !== undefined) {
    report('E_ADDRESS', `"${file}" is not an address`, `for a file write { file: ${file} }`);
    return null;
  }
  const members = compileMembers(items, kind, { ...giver.env, scope, rule: '', report }, '');
  return failed ? null : { kind, canonical: null, path: null, store: { has: members, close: () => {} } };
}

function openWritten(parsed: SetSource, giver: Giver, path: YamlPath, kind: SetKind, called: string) {
  const { source, scope, now, open } = giver;
  if (parsed.file !== undefined && !mayLieAt(parsed.file, scope)) {
    const hint = 'put it beside the file of the list, or below';
    source.report('E_NOT_ALLOWED', 'a list may only read files of its own folder', hint, [...path, 'file']);
    return null;
  }
  const set = open?.(called, parsed) ?? openSet(parsed, source.document.file, now);
  if (set.kind === kind) return set;
  const [wanted, hint] =
    kind === 'mailboxes'
      ? ['addresses of people', 'write { values: [ann@example.net] } or { file: rosters/members.txt }']
      : ['IP addresses', 'write { addresses: [192.0.2.0/24] }'];
  source.report('E_REFERENCE', `expected a set of ${wanted}`, hint, path);
  return null;
}
