/**
 * tree - the nodes of a YAML document: their values, and where in the text they and their keys stand.
 *
 * Values are those of YAML's failsafe schema: text, lists and mappings. Nothing else is guessed.
 */
import type { Span } from './place.ts';

export type YamlValue = string | readonly YamlValue[] | { readonly [key: string]: YamlValue };
export type YamlPath = readonly (string | number)[];

/** `end` is behind the closing quote or bracket; that of a block is the end of its last value. */
export type YamlNode = Span & { readonly value: YamlValue } & (
    | { readonly kind: 'text' }
    | { readonly kind: 'list'; readonly items: readonly YamlNode[] }
    | { readonly kind: 'mapping'; readonly entries: ReadonlyMap<string, YamlEntry> }
  );

export interface YamlEntry {
  readonly key: Span;
  readonly node: YamlNode;
}

/** The span of the value at `path`, or of its key; where there is none, that of the nearest value around it. */
export function spanOf(root: YamlNode, path: YamlPath, part: 'key' | 'value'): Span {
  let node = root;
  let key: Span | null = null;
  for (const step of path) {
    const entry = node.kind === 'mapping' ? node.entries.get(String(step)) : undefined;
    const next = entry?.node ?? (node.kind === 'list' && typeof step === 'number' ? node.items[step] : undefined);
    if (next === undefined) break;
    key = entry?.key ?? null;
    node = next;
  }
  return part === 'key' && key !== null ? key : node;
}

export function isList(value: YamlValue): value is readonly YamlValue[] {
  return Array.isArray(value);
}

/** The value at `path`, or undefined where there is none. */
export function valueAt(root: YamlValue, path: YamlPath): YamlValue | undefined {
  let value: YamlValue | undefined = root;
  for (const step of path) {
    if (value === undefined || typeof value === 'string') return undefined;
    if (isList(value)) value = typeof step === 'number' ? value[step] : undefined;
    else value = Object.hasOwn(value, step) ? value[step] : undefined;
  }
  return value;
}
