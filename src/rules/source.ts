/**
 * source - one file while it is read: its document, and all problems found in it so far.
 */
import type { z } from 'zod';
import { type Diagnostic, type DiagnosticCode, isWarning } from '../core/diagnostic.ts';
import { inOrder } from '../yaml/place.ts';
import type { YamlDocument, YamlPath, YamlValue } from '../yaml/load.ts';
import { nearest } from '../yaml/suggest.ts';
import { validate } from '../yaml/validate.ts';
import { PLANNED } from './planned.ts';

export type YamlMapping = { readonly [key: string]: YamlValue };

export class Source {
  #document: YamlDocument | null;
  readonly #diagnostics: Diagnostic[] = [];

  constructor(document: YamlDocument) {
    this.#document = document;
  }

  get document(): YamlDocument {
    if (this.#document === null) throw new Error('a file is asked for its text after it was loaded');
    return this.#document;
  }

  /** Lets go of text and tree, many times larger than the rules, which hold this source as long as they live. */
  release(): void {
    this.#document = null;
  }

  /** In the order of the file. */
  get diagnostics(): readonly Diagnostic[] {
    return inOrder(this.#diagnostics);
  }

  get failed(): boolean {
    return this.#diagnostics.some((diagnostic) => !isWarning(diagnostic));
  }

  report(code: DiagnosticCode, message: string, hint: string | null, path: YamlPath, part?: 'key' | 'value'): void {
    this.#diagnostics.push({ code, message, hint, place: this.document.placeOf(path, part) });
  }

  /** The value at `path` as the schema has it, or null after all that is wrong with it was reported. */
  read<T>(schema: z.ZodType<T>, path: YamlPath): T | null {
    const { value, diagnostics } = validate(this.document, schema, path);
    this.#diagnostics.push(...diagnostics);
    return value;
  }

  /** Reports a key that is not known here: one of a later version, a mistyped one, or any other. */
  unknownKey(path: YamlPath, key: string, known: readonly string[]): void {
    const report = (message: string, hint: string): void =>
      this.report('E_UNKNOWN_KEY', message, hint, [...path, key], 'key');
    if (PLANNED.has(key)) {
      report(`\`${key}\` is not in this version of Postern`, 'take it out');
      return;
    }
    const near = nearest(key, known);
    report(`unknown key "${key}"`, near === null ? `known here: ${known.join(', ')}` : `did you mean "${near}"?`);
  }
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
