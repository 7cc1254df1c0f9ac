/**
 * json-schema - a zod schema over YAML text as a JSON Schema (draft-07) for editors.
 *
 * We read every scalar as text; an editor reads YAML's core schema, for which `true`, `5` and `1.5` are no texts. Which of
 * these a value may be is asked of the schema itself. What loads is never underlined; of what does not load, that which
 * takes more than the shape to see (a set that is not there) is left to `postern check`.
 */
import { CORE_SCHEMA, load } from 'js-yaml';
import { z } from 'zod';

export interface JsonSchema extends z.core.JSONSchema.BaseSchema {
  definitions?: Record<string, JsonSchema | boolean>;
}
type Type = 'string' | 'boolean' | 'number' | 'integer';

/** Texts that YAML's core schema reads as something else; one of a kind that is taken stands for the kind. */
const PROBES = [
  { type: 'boolean', texts: ['true', 'false'] },
  { type: 'number', texts: ['1.5', '0.25', '-1.5'] },
  { type: 'integer', texts: ['0', '1', '2', '5', '20', '100', '660', '-1'] },
] as const;
const TEXT_TYPES = new Set<unknown>(['string', 'boolean', 'number', 'integer']);

/** The whole schema, `$schema` and definitions included. */
export function toJsonSchema(schema: z.ZodType): JsonSchema {
  const made = z.toJSONSchema(schema, {
    target: 'draft-07',
    io: 'input',
    unrepresentable: 'any',
    override({ zodSchema, jsonSchema }) {
      // Left out by zod where a value is transformed; ours stand as they would in the file.
      const { examples } = z.globalRegistry.get(zodSchema) ?? {};
      if (Array.isArray(examples)) jsonSchema.examples = [...examples];
      if (isText(jsonSchema)) jsonSchema.type = typesOf(zodSchema);
      const wants = jsonSchema.type === 'object' && jsonSchema.required === undefined;
      if (wants && !z.safeParse(zodSchema, {}).success) jsonSchema.minProperties = 1;
    },
  });
  const { definitions = {}, ...rest } = tidy(made);
  if (Object.keys(definitions).length === 0) return rest;
  // Who refers to one of them has examples of its own.
  const plain = Object.entries(definitions).map(([name, one]) => {
    if (!isSchema(one)) return [name, one] as const;
    const { examples: _, ...plainly } = one;
    return [name, plainly] as const;
  });
  return { ...rest, definitions: Object.fromEntries(plain) };
}

/** A text as an editor reads it in a YAML file; a text that is no YAML by itself is a text. */
export function asEditorsRead(text: string): unknown {
  try {
    return load(text, { schema: CORE_SCHEMA }) ?? text;
  } catch {
    return text;
  }
}

function isText({ type, enum: words, const: word }: JsonSchema): boolean {
  if (words !== undefined || word !== undefined || type === undefined) return false;
  return [type].flat().every((one) => TEXT_TYPES.has(one));
}

function typesOf(schema: z.core.$ZodType): NonNullable<JsonSchema['type']> {
  const takes = (text: string): boolean => z.safeParse(schema, text).success;
  const others = PROBES.filter(({ texts }) => texts.some(takes)).map(({ type }) => type);
  // Every integer is a number.
  const types: Type[] = ['string', ...others.filter((type) => type !== 'integer' || !others.includes('number'))];
  return types.length === 1 ? 'string' : types;
}

/** Examples, defaults and fixed words as editors read them; what says nothing is left out. */
function tidy(schema: JsonSchema): JsonSchema {
  const { examples = [], default: otherwise, const: word, propertyNames: _, ...rest } = mapChildren(schema, tidy);
  const told: JsonSchema = { ...rest };
  if (examples.length > 0) told.examples = unique(examples.map(read));
  if (otherwise !== undefined && !isEmptyMapping(otherwise)) told.default = read(otherwise) as NonNullable<unknown>;
  if (word !== undefined) fix(told, String(word));
  if (told.examples === undefined) {
    const examples = examplesOf(told);
    if (examples.length > 0) told.examples = [...examples];
  }
  return told.anyOf === undefined ? told : oneOrMany(told, told.anyOf.filter(isSchema));
}

/**
 * A union, of which editors tell most where mappings come first, lists last, and branches do not repeat what the union
 * says. A text or a list of texts needs no union.
 */
function oneOrMany(union: JsonSchema, branches: readonly JsonSchema[]): JsonSchema {
  const titled = union.title !== undefined;
  const plain = (branch: JsonSchema): JsonSchema => {
    const { title: _, examples: __, ...rest } = branch;
    return titled && branch.type !== 'object' ? rest : branch;
  };
  const single = [
    ...branches.filter(({ type }) => type === 'object'),
    ...branches.filter(({ type }) => type !== 'object' && type !== 'array').map(plain),
  ];
  const lists = branches
    .filter(({ type }) => type === 'array')
    .map((list) => ({ ...plain(list), ...(isSchema(list.items) ? { items: plain(list.items) } : {}), title: 'list' }));
  const [one, list] = [single[0], lists[0]];
  if (branches.length !== 2 || one === undefined || list === undefined || !isText(one) || !titled) {
    return { ...union, anyOf: [...single, ...lists] };
  }
  const { anyOf: _, ...said } = union;
  const { type: __, title: ___, ...ofList } = list;
  return { ...one, ...ofList, ...said, type: ['array', ...[one.type ?? []].flat()] };
}

/** One word, with quotes or without. */
function fix(schema: JsonSchema, word: string): void {
  const plain = asEditorsRead(word);
  if (typeof plain === 'string') {
    Object.assign(schema, { type: 'string', enum: [word] });
    return;
  }
  const bounds = typeof plain === 'number' ? { minimum: plain, maximum: plain } : {};
  const type = typeof plain === 'number' ? 'integer' : 'boolean';
  Object.assign(schema, { type: [type, 'string'], pattern: `^${word}$`, ...bounds, examples: [plain] });
}

/** What stands in a list already is a text or a scalar. */
function read(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((one: unknown) => (isSchema(read(one)) ? one : read(one)));
  return typeof value === 'string' ? asEditorsRead(value) : value;
}

/** What can be said where nobody gave an example: the words there are, or a key with an example of its own. */
function examplesOf({
  type,
  enum: words,
  anyOf = [],
  items,
  properties = {},
  required = [],
}: JsonSchema): readonly unknown[] {
  if (words !== undefined) return words.slice(0, 2);
  if ([type].flat().includes('boolean') && ![type].flat().includes('number')) return [true];
  if (type === 'array' && isSchema(items)) return (items.examples ?? []).slice(0, 1).map((one) => [one]);
  if (anyOf.length > 0)
    return anyOf.filter(isSchema).findLast(({ examples }) => examples !== undefined)?.examples ?? [];
  const keys = required.length > 0 ? required : Object.keys(properties).slice(0, 1);
  const entries = keys.flatMap((key) => {
    const [example] = isSchema(properties[key]) ? (properties[key].examples ?? []) : [];
    return example === undefined ? [] : [[key, example] as const];
  });
  return entries.length > 0 && entries.length === keys.length ? [Object.fromEntries(entries)] : [];
}

/** The same schema with `change` made to each schema directly in it. */
export function mapChildren(schema: JsonSchema, change: (child: JsonSchema) => JsonSchema): JsonSchema {
  const one = (value: unknown): unknown => (isSchema(value) ? change(value) : value);
  const inMapping = (value: object): unknown =>
    Object.fromEntries(Object.entries(value).map(([key, child]) => [key, one(child)]));
  const entries = Object.entries(schema).map(([key, value]) => {
    if (['items', 'additionalProperties', 'propertyNames', 'not'].includes(key)) return [key, one(value)];
    if (['anyOf', 'allOf', 'oneOf'].includes(key) && Array.isArray(value)) return [key, value.map(one)];
    const named = ['properties', 'patternProperties', 'definitions'].includes(key);
    return [key, named && isSchema(value) ? inMapping(value) : value];
  });
  return Object.fromEntries(entries) as JsonSchema;
}

export function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isEmptyMapping(value: unknown): boolean {
  return isSchema(value) && Object.keys(value).length === 0;
}

function unique(values: readonly unknown[]): unknown[] {
  const seen = new Set<string>();
  return values.filter((value) => {
    const id = JSON.stringify(value);
    return !seen.has(id) && seen.add(id);
  });
}
