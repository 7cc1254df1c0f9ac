/**
 * source - one file while it is read: its document, and all problems found in it so far.
 */
import type { z } from 'zod';
import { type Diagnostic, type DiagnosticCode, isWarning } from '../core/diagnostic.ts';
import { inOrder } from '../yaml/place.ts';
import { MOST_TOLD, type YamlDocument, type YamlPath, type YamlValue } from '../yaml/load.ts';
import { instead } from '../yaml/suggest.ts';
import { valueAt } from '../yaml/tree.ts';
import { type Example, validate } from '../yaml/validate.ts';

export type YamlMapping = { readonly [key: string]: YamlValue };

/** The keys of a file under which rules stand. */
const RULE_LISTS: ReadonlySet<string | number> = new Set(['before', 'rules', 'after']);

export class Source {
  #document: YamlDocument | null;
  readonly #errors: Diagnostic[] = [];
  readonly #warnings: Diagnostic[] = [];
  readonly #preset: string | null;

  /** `preset`: whose rules they are, where it is not the file's own. */
  constructor(document: YamlDocument, preset: string | null = null) {
    this.#document = document;
    this.#preset = preset;
  }

  /** The same file, nothing found in it yet. */
  again(): Source {
    return new Source(this.document, this.#preset);
  }

  get document(): YamlDocument {
    if (this.#document === null) throw new Error('a file is asked for its text after it was loaded');
    return this.#document;
  }

  /** Lets go of text and tree, many times larger than the rules, which hold this source as long as they live. */
  release(): void {
    this.#document = null;
  }

  /** In the order of the file; the first 100 errors, and as many warnings. */
  get diagnostics(): readonly Diagnostic[] {
    return inOrder([...this.#errors, ...this.#warnings]);
  }

  get failed(): boolean {
    return this.#errors.length > 0;
  }

  /** Takes over what was found in a part that is read by itself. */
  adopt(diagnostics: readonly Diagnostic[]): void {
    for (const diagnostic of diagnostics) {
      const told = isWarning(diagnostic) ? this.#warnings : this.#errors;
      if (told.length < MOST_TOLD) told.push(diagnostic);
    }
  }

  report(code: DiagnosticCode, message: string, hint: string | null, path: YamlPath, part?: 'key' | 'value'): void {
    this.#add(path, [{ code, message, hint, place: this.document.placeOf(path, part) }]);
  }

  /** The value at `path` as the schema has it, or null after all that is wrong with it was reported. */
  read<T>(schema: z.ZodType<T>, path: YamlPath, example?: Example): T | null {
    const { value, diagnostics } = validate(this.document, schema, path, example);
    this.#add(path, diagnostics);
    return value;
  }

  #add(path: YamlPath, diagnostics: readonly Diagnostic[]): void {
    const rule = this.#ruleAt(path);
    this.adopt(rule === null ? diagnostics : diagnostics.map((one) => ({ ...one, rule })));
  }

  /** The name of the rule that `path` leads into; null also for the name itself, which the message is about then. */
  #ruleAt([layer = '', index = '', key]: YamlPath): string | null {
    if (!RULE_LISTS.has(layer) || key === 'name') return null;
    const name = valueAt(this.document.value, [layer, index, 'name']);
    return typeof name === 'string' ? this.fullName(name) : null;
  }

  /** With the name of the preset, where it is one's. */
  fullName(name: string): string {
    return this.#preset === null ? name : ruleOfPreset(this.#preset, name);
  }

  /** Reports a key that is not known here. */
  unknownKey(path: YamlPath, key: string, known: readonly string[]): void {
    const hint = instead(key, known, 'known here');
    this.report('E_UNKNOWN_KEY', `unknown key "${key}"`, hint, [...path, key], 'key');
  }
}

/** The name of a preset's rule in logs, traces and statistics. */
export function ruleOfPreset(preset: string, rule: string): string {
  return `${preset}/${rule}`;
}

export function isMapping(value: YamlValue | undefined): value is YamlMapping {
  return typeof value === 'object' && !Array.isArray(value);
}

export function isList(value: YamlValue | undefined): value is readonly YamlValue[] {
  return Array.isArray(value);
}

/** `a list`, for messages. */
export function kindOf(value: YamlValue): string {
  if (typeof value === 'string') return `"${value}"`;
  return isList(value) ? 'a list' : 'a mapping';
}
