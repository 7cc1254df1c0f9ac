/**
 * print - a value as YAML text that `loadYaml` reads back as the same value.
 */
import { dump, FAILSAFE_SCHEMA, nullCoreTag } from 'js-yaml';
import type { YamlValue } from './tree.ts';

/** Knows null, so that a text of that look is quoted; numbers and truth are text to us and stay as they are. */
const SCHEMA = FAILSAFE_SCHEMA.withTags(nullCoreTag);

/** Block style, ending in a line feed. */
export function printYaml(value: YamlValue): string {
  return dump(value, { schema: SCHEMA, noRefs: true, lineWidth: -1 });
}
