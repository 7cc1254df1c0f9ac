/**
 * Rules that cannot match are passed over: the verdict, its phase and what is logged are those of asking every rule.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PHASES, type Phase } from '../../src/core/facts.ts';
import { startEvaluation } from '../../src/rules/evaluate.ts';
import type { Given } from '../../src/rules/part.ts';
import { type Program, programFor } from '../../src/rules/program.ts';
import type { Rule } from '../../src/rules/ruleset.ts';
import { factsOf, memoryLog } from './facts.ts';
import { rulesetOf } from './load.ts';

type Json = string | readonly Json[] | { readonly [key: string]: Json };

const WORDS = ['tulips', 'Rose', 'größe', 'straße', 'ſale', 'kelvin', 'a', 'www.example.com', 'ann@example.net'];
const word = fc.constantFrom(...WORDS);
const words = fc.oneof(word, fc.uniqueArray(word, { minLength: 1, maxLength: 3 }));
const pattern = fc.constantFrom(
  'tul+ips',
  'r(o|ö)se|größe',
  'GRÖ(ss|ß)E',
  '(tulips|rose)s?',
  '^(re|aw): .*tulips',
  'sale$',
  '\\bKELVIN\\b',
  '[a-z]+@',
  'example\\.com',
);
const textWord = fc.oneof(
  fc
    .tuple(fc.constantFrom('is', 'contains', 'starts_with', 'ends_with'), words)
    .map(([key, value]): Json => ({ [key]: value })),
  fc.constantFrom('*tulips*', 're: *', '?elvin*', '*', 'STRASSE?*').map((like): Json => ({ like })),
  pattern.map((regex): Json => ({ regex })),
  fc.tuple(word, pattern).map(([contains, regex]): Json => ({ contains, regex })),
  fc.tuple(word, pattern).map(([contains, regex]): Json => ({ contains, regex, raw: 'true' })),
);
const fieldWord = fc.oneof(
  { weight: 4, arbitrary: textWord },
  fc.constantFrom<Json>({ exists: 'true' }, { exists: 'false' }, { empty: 'true' }, { empty: 'false' }),
);
const address = fc.constantFrom('ann@example.net', 'bob@example.org', 'eve@bulk.example');
const addresses = fc.oneof(
  address.map((is): Json => ({ is })),
  fc.constantFrom<Json[]>({ like: '*@example.*' }, { domain: ['example.org', '*.example'] }, { in: '*@bulk.example' }),
  fc.constantFrom<Json[]>(
    { not_in: 'ann@example.net' },
    { in: ['ann@example.net', '*@example.org'] },
    { is: '{list}' },
  ),
);
const condition = fc.oneof(
  { weight: 4, arbitrary: fieldWord.map((subject): Json => ({ subject })) },
  fc
    .tuple(fieldWord, fc.constantFrom('X-Loop', 'Comments', ['X-Loop', 'Comments']))
    .map(([some, name]): Json => ({ header: { name, ...(some as object) } })),
  { weight: 4, arbitrary: textWord.map((body): Json => ({ body })) },
  addresses.map((author): Json => ({ author })),
  addresses.map((from): Json => ({ envelope_from: from })),
  fc.constantFrom<Json[]>({ size: { above: '1 KB' } }, { always: 'true' }),
);
const { when } = fc.letrec<{ when: Json }>((tie) => ({
  when: fc.oneof(
    { maxDepth: 2 },
    { weight: 3, arbitrary: condition },
    fc.array(tie('when'), { minLength: 1, maxLength: 3 }).map((any): Json => ({ any })),
    fc.array(tie('when'), { minLength: 1, maxLength: 3 }).map((all): Json => ({ all })),
    tie('when').map((not): Json => ({ not })),
  ),
}));
const then = fc.oneof(
  { weight: 8, arbitrary: fc.constant<Json>({ note: '{rule}' }) },
  { weight: 1, arbitrary: fc.constantFrom<Json[]>({ reject: 'no' }, { defer: 'wait' }, { discard: 'gone' }, 'relay') },
);
const layer = fc
  .array(fc.record({ when, then }), { minLength: 8, maxLength: 40 })
  .map((some) => some.map((rule, index): Json => ({ name: `rule-${index}`, roles: ['post'], ...rule })));

const line = fc
  .array(fc.constantFrom(...WORDS, ' ', 're: ', 'STRASSE', 'Kelvin'), { maxLength: 4 })
  .map((some) => some.join(''));
const message: fc.Arbitrary<Given> = fc
  .record({
    from: fc.constantFrom('', 'ann@example.net', 'eve@bulk.example'),
    author: fc.constantFrom(
      '',
      'From: ann@example.net',
      'From: bob@example.org, eve@bulk.example',
      'From: gardeners@lists.example.org',
    ),
    fields: fc.array(fc.tuple(fc.constantFrom('Subject', 'X-Loop', 'Comments'), line), { maxLength: 3 }),
    body: line,
  })
  .map(({ author, fields, ...given }) => {
    const lines = fields.map(([name, text]) => `${name}: ${text}`);
    return { ...given, header: [...(author === '' ? [] : [author]), ...lines].join('\n') };
  });

async function ask(program: Program, given: Given, phases: readonly Phase[]): Promise<unknown> {
  const facts = factsOf(given);
  const log = memoryLog();
  const evaluation = startEvaluation(program, log, { trace: false });
  for (const phase of phases) {
    const verdict = await evaluation.advance(facts[phase]);
    if (verdict !== 'later') return { verdict, log: log.lines };
  }
  throw new Error('still later at the end');
}

test('to pass rules over is to ask them', async () => {
  let passed = 0;
  await fc.assert(
    fc.asyncProperty(layer, layer, fc.array(message, { minLength: 1, maxLength: 5 }), async (before, own, messages) => {
      const system = rulesetOf('system', JSON.stringify({ version: '1', before }));
      const list = rulesetOf('list', JSON.stringify({ version: '1', rules: own }));
      const program = programFor(system, list, 'post');
      const every = { ...program, sift: null };
      for (const given of messages) {
        for (const phases of [PHASES, ['content']] as const) {
          assert.deepEqual(await ask(program, given, phases), await ask(every, given, phases));
        }
        const { content } = factsOf(given);
        const open = new Set(program.sift?.(content) ?? program.rules.keys());
        for (const [place, rule] of program.rules.entries()) {
          if (open.has(place)) continue;
          passed += 1;
          assert.equal(await rule.clause.test(content), false, rule.name);
        }
      }
    }),
    { numRuns: Number(process.env['EARLY_RUNS'] ?? 600) / 3, seed: 1 },
  );
  assert.ok(passed > 1000);
});

function rule(name: string, asked: Json, done: Json): Json {
  return Object.fromEntries([
    ['name', name],
    ['when', asked],
    ['then', done],
  ]);
}

/** The rules of a program, each of which tells when it is asked. */
function watched(program: Program): { readonly program: Program; readonly asked: string[] } {
  const asked: string[] = [];
  const rules = program.rules.map((rule): Rule => {
    const { test: original } = rule.clause;
    const clause = {
      ...rule.clause,
      test: (facts: Parameters<typeof original>[0]) => {
        asked.push(rule.name);
        return original(facts);
      },
    };
    return { ...rule, clause };
  });
  return { program: { ...program, rules }, asked };
}

test('of a thousand rules only those are asked that may match', async () => {
  const kinds = (index: number): Json => {
    const some: readonly Json[] = [
      { subject: { contains: `flower-${index}` } },
      { header: { name: `X-Flower-${index}`, exists: 'true' } },
      { body: { regex: `\\bpetal${index}(s|\\b)` } },
      { author: { is: `flower-${index}@example.net` } },
      { any: [{ subject: { like: `*bulb ${index}*` } }, { envelope_from: { domain: `bulb${index}.example` } }] },
    ];
    return some[index % some.length] ?? '';
  };
  const rules = Array.from({ length: 1000 }, (_, index) => rule(`rule-${index}`, kinds(index), { hold: 'yes' }));
  const list = rulesetOf('list', JSON.stringify({ version: '1', rules }));
  const { program, asked } = watched(programFor(null, list, 'post'));
  const given = { header: 'From: ann@example.net\nSubject: About flower-995', body: 'A message about\npetal997' };
  const facts = factsOf(given);
  const evaluation = startEvaluation(program, memoryLog(), { trace: false });
  let verdict = await evaluation.advance(facts.header);
  verdict = verdict === 'later' ? await evaluation.advance(facts.content) : verdict;
  assert.ok(verdict !== 'later');
  assert.equal(verdict.rule, 'rule-995');
  // The first that asks the body is asked in any case: it waits for the content.
  assert.deepEqual([...new Set(asked)].slice(0, 1), ['rule-2']);
  assert.ok(asked.length < 12, asked.join(' '));
});
