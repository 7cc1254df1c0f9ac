/**
 * validate - a value of a YAML document against a zod schema: the typed value, or diagnostics at the right place.
 *
 * All problems at once, up to 100. A custom issue may carry its code and hint in `params` (`IssueParams` of scalar.ts), and a schema's
 * own message is kept; everything else is said here. Of a union only the branch that was meant is told.
 */
import { z } from 'zod';
import type { Diagnostic, DiagnosticCode, Place } from '../core/diagnostic.ts';
import { MOST_TOLD, type YamlDocument } from './load.ts';
import { inOrder, wholeFile } from './place.ts';
import { instead } from './suggest.ts';
import { isList, valueAt, type YamlPath, type YamlValue } from './tree.ts';

type Issue = z.core.$ZodIssue;
type Union = Extract<Issue, { readonly code: 'invalid_union' }>;

/** The keys that belong where unknown ones were found: zod's issue names only the unknown ones. */
type KnownKeys = WeakMap<readonly string[], readonly string[]>;

interface Validation {
  readonly root: YamlValue;
  readonly known: KnownKeys;
  readonly example: Example | null;
}

/** `path` is from the root of the document. */
interface Problem {
  readonly code: DiagnosticCode;
  readonly message: string;
  readonly hint: string | null;
  readonly path: YamlPath;
  readonly part: 'key' | 'value';
}

/** How a value at `path`, below the one that is read, can be written; shown where there is one of another kind. */
export interface Example {
  readonly path: YamlPath;
  readonly yaml: string;
}

/** Validates the value at `at`, by default the whole document. `value` is null if there is any problem. */
export function validate<T>(
  document: YamlDocument,
  schema: z.ZodType<T>,
  at: YamlPath = [],
  example: Example | null = null,
): { value: T | null; diagnostics: readonly Diagnostic[] } {
  const known: KnownKeys = new WeakMap();
  const result = schema.safeParse(valueAt(document.value, at), {
    // No message but what the schema itself gives: an empty one is ours to write.
    error: (issue) => {
      if (issue.code === 'unrecognized_keys' && issue.inst instanceof z.ZodObject) {
        known.set(issue.keys, Object.keys(issue.inst.shape));
      }
      return '';
    },
  });
  if (result.success) return { value: result.data, diagnostics: [] };
  const validation = {
    root: document.value,
    known,
    example: example && { ...example, path: [...at, ...example.path] },
  };
  const problems = result.error.issues.flatMap((issue) => explain(issue, at, validation));
  return {
    value: null,
    diagnostics: inOrder(
      problems.slice(0, MOST_TOLD).map(({ code, message, hint, path, part }) => ({
        code,
        message,
        hint,
        place: placeOf(document, path, part),
      })),
    ),
  };
}

/** The value itself where it begins beside its key, else the key: below it the first line of a block says little. */
function placeOf(document: YamlDocument, path: YamlPath, part: 'key' | 'value'): Place {
  if (path.length === 0) return wholeFile(document.file);
  const key = document.placeOf(path, 'key');
  const value = document.placeOf(path);
  return part === 'value' && key.line === value.line ? value : key;
}

function explain(issue: Issue, at: YamlPath, validation: Validation): readonly Problem[] {
  const path = [...at, ...issue.path.map((step) => (typeof step === 'number' ? step : String(step)))];
  const given = valueAt(validation.root, path);
  const say = (code: DiagnosticCode, message: string, hint: string | null = null, part: 'key' | 'value' = 'value') => [
    { code, message: issue.message === '' ? message : issue.message, hint, path, part },
  ];

  switch (issue.code) {
    case 'custom':
      return say(codeOf(issue.params), 'this value is not possible here', hintOf(issue.params));
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({
        code: 'E_UNKNOWN_KEY',
        message: `unknown key "${key}"`,
        hint: instead(key, validation.known.get(issue.keys) ?? [], 'known here'),
        path: [...path, key],
        part: 'key',
      }));
    case 'invalid_key': {
      const [cause] = issue.issues;
      const params = cause?.code === 'custom' ? cause.params : undefined;
      const message = cause?.message || `"${String(issue.path.at(-1))}" cannot be a name here`;
      return say(codeOf(params), message, hintOf(params), 'key');
    }
    default:
  }
  if (given === undefined) return missing(issue, path, validation);

  switch (issue.code) {
    case 'invalid_type':
      return say(
        'E_TYPE',
        `expected ${kindName(issue.expected)}, found ${found(given)}`,
        exampleAt(path, validation) ?? remedy(issue.expected, given),
      );
    case 'invalid_value': {
      const words = issue.values.map(String);
      return say('E_VALUE', `expected ${oneOf(words)}, found ${found(given)}`, choose(given, words));
    }
    case 'invalid_union':
      return explainUnion(issue, path, given, validation);
    case 'too_small':
      if (issue.origin === 'array')
        return say('E_EMPTY', 'the list is too short', `write at least ${issue.minimum} entry`);
      if (given === '') return say('E_EMPTY', 'the text is empty');
      return say('E_VALUE', `expected at least ${issue.minimum}, found ${found(given)}`);
    case 'too_big':
      if (issue.origin === 'array') return say('E_TOO_MANY', `the list is too long: at most ${issue.maximum} entries`);
      return say('E_VALUE', `expected at most ${issue.maximum}, found ${found(given)}`);
    default:
      return say('E_VALUE', `${found(given)} is not possible here`);
  }
}

function missing(issue: Issue, path: YamlPath, { example }: Validation): readonly Problem[] {
  const key = String(path.at(-1) ?? '');
  const only = issue.code === 'invalid_value' && issue.values.length === 1 ? ` ${String(issue.values[0])}` : ' \u2026';
  return [
    {
      code: 'E_MISSING_KEY',
      message: `the key "${key}" is missing`,
      hint: isAt(example, path.slice(0, -1)) ? `add ${key}, as in ${example.yaml}` : `add ${key}:${only}`,
      path: path.slice(0, -1),
      part: 'key',
    },
  ];
}

/** The branch that was meant: of the right kind, with the fewest unknown keys, then the fewest problems. */
function explainUnion(issue: Union, path: YamlPath, given: YamlValue, validation: Validation): readonly Problem[] {
  const say = (code: DiagnosticCode, message: string, hint: string | null): readonly Problem[] => [
    { code, message: issue.message === '' ? message : issue.message, hint, path, part: 'value' },
  ];
  if (issue.errors.length === 0) {
    const all = ('options' in issue ? (issue.options ?? []) : []).map(String);
    return say('E_VALUE', `expected ${oneOf(all)}, found ${found(given)}`, choose(given, all));
  }
  const meant = issue.errors.filter((branch) => kindsWanted(branch, given).length === 0);
  if (meant.length === 0) {
    const kinds = [...new Set(issue.errors.flatMap((branch) => kindsWanted(branch, given)))];
    return say(
      'E_TYPE',
      `expected ${oneOf(kinds, (kind) => kind)}, found ${found(given)}`,
      exampleAt(path, validation),
    );
  }
  const words = meant.map(wordsWanted);
  if (words.every((some) => some.length > 0)) {
    const all = words.flat();
    return say('E_VALUE', `expected ${oneOf(all)}, found ${found(given)}`, choose(given, all));
  }
  const [best] = meant.toSorted((a, b) => unknownKeys(a) - unknownKeys(b) || a.length - b.length);
  return (best ?? []).flatMap((inner) => explain(inner, path, validation));
}

/** What a branch would have taken instead, where it cannot take this kind of value at all; else nothing. */
function kindsWanted(branch: readonly Issue[], given: YamlValue): readonly string[] {
  return branch.flatMap((issue) => {
    if (issue.path.length > 0) return [];
    if (issue.code === 'invalid_type') return [kindName(issue.expected)];
    if (issue.code === 'invalid_value' && typeof given !== 'string') return ['text'];
    if (issue.code !== 'invalid_union') return [];
    const kinds = issue.errors.map((inner) => kindsWanted(inner, given));
    return kinds.every((some) => some.length > 0) ? kinds.flat() : [];
  });
}

/** The fixed words that a branch takes; nothing where it takes more than fixed words. */
function wordsWanted(branch: readonly Issue[]): readonly string[] {
  const [issue, more] = branch;
  return issue?.code === 'invalid_value' && issue.path.length === 0 && more === undefined
    ? issue.values.map(String)
    : [];
}

function unknownKeys(branch: readonly Issue[]): number {
  return branch.reduce((sum, issue) => sum + (issue.code === 'unrecognized_keys' ? issue.keys.length : 0), 0);
}

function codeOf(params: Readonly<Record<string, unknown>> | undefined): DiagnosticCode {
  // Only `IssueParams` are put there; zod keeps them without their type.
  return typeof params?.['code'] === 'string' ? (params['code'] as DiagnosticCode) : 'E_VALUE';
}

function hintOf(params: Readonly<Record<string, unknown>> | undefined): string | null {
  return typeof params?.['hint'] === 'string' ? params['hint'] : null;
}

/** For a fixed word; silent where the value is no text at all. */
function choose(given: YamlValue, words: readonly string[]): string | null {
  if (typeof given !== 'string') return null;
  return words.length === 1 ? `write ${words[0]}` : instead(given, words, 'choose one of');
}

/** `a`, `a or b`, `a, b or c`. */
function oneOf(words: readonly string[], show = (word: string) => `"${word}"`): string {
  const shown = words.map(show);
  const last = shown.pop() ?? '';
  return shown.length === 0 ? last : `${shown.join(', ')} or ${last}`;
}

/** What to do where a value is of the wrong kind. */
function isAt(example: Example | null, path: YamlPath): example is Example {
  return example !== null && JSON.stringify(example.path) === JSON.stringify(path);
}

function exampleAt(path: YamlPath, { example }: Validation): string | null {
  return isAt(example, path) ? `write ${example.yaml}` : null;
}

function remedy(expected: string, given: YamlValue): string | null {
  if (expected === 'string' && isList(given) && given.every((one) => typeof one === 'string')) {
    return `write one text; if the brackets belong to it: "[${given.join(', ')}]"`;
  }
  if (expected === 'string' && typeof given !== 'string' && !isList(given))
    return 'write one text or word in its place';
  if (expected === 'array') return 'write a dash and a space in front of each entry';
  if (expected !== 'object' && expected !== 'record') return null;
  return isList(given) ? 'take the dashes away' : 'write key: value in the lines below, indented';
}

function kindName(expected: string): string {
  if (expected === 'string') return 'text';
  if (expected === 'array' || expected === 'tuple') return 'a list';
  if (expected === 'object' || expected === 'record') return 'a mapping';
  return expected === 'boolean' ? 'true or false' : `a ${expected}`;
}

const LONGEST_SHOWN = 40;

function found(value: YamlValue): string {
  if (isList(value)) return 'a list';
  if (typeof value !== 'string') return 'a mapping';
  return value.length > LONGEST_SHOWN ? `"${value.slice(0, LONGEST_SHOWN)}\u2026"` : `"${value}"`;
}
