/**
 * What an editor is told of a schema over YAML text: which of YAML's own types a text may be, words with and without quotes.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { asEditorsRead, type JsonSchema, mapChildren, toJsonSchema } from '../../src/yaml/json-schema.ts';
import { flag, listOf, text } from '../../src/yaml/scalar.ts';

const ANY = ['string', 'boolean', 'number'];
const FLAG = {
  title: 'true or false',
  pattern: '^(true|false)$',
  type: ['string', 'boolean'],
  examples: [true, false],
};

const cases: readonly { readonly name: string; readonly schema: z.ZodType; readonly expect: JsonSchema }[] = [
  { name: 'any text may look like another type', schema: text, expect: { type: ANY, title: 'text' } as JsonSchema },
  { name: 'a text that is one of two', schema: flag, expect: FLAG as JsonSchema },
  {
    name: 'a text or a list of them needs no union',
    schema: listOf(text),
    expect: {
      type: ['array', ...ANY],
      minItems: 1,
      items: { type: ANY },
      title: 'text, or a list of them',
    } as unknown as JsonSchema,
  },
  {
    name: 'words are their own examples',
    schema: z.enum(['a', 'b', 'c']),
    expect: { type: 'string', enum: ['a', 'b', 'c'], examples: ['a', 'b'] },
  },
  {
    name: 'a number that is one word',
    schema: z.literal('1'),
    expect: {
      type: ['integer', 'string'],
      pattern: '^1$',
      minimum: 1,
      maximum: 1,
      examples: [1],
    } as unknown as JsonSchema,
  },
  {
    name: 'true as the one word',
    schema: z.literal('true'),
    expect: { type: ['boolean', 'string'], pattern: '^true$', examples: [true] } as unknown as JsonSchema,
  },
  {
    name: 'a word as the one word',
    schema: z.literal('word'),
    expect: { type: 'string', enum: ['word'], examples: ['word'] },
  },
  {
    name: 'a mapping without an example shows those of what it must have, as an editor reads them',
    schema: z.strictObject({ a: text.meta({ examples: ['1'] }), b: flag.optional() }),
    expect: {
      type: 'object',
      properties: { a: { type: ANY, title: 'text', examples: [1] }, b: FLAG },
      required: ['a'],
      additionalProperties: false,
      examples: [{ a: 1 }],
    } as unknown as JsonSchema,
  },
  {
    name: 'of a union mappings come first, lists last, and an example that is no YAML is a text',
    schema: z.union([text, z.array(text), z.strictObject({ x: flag })]).meta({ title: 't', examples: ['5', '{a'] }),
    expect: {
      anyOf: [
        {
          type: 'object',
          properties: { x: FLAG },
          required: ['x'],
          additionalProperties: false,
          examples: [{ x: true }],
        },
        { type: ANY },
        { type: 'array', items: { type: ANY }, title: 'list' },
      ],
      title: 't',
      examples: [5, '{a'],
    } as unknown as JsonSchema,
  },
  {
    name: 'a mapping that must not be empty, with a default that says nothing left out',
    schema: z.strictObject({ a: flag.optional(), b: flag.optional() }).refine((given) => Object.keys(given).length > 0),
    expect: {
      type: 'object',
      properties: { a: FLAG, b: FLAG },
      additionalProperties: false,
      minProperties: 1,
      examples: [{ a: true }],
    } as unknown as JsonSchema,
  },
];

for (const { name, schema, expect } of cases) {
  test(`toJsonSchema: ${name}`, () => {
    const { $schema, ...told } = toJsonSchema(schema);
    assert.equal($schema, 'http://json-schema.org/draft-07/schema#');
    assert.deepEqual(told, expect);
  });
}

test('asEditorsRead: a text as YAML reads it, and as it stands where it is none', () => {
  assert.deepEqual(
    ['5', 'a: b', '{', '', 'yes'].map((source) => asEditorsRead(source)),
    [5, { a: 'b' }, '{', '', 'yes'],
  );
});

test('mapChildren: every schema directly below, and nothing else', () => {
  const schema = {
    title: 't',
    items: { type: 'string' },
    additionalProperties: false,
    anyOf: [{ type: 'number' }],
    properties: { a: { type: 'boolean' } },
  } as unknown as JsonSchema;
  const marked = mapChildren(schema, (child) => ({ ...child, title: 'child' }));
  assert.deepEqual(marked, {
    title: 't',
    items: { type: 'string', title: 'child' },
    additionalProperties: false,
    anyOf: [{ type: 'number', title: 'child' }],
    properties: { a: { type: 'boolean', title: 'child' } },
  });
});
