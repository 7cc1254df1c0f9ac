/**
 * preset - a ruleset with parameters, which lists extend.
 *
 *     version: 1
 *     preset: size-limit
 *     summary: Messages above a size are refused.
 *     parameters:
 *       limit: { type: amount, description: The largest message., default: 5 MB }
 *     rules:
 *       - name: too-large
 *         when: { size: { above: $limit } }
 *         then: { reject: "Messages to {list} may have ${limit} at most.", status: 5.3.4 }
 *
 * A text that is `$limit` alone stands for the value, whatever that is, also as a key; `${limit}` within a text for the
 * value as it is written. The file is named after the preset.
 */
import { basename } from 'node:path';
import { z } from 'zod';
import type { YamlDocument } from '../yaml/load.ts';
import { scalar } from '../yaml/scalar.ts';
import { type Parameter, parameterName, parameterSchema } from './parameters.ts';
import type { Source } from './source.ts';

export interface Preset {
  readonly name: string;
  /** One sentence for list owners. */
  readonly summary: string;
  readonly parameters: ReadonlyMap<string, Parameter>;
  readonly document: YamlDocument;
}

/** By name. */
export type Presets = ReadonlyMap<string, Preset>;

export const PRESET_ENDING = '.yaml';

const presetName = scalar('name', ['members-only'], (source) => {
  if (/^[a-z][a-z0-9-]{0,39}$/.test(source)) return { value: source };
  const hint = 'use small letters, digits and -, and begin with a letter';
  return { problem: { code: 'E_VALUE', message: `"${source}" cannot be the name of a preset`, hint } };
});

const sentence = scalar('sentence', ['Only subscribers may post.'], (source) => {
  if (/^[^\n]{1,200}\.$/.test(source)) return { value: source };
  const hint = 'say in one line what it does, and end with a full stop';
  return { problem: { code: 'E_VALUE', message: 'expected one plain sentence', hint } };
});

/** What a preset says of itself beside `version`. */
export const presetHead = {
  preset: presetName.meta({ description: 'The name of the preset, which is also that of its file.' }),
  summary: sentence.meta({ description: 'What it does, for list owners.' }),
  parameters: z
    .record(parameterName, parameterSchema)
    .optional()
    .meta({
      description: 'What a list can or must give under with; in the rules $limit stands for the value of limit.',
      examples: ['{ limit: { type: amount, description: The largest message., default: 5 MB } }'],
    }),
};

const head = z.object({ version: z.literal('1'), ...presetHead });

/** What a preset says of itself, or null after what is wrong with that was reported. */
export function readPreset(source: Source): Preset | null {
  const { document } = source;
  const found = source.read(head, []);
  if (found === null) return null;
  const { preset: name, summary, parameters = {} } = found;
  const expected = basename(document.file, PRESET_ENDING);
  if (name !== expected) {
    const message = `by the name of its file this is the preset "${expected}"`;
    source.report('E_PLACE', message, `write ${expected}, or rename the file`, ['preset']);
  }
  return { name, summary, parameters: new Map(Object.entries(parameters)), document };
}
