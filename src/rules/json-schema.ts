/**
 * json-schema - the files of rules as JSON Schemas for editors, made from the objects that the files are read with.
 *
 * A preset may write `$name`, or use it as a key, wherever a value of its rules stands; what comes of that is seen when a
 * list extends it. The presets that a list may extend are offered with their parameters; others are no error, because a
 * site may have its own.
 */
import { isDeepStrictEqual } from 'node:util';
import { isSchema, type JsonSchema, mapChildren, toJsonSchema } from '../yaml/json-schema.ts';
import { type FileKind, fileSchemas } from './file-schema.ts';
import { writtenSchema } from './arguments.ts';
import { type Parameter, setKindOf } from './parameters.ts';
import type { Presets } from './preset.ts';

const PARAMETER = '^\\$[A-Za-z]\\w*$';
/** The keys of a preset in which names of parameters may stand. */
const SUBSTITUTED = ['sets', 'conditions', 'rules'];

export function rulesSchema(kind: FileKind, presets: Presets): JsonSchema {
  const schema = describeActions(toJsonSchema(fileSchemas[kind]));
  if (kind === 'preset') return withParameters(schema);
  return kind === 'list' ? withPresets(schema, presets) : schema;
}

/** What an action says of itself, said at its key, where an editor asks for it. */
function describeActions(schema: JsonSchema): JsonSchema {
  const describe = (form: JsonSchema, action: JsonSchema): JsonSchema => {
    const { title: name = '', description = '', examples = [] } = action;
    const key = form.properties?.[name];
    if (!isSchema(key)) return form;
    const own = key.description === undefined ? '' : ` ${key.description}`;
    const values = examples.flatMap((one) => (isSchema(one) && name in one ? [Object.entries(one)[0]?.[1]] : []));
    const said = { ...key, title: name, description: `${description}${own}`, examples: values };
    return { ...form, properties: { ...form.properties, [name]: said } };
  };
  return inDefinition(schema, 'action', (action) => ({
    ...action,
    anyOf: (action.anyOf ?? []).filter(isSchema).map((one) => {
      const { anyOf, ...alone } = one;
      if (anyOf === undefined) return describe(alone, one);
      return { ...alone, anyOf: anyOf.filter(isSchema).map((form) => describe(form, one)) };
    }),
  }));
}

function withPresets(schema: JsonSchema, presets: Presets): JsonSchema {
  const { extends: extended, with: given } = schema.properties ?? {};
  if (!isSchema(extended) || !isSchema(given)) throw new Error('the file of a list has no `extends` or no `with`');
  const name = {
    anyOf: [
      ...[...presets.values()].map((preset) => ({ const: preset.name, description: preset.summary })),
      { type: 'string' },
    ],
  };
  const parameters = new Map<string, readonly JsonSchema[]>();
  for (const preset of presets.values()) {
    const own = [...preset.parameters].map(([key, parameter]) => [key, parameterSchema(parameter)] as const);
    for (const [key, value] of own) parameters.set(key, [...(parameters.get(key) ?? []), value]);
    const alone: JsonSchema = {
      type: 'object',
      description: `For ${preset.name} alone. ${preset.summary}`,
      properties: Object.fromEntries(own),
      examples: own.slice(0, 1).map(([key, { examples = [] }]) => ({ [key]: examples[0] })),
    };
    parameters.set(preset.name, [alone]);
  }
  return {
    ...schema,
    properties: {
      ...schema.properties,
      extends: { ...extended, anyOf: [{ type: 'array', items: name, minItems: 1 }, ...name.anyOf] },
      with: { ...given, properties: Object.fromEntries([...parameters].map(([key, all]) => [key, anyOf(all)])) },
    },
  } as JsonSchema;
}

/** What a parameter may be that several presets have; where they differ, the value may be for one of them alone. */
function anyOf(all: readonly JsonSchema[]): JsonSchema {
  const asked = all.map(({ title: _, description: __, examples: ___, ...rest }) => rest);
  const distinct = asked.filter((one, index) => asked.findIndex((other) => isDeepStrictEqual(other, one)) === index);
  const [first = {}] = all;
  if (distinct.length < 2) return first;
  return {
    title: all.map(({ title }) => title).join(' or '),
    description: all.map(({ description }) => description).join(' Or: '),
    examples: all.flatMap(({ examples = [] }) => examples),
    anyOf: distinct,
  };
}

/** What a list may give for a parameter. */
function parameterSchema(parameter: Parameter): JsonSchema {
  const { description, default: otherwise, example = otherwise } = parameter;
  const isSet = setKindOf(parameter) !== null;
  const { $schema: _, ...schema } = toJsonSchema(
    writtenSchema(parameter).meta({
      title: isSet ? 'set or addresses' : parameter.type,
      description,
      examples: [example],
    }),
  );
  return schema;
}

function withParameters(schema: JsonSchema): JsonSchema {
  const substituted = Object.entries(schema.properties ?? {}).map(([key, value]) => [
    key,
    isSchema(value) && SUBSTITUTED.includes(key) ? orParameter(value) : value,
  ]);
  const definitions = Object.entries(schema.definitions ?? {}).map(([key, value]) => [
    key,
    isSchema(value) ? orParameter(value) : value,
  ]);
  return {
    ...schema,
    properties: Object.fromEntries(substituted) as NonNullable<JsonSchema['properties']>,
    definitions: Object.fromEntries(definitions) as NonNullable<JsonSchema['definitions']>,
  };
}

/** The same, or the name of a parameter; and in mappings names of parameters for keys. */
function orParameter(schema: JsonSchema): JsonSchema {
  const { title, description, examples, ...asked } = mapChildren(schema, orParameter);
  const said = Object.fromEntries(Object.entries({ title, description, examples }).filter(([, told]) => told));
  if (asked.$ref !== undefined) return { ...said, ...asked };
  const parameter = { type: 'string', pattern: PARAMETER } as const;
  if (asked.anyOf !== undefined) return { ...said, ...asked, anyOf: [...asked.anyOf, parameter] };
  const { required: _, ...keyed } = asked;
  const open = asked.additionalProperties === false ? { ...keyed, patternProperties: { [PARAMETER]: {} } } : asked;
  return { ...said, anyOf: [open, parameter] };
}

function inDefinition(schema: JsonSchema, name: string, change: (found: JsonSchema) => JsonSchema): JsonSchema {
  const found = schema.definitions?.[name];
  if (!isSchema(found)) throw new Error(`the schema defines no "${name}"`);
  return { ...schema, definitions: { ...schema.definitions, [name]: change(found) } };
}
