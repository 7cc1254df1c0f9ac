/**
 * describe - every key of the configuration file, from the schema: for reference documentation.
 */
import { z } from 'zod';
import { configSchema } from './schema.ts';

export interface KeyDescription {
  /** `listen[].lmtp`, `downstreams.NAME.maildir`. */
  readonly path: string;
  readonly type: string;
  /** As it would stand in the file; null where the key is required, or its default is said in the description. */
  readonly default: string | null;
  readonly required: boolean;
  readonly description: string;
  readonly example: string | null;
}

type Schema = z.core.JSONSchema.BaseSchema;

/** In the order of the schema, each key before the keys inside it. */
export function describeConfig(): readonly KeyDescription[] {
  const schema = z.toJSONSchema(configSchema, {
    io: 'input',
    unrepresentable: 'any',
    // Left out by zod where a value is transformed; ours stand as they would in the file.
    override: ({ zodSchema, jsonSchema }) => {
      const { examples } = z.globalRegistry.get(zodSchema) ?? {};
      if (Array.isArray(examples)) jsonSchema.examples = [...examples];
    },
  });
  return keysIn(schema, '');
}

function keysIn(schema: Schema, path: string): readonly KeyDescription[] {
  const items = schema.items;
  const values = schema.additionalProperties;
  if (isSchema(items)) return keysIn(items, `${path}[]`);
  if (isSchema(values)) return keysIn(values, `${path}.NAME`);
  return Object.entries(schema.properties ?? {}).flatMap(([key, value]) => {
    if (!isSchema(value)) return [];
    const inner = path === '' ? key : `${path}.${key}`;
    return [row(inner, value, schema.required?.includes(key) ?? false), ...keysIn(value, inner)];
  });
}

function row(path: string, schema: Schema, required: boolean): KeyDescription {
  const [example] = schema.examples ?? [];
  return {
    path,
    type: typeOf(schema),
    default: written(schema.default),
    required,
    description: schema.description ?? '',
    example: written(example),
  };
}

/** A text or a list of texts as it would stand in the file. */
function written(value: unknown): string | null {
  if (typeof value === 'string') return value;
  return Array.isArray(value) ? JSON.stringify(value) : null;
}

function typeOf(schema: Schema): string {
  if (schema.title !== undefined) return schema.title;
  if (schema.type === 'array') return 'list';
  return schema.type === 'object' ? 'mapping' : 'text';
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
