/**
 * parameters - what a preset asks of the list that extends it: the kinds there are, and what is wrong with a value.
 *
 *     parameters:
 *       members:
 *         type: addresses
 *         description: Who may post.
 *         example: { file: rosters/gardeners.txt }
 *
 * A parameter without a default must be given; its example is what the preset is tried with then.
 */
import { z } from 'zod';
import type { YamlValue } from '../yaml/load.ts';
import { amount, count, duration, flag, frequency, listOf, scalar, text } from '../yaml/scalar.ts';
import type { SetKind } from './env.ts';

export const PARAMETER_TYPES = [
  'text',
  'word',
  'addresses',
  'networks',
  'domains',
  'patterns',
  'amount',
  'duration',
  'rate',
  'count',
  'flag',
] as const;

const yaml = z.custom<YamlValue>((value) => value !== undefined);

export const parameterSchema = z
  .strictObject({
    type: z.enum(PARAMETER_TYPES).describe('What its value is.'),
    words: z
      .array(text)
      .min(2)
      .optional()
      .meta({ description: 'The words to choose from, for type: word.', examples: ['[reject, hold]'] }),
    description: text.meta({
      description: 'One sentence for list owners.',
      examples: ['The largest message that is taken.'],
    }),
    default: yaml.optional().meta({ description: 'Its value where the list gives none.', examples: ['5 MB'] }),
    example: yaml.optional().meta({
      description: 'A value, for a parameter that must be given.',
      examples: ['{ file: rosters/gardeners.txt }'],
    }),
  })
  .check((context) => {
    const { issues, value } = context;
    const report = (message: string, hint: string): void => {
      issues.push({ code: 'custom', message, params: { code: 'E_VALUE', hint }, input: value });
    };
    if (issues.length > 0) return;
    if (value.type === 'word' && value.words === undefined) report('a word to choose without words', 'add words');
    if (value.type !== 'word' && value.words !== undefined) report('words are for type: word', 'take them out');
    if (value.default === undefined && value.example === undefined) {
      report('a parameter needs a default or an example', 'add an example where the list must give the value');
    }
  });

export type Parameter = z.output<typeof parameterSchema>;

/** As `$members` in the values of a preset, and as a key of `with`. */
export const parameterName = scalar('name', ['members'], (source) => {
  if (/^[a-z][a-z0-9_]{0,39}$/.test(source)) return { value: source };
  const hint = 'use small letters, digits and _, and begin with a letter';
  return { problem: { code: 'E_VALUE', message: `"${source}" cannot be the name of a parameter`, hint } };
});

/** What the members are, where the value is a set; else null. */
export function setKindOf({ type }: Parameter): SetKind | null {
  if (type === 'addresses') return 'mailboxes';
  return type === 'networks' ? 'networks' : null;
}

const domain = scalar('domain', ['example.org', '"*.example.org"'], (source) => {
  if (!/^$|[\s@]/.test(source)) return { value: source };
  const hint = 'write the part behind the @ alone';
  return { problem: { code: 'E_ADDRESS', message: `"${source}" is not a domain`, hint } };
});

/** Made once: schemas are dear, and each list that extends a preset is read with them. */
const SCHEMAS: Readonly<Record<Exclude<Parameter['type'], 'word'>, z.ZodType>> = {
  text,
  addresses: text,
  networks: text,
  domains: listOf(domain),
  patterns: text,
  amount: amount(),
  duration,
  rate: frequency,
  count,
  flag,
};
const words = new WeakMap<Parameter, z.ZodType>();

/** What a value that is no set must be. It stays as it is written: whoever asks it reads it. */
export function valueSchema(parameter: Parameter): z.ZodType {
  if (parameter.type !== 'word') return SCHEMAS[parameter.type];
  const schema = words.get(parameter) ?? z.enum(parameter.words ?? []);
  words.set(parameter, schema);
  return schema;
}
