import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { loadYaml } from '../../src/yaml/load.ts';
import { listOf, text } from '../../src/yaml/scalar.ts';
import type { YamlPath } from '../../src/yaml/tree.ts';
import { validate } from '../../src/yaml/validate.ts';

function run<T>(schema: z.ZodType<T>, given: string, at?: YamlPath) {
  const { document } = loadYaml('f.yaml', given);
  assert.ok(document !== null);
  return validate(document, schema, at);
}

const address = z.strictObject({ is: listOf(text).optional(), domain: text.optional() });
const conditions = z.strictObject({
  author: address.optional(),
  size: z.union([z.strictObject({ above: text }), z.strictObject({ below: text })]).optional(),
  subject: z.union([text, z.strictObject({ like: text, raw: z.enum(['true', 'false']).optional() })]).optional(),
});
const rule = z.strictObject({
  name: text,
  when: conditions,
  mode: z.union([z.literal('on'), z.enum(['shadow', 'off'])]).optional(),
  tags: z.array(text).max(2).optional(),
  action: z
    .discriminatedUnion('do', [z.strictObject({ do: z.literal('reject') }), z.strictObject({ do: z.literal('defer') })])
    .optional(),
  sets: z.record(z.string().regex(/^[a-z]+$/), z.strictObject({ file: text })).optional(),
});
const file = z.strictObject({ version: z.literal('1'), rules: z.array(rule).min(1) });

/** What is given stands in line 3, behind `rules:` and a rule's name. */
const cases: readonly { name: string; given: string; expect: readonly string[] }[] = [
  { name: 'nothing wrong', given: 'when: { author: { is: a } }', expect: [] },
  {
    name: 'an unknown key with a near one',
    given: 'when: { auhtor: { is: a } }',
    expect: ['3:13+6 E_UNKNOWN_KEY unknown key "auhtor" (did you mean "author"?)'],
  },
  {
    name: 'an unknown key with no near one',
    given: 'when: { weather: rain }',
    expect: ['3:13+7 E_UNKNOWN_KEY unknown key "weather" (known here: author, size, subject)'],
  },
  {
    name: 'two unknown keys',
    given: 'when: { foo: a, bar: b }',
    expect: [
      '3:13+3 E_UNKNOWN_KEY unknown key "foo" (known here: author, size, subject)',
      '3:21+3 E_UNKNOWN_KEY unknown key "bar" (known here: author, size, subject)',
    ],
  },
  {
    name: 'a missing key',
    given: 'mode: off',
    expect: ['2:5+7 E_MISSING_KEY the key "when" is missing (add when: …)'],
  },
  {
    name: 'text for a mapping',
    given: 'when: always',
    expect: ['3:11+6 E_TYPE expected a mapping, found "always" (write key: value in the lines below, indented)'],
  },
  {
    name: 'a list for a mapping',
    given: 'when:\n      - author: a',
    expect: ['3:5+4 E_TYPE expected a mapping, found a list (take the dashes away)'],
  },
  {
    name: 'a mapping for a text or a list of them',
    given: 'when: { author: { is: { a: b } } }',
    expect: ['3:27+8 E_TYPE expected a list or text, found a mapping'],
  },
  {
    name: 'a list within a list of texts',
    given: 'when: { author: { is: [a, [b]] } }',
    expect: ['3:31+3 E_TYPE expected text, found a list (write one text; if the brackets belong to it: "[b]")'],
  },
  {
    name: 'a fixed word',
    given: 'mode: shaddow\n    when: {}',
    expect: ['3:11+7 E_VALUE expected "on", "shadow" or "off", found "shaddow" (did you mean "shadow"?)'],
  },
  {
    name: 'a list for a fixed word',
    given: 'mode: [on]\n    when: {}',
    expect: ['3:11+4 E_TYPE expected text, found a list'],
  },
  {
    name: 'a union: the branch with that key',
    given: 'when: { size: { belwo: 1, below: [2] } }',
    expect: [
      '3:21+5 E_UNKNOWN_KEY unknown key "belwo" (did you mean "below"?)',
      '3:38+3 E_TYPE expected text, found a list (write one text; if the brackets belong to it: "[2]")',
    ],
  },
  {
    name: 'a union: the branch of that kind',
    given: 'when: { subject: { like: x, rwa: true } }',
    expect: ['3:33+3 E_UNKNOWN_KEY unknown key "rwa" (did you mean "raw"?)'],
  },
  {
    name: 'a union: no branch of that kind',
    given: 'when: { subject: [x] }',
    expect: ['3:22+3 E_TYPE expected text or a mapping, found a list'],
  },
  {
    name: 'a union told apart by a key',
    given: 'when: {}\n    action: { do: rejct }',
    expect: ['4:19+5 E_VALUE expected "reject" or "defer", found "rejct" (did you mean "reject"?)'],
  },
  {
    name: 'a union told apart by a key that is missing',
    given: 'when: {}\n    action: {}',
    expect: ['4:5+6 E_MISSING_KEY the key "do" is missing (add do: …)'],
  },
  {
    name: 'too many',
    given: 'when: {}\n    tags: [a, b, c]',
    expect: ['4:11+9 E_TOO_MANY the list is too long: at most 2 entries'],
  },
  {
    name: 'a name that is not possible',
    given: 'when: {}\n    sets: { A1: { file: x } }',
    expect: ['4:13+2 E_VALUE "A1" cannot be a name here'],
  },
  {
    name: 'several at once, in order',
    given: 'modes: on\n    when: { author: x }',
    expect: [
      '3:5+5 E_UNKNOWN_KEY unknown key "modes" (did you mean "mode"?)',
      '4:21+1 E_TYPE expected a mapping, found "x" (write key: value in the lines below, indented)',
    ],
  },
];

function told(diagnostics: ReturnType<typeof run>['diagnostics']): readonly string[] {
  return diagnostics.map(({ code, message, hint, place }) => {
    const fix = hint === null ? '' : ` (${hint})`;
    return `${place.line}:${place.column}+${place.length} ${code} ${message}${fix}`;
  });
}

for (const { name, given, expect } of cases) {
  test(name, () => {
    const { value, diagnostics } = run(rule, `rules:\n  - name: x\n    ${given}\n`, ['rules', 0]);
    assert.deepEqual(told(diagnostics), expect);
    assert.equal(value === null, expect.length > 0);
  });
}

test('what the root lacks is nowhere in the file', () => {
  const { diagnostics } = run(file, 'rules: []\n');
  assert.deepEqual(told(diagnostics), [
    '0:1+1 E_MISSING_KEY the key "version" is missing (add version: 1)',
    '1:8+2 E_EMPTY the list is too short (write at least 1 entry)',
  ]);
});

test('a value that is not there', () => {
  const { diagnostics } = run(rule, 'version: 1\n', ['rules', 0]);
  assert.deepEqual(told(diagnostics), ['1:1+10 E_MISSING_KEY the key "0" is missing (add 0: …)']);
});

test("a schema's own message, code and hint are kept", () => {
  const schema = z.strictObject({
    a: text.refine(() => false, { error: 'not a', params: { code: 'E_PATTERN', hint: 'do b' } }),
    b: text.refine(() => false),
    c: z.string().regex(/^x/, 'begins with x'),
    d: z.enum(['x'], { error: () => 'only x' }),
    e: z.string().regex(/^x/),
  });
  const { diagnostics } = run(schema, 'a: 1\nb: 2\nc: 3\nd: 4\ne: 5\n');
  assert.deepEqual(told(diagnostics), [
    '1:4+1 E_PATTERN not a (do b)',
    '2:4+1 E_VALUE this value is not possible here',
    '3:4+1 E_VALUE begins with x',
    '4:4+1 E_VALUE only x (write x)',
    '5:4+1 E_VALUE "5" is not possible here',
  ]);
});

test('an issue at a key that the schema names itself', () => {
  const schema = z.strictObject({ a: text, b: text }).superRefine((_, context) => {
    context.addIssue({ code: 'custom', path: ['b'], message: 'not beside a', params: { code: 'E_NOT_ALLOWED' } });
  });
  assert.deepEqual(told(run(schema, 'a: 1\nb: 2\n').diagnostics), ['2:4+1 E_NOT_ALLOWED not beside a']);
});

test('a long value is shown by its beginning, and the kinds of values have names', () => {
  const words = Array.from({ length: 21 }, (_, n) => `word-${n}`);
  const schema = z.strictObject({ list: z.array(text), word: z.enum(words), flag: z.boolean(), number: z.number() });
  const long = 'y'.repeat(41);
  const { diagnostics } = run(schema, `list: ${long}\nword: nothing-like-it\nflag: a\nnumber: b\n`);
  assert.deepEqual(told(diagnostics), [
    `1:7+41 E_TYPE expected a list, found "${'y'.repeat(40)}…" (write a dash and a space in front of each entry)`,
    `2:7+15 E_VALUE expected ${words
      .slice(0, -1)
      .map((word) => `"${word}"`)
      .join(', ')} or "word-20", found "nothing-like-it"`,
    '3:7+1 E_TYPE expected true or false, found "a"',
    '4:9+1 E_TYPE expected a number, found "b"',
  ]);
});
