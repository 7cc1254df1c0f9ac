/**
 * substitute - the document of a preset with the values of its parameters in the places of their names.
 *
 * What came from a list keeps its place in the list's file, so that whatever is wrong with it is told there.
 */
import type { Place } from '../core/diagnostic.ts';
import type { YamlDocument, YamlPath, YamlValue } from '../yaml/load.ts';
import { isList, isMapping } from './source.ts';

export interface Substitute {
  readonly value: YamlValue;
  /** Where it was given; null for a default, which is told where its name stands. */
  readonly placeOf: ((path: YamlPath) => Place) | null;
}

/** How a name stands there: as a key or a value by itself, or in a text. */
export type Standing = 'key' | 'value' | 'within';

/** `path` is that of the name in the preset. */
export type Lookup = (name: string, path: YamlPath, as: Standing) => Substitute | null;

/** The keys of a preset in whose values names of parameters stand. */
const SUBSTITUTED = ['sets', 'conditions', 'rules'];
const ALONE = /^\$([A-Za-z]\w*)$/;
const WITHIN = /\$\{([A-Za-z]\w*)\}/g;

/** How a value or key of the new document came to be; by its path as JSON. */
interface Origin {
  readonly key?: string;
  readonly placeOf?: (path: YamlPath) => Place;
}

/** `lookup` answers null, after reporting it, where there is no such parameter; then the name stands for itself. */
export function substitute(document: YamlDocument, lookup: Lookup): YamlDocument {
  const origins = new Map<string, Origin>();
  const note = (path: YamlPath, origin: Origin): void => {
    const id = JSON.stringify(path);
    origins.set(id, { ...origins.get(id), ...origin });
  };

  /** `path` leads to the value in the new document, `from` in the preset's own. */
  function fill(value: YamlValue, path: YamlPath, from: YamlPath): YamlValue {
    if (isList(value)) return value.map((item, index) => fill(item, [...path, index], [...from, index]));
    if (isMapping(value)) {
      return Object.fromEntries(
        Object.entries(value).map(([key, inner]) => {
          const name = keyFor(key, [...from, key]);
          if (name !== key) note([...path, name], { key });
          return [name, fill(inner, [...path, name], [...from, key])];
        }),
      );
    }
    const alone = ALONE.exec(value)?.[1];
    if (alone !== undefined) {
      const found = lookup(alone, from, 'value');
      if (found?.placeOf) note(path, { placeOf: found.placeOf });
      return found?.value ?? value;
    }
    return value.replace(WITHIN, (_, name: string) => {
      const found = lookup(name, from, 'within');
      if (found?.placeOf) note(path, { placeOf: found.placeOf });
      return found === null ? name : inWords(found.value);
    });
  }

  function keyFor(key: string, path: YamlPath): string {
    const name = ALONE.exec(key)?.[1];
    const found = name === undefined ? null : lookup(name, path, 'key');
    return typeof found?.value === 'string' ? found.value : key;
  }

  const root = isMapping(document.value) ? document.value : {};
  const value = Object.fromEntries(
    Object.entries(root).map(([key, inner]) => [key, SUBSTITUTED.includes(key) ? fill(inner, [key], [key]) : inner]),
  );
  const placeOf = (path: YamlPath, part?: 'key' | 'value'): Place => {
    const own: (string | number)[] = [];
    for (const [index, step] of path.entries()) {
      const origin = origins.get(JSON.stringify(path.slice(0, index + 1)));
      const inner = path.slice(index + 1);
      if (origin?.placeOf !== undefined && (part !== 'key' || inner.length > 0)) return origin.placeOf(inner);
      own.push(origin?.key ?? step);
    }
    return document.placeOf(own, part);
  };
  return { ...document, value, placeOf };
}

/** A value as it would stand within a text. */
function inWords(value: YamlValue): string {
  if (typeof value === 'string') return value;
  return isList(value) ? value.map(inWords).join(', ') : '';
}
