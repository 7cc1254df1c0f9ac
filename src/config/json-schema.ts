/**
 * json-schema - the configuration file as a JSON Schema for editors, made from the schema it is read with.
 */
import { type JsonSchema, toJsonSchema } from '../yaml/json-schema.ts';
import { configSchema } from './schema.ts';

export function configurationSchema(): JsonSchema {
  return toJsonSchema(
    configSchema.meta({
      title: 'Postern: configuration',
      description: 'Where mail comes in, where it goes, how much.',
    }),
  );
}
