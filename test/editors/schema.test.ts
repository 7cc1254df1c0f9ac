/**
 * The JSON Schemas in docs/schema, asked by ajv in strict mode: whatever loads is valid, mistakes of shape are not, and
 * every key says what it is for.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { test } from 'node:test';
import { Ajv, type ValidateFunction } from 'ajv';
import { CORE_SCHEMA, load } from 'js-yaml';
import { asEditorsRead, isSchema, type JsonSchema, toJsonSchema } from '../../src/yaml/json-schema.ts';
import { examplesIn } from '../docs/examples.ts';
import { amount, count, decimal, duration, flag, frequency } from '../../src/yaml/scalar.ts';

const KINDS = ['list', 'system', 'preset', 'configuration'] as const;
type Kind = (typeof KINDS)[number];

// A value may be a text or what YAML takes for a number.
const ajv = new Ajv({ strict: true, allowUnionTypes: true, allErrors: true });
const schemas = Object.fromEntries(KINDS.map((kind) => [kind, schemaOf(kind)])) as Record<Kind, JsonSchema>;
const validators = Object.fromEntries(KINDS.map((kind) => [kind, ajv.compile(schemas[kind])])) as Record<
  Kind,
  ValidateFunction
>;

function schemaOf(kind: Kind): JsonSchema {
  return JSON.parse(readFileSync(join('docs', 'schema', `${kind}.json`), 'utf8')) as JsonSchema;
}

function kindOf(file: string): Kind {
  const name = basename(file, '.yaml');
  if (name.startsWith('postern')) return 'configuration';
  if (name === 'system') return 'system';
  const ofList = /\/lists\//.test(file) || ['gardeners', '_default'].includes(name);
  return ofList ? 'list' : 'preset';
}

function yamlBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => join(folder, name))
    .sort();
}

for (const file of [...yamlBelow('rules'), ...yamlBelow('examples')]) {
  test(`${file} is valid`, () => {
    const validate = validators[kindOf(file)];
    validate(load(readFileSync(file, 'utf8'), { schema: CORE_SCHEMA }));
    assert.deepEqual(validate.errors ?? [], []);
  });
}

for (const page of ['README.md', ...readdirSync('docs').filter((name) => name.endsWith('.md'))]) {
  const examples = examplesIn(page, readFileSync(page === 'README.md' ? page : join('docs', page), 'utf8'));
  for (const { place, kind, text, told } of examples) {
    if (told !== null) continue;
    test(`${place} is valid`, () => {
      const validate = validators[kind];
      validate(load(text, { schema: CORE_SCHEMA }));
      assert.deepEqual(validate.errors ?? [], []);
    });
  }
}

test('a file that names its schema names the one of its kind', () => {
  const named = yamlBelow('examples').flatMap((file) => {
    const [, path] = /^# yaml-language-server: \$schema=(\S+)/.exec(readFileSync(file, 'utf8')) ?? [];
    return path === undefined ? [] : [[join(dirname(file), path), join('docs', 'schema', `${kindOf(file)}.json`)]];
  });
  assert.ok(named.length >= 3);
  for (const [path, expected] of named) assert.equal(path, expected);
});

/** What a schema sees: the keys there are, and what kind of value they hold. */
const OF_SHAPE = ['E_UNKNOWN_KEY', 'E_TYPE', 'E_EMPTY', 'E_DURATION', 'E_STATUS', 'E_MISSING_KEY', 'E_AMOUNT'];
/** Mistakes of these codes that no schema sees. */
const UNSEEN: Readonly<Record<string, string>> = {
  'c17-no-last-route': 'it takes all routes together',
  'c19-downstream-of-two-kinds': 'keys that exclude each other',
  'c20-listener-of-two-kinds': 'keys that exclude each other',
  'c36-out-of-range': 'a duration that is too long',
  'e02-skip': 'the mistake is in the file beside',
  'e07-preset-without-value': 'it takes the preset',
  'e11-parameters': 'the type stands beside the value',
  'f06-case-of-the-system': 'the list is known in the file of a list alone',
  'r08-not-in-this-version': 'it takes the preset',
};
const shapes: string[] = [];

for (const file of yamlBelow('test/bad-rules')) {
  const folder = join(file, '..');
  if (!existsSync(join(folder, 'expected.txt'))) continue;
  const told = readFileSync(join(folder, 'expected.txt'), 'utf8');
  const seen = OF_SHAPE.filter((code) => told.includes(code));
  if (basename(file) !== /^[\w-]+\.yaml/.exec(told)?.[0]) continue;
  if (seen.length === 0 || basename(folder) in UNSEEN) continue;
  shapes.push(file);
  test(`${file} is not valid`, () => {
    const text = readFileSync(file, 'utf8');
    let value: unknown;
    try {
      value = load(text, { schema: CORE_SCHEMA });
    } catch {
      // An editor underlines what is no YAML by itself.
      return;
    }
    assert.ok(!validators[kindOf(file)](value), seen.join(', '));
  });
}

test('there are mistakes of shape to try', () => assert.ok(shapes.length >= 40, String(shapes.length)));

interface Key {
  readonly path: string;
  readonly schema: JsonSchema;
}

/** Every key of a file, each with its schema. */
function keysIn(schema: JsonSchema, path: string): readonly Key[] {
  const own = Object.entries(schema.properties ?? {}).flatMap(([key, value]) =>
    isSchema(value) ? [{ path: `${path}.${key}`, schema: value }, ...keysIn(value, `${path}.${key}`)] : [],
  );
  const inner = [schema.items, schema.additionalProperties, ...(schema.anyOf ?? []), ...(schema.allOf ?? [])];
  const definitions = Object.entries(schema.definitions ?? {}).flatMap(([name, value]) =>
    isSchema(value) ? keysIn(value, `#${name}`) : [],
  );
  return [...own, ...inner.flatMap((one) => (isSchema(one) ? keysIn(one, path) : [])), ...definitions];
}

for (const kind of KINDS) {
  test(`every key of ${kind} says what it is for, and its examples are valid`, () => {
    const keys = keysIn(schemas[kind], kind);
    assert.ok(keys.length > 40);
    for (const { path, schema } of keys) {
      assert.ok((schema.description ?? '').length > 0, `${path} has no description`);
      assert.ok((schema.examples ?? []).length > 0, `${path} has no example`);
      const validate = ajv.compile({ ...schema, definitions: schemas[kind].definitions ?? {} });
      for (const example of schema.examples ?? []) {
        assert.ok(validate(example), `${path}: ${JSON.stringify(example)} ${JSON.stringify(validate.errors)}`);
      }
    }
  });
}

test('an editor underlines no value that loads', () => {
  const values = [
    { schema: amount(), takes: ['20 MB', '1.5kb', '7 b', '500MB'], refuses: ['20', '20 megabytes', 'MB'] },
    { schema: duration, takes: ['5 minutes', '1 Day', '90seconds'], refuses: ['5', '5 m', 'an hour'] },
    { schema: frequency, takes: ['20 per day', '5 PER 10 minutes'], refuses: ['20', '20/day', 'per day'] },
    { schema: flag, takes: ['true', 'false', '"true"'], refuses: ['yes', 'True!', '1'] },
    { schema: count, takes: ['0', '100', '"7"'], refuses: ['1.5', '[1]', 'true'] },
    { schema: decimal, takes: ['5', '-1.5', '"2"'], refuses: ['true', '{}'] },
  ];
  for (const { schema, takes, refuses } of values) {
    const validate = ajv.compile(toJsonSchema(schema));
    for (const text of takes) assert.ok(validate(asEditorsRead(text)), text);
    for (const text of refuses) assert.ok(!validate(asEditorsRead(text)), text);
  }
});
