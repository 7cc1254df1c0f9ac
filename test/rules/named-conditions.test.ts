/**
 * Named conditions: the same as the block in its place, and bounded however they ask each other.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { traceRule } from '../../src/rules/trace.ts';
import { factsOf } from './facts.ts';
import { evaluate, load, printVerdict, rulesetOf } from './load.ts';

const RULES = `version: 1
conditions:
  from-a-robot: { any: [ { condition: bounce }, { header: { name: Precedence, is: bulk } } ] }
  bounce: { envelope_from: { empty: true } }
  shouting: { subject: { ends_with: "!!!" } }
rules:
  - name: quiet
    when: { condition: [from-a-robot, shouting] }
    unless: { condition: bounce, subject: { contains: welcome } }
    then: { reject: "Quiet, please." }
`;

const cases = [
  { name: 'none holds', given: { header: 'Subject: Tulips' }, expect: 'relay' },
  { name: 'the first holds', given: { header: 'Precedence: bulk' }, expect: '550 5.7.1 Quiet, please. (id T1)' },
  { name: 'the second holds', given: { header: 'Subject: Tulips!!!' }, expect: '550 5.7.1 Quiet, please. (id T1)' },
  { name: 'one that asks another', given: { from: '' }, expect: '550 5.7.1 Quiet, please. (id T1)' },
  { name: 'the exception', given: { from: '', header: 'Subject: Welcome' }, expect: 'relay' },
];
for (const { name, given, expect } of cases) {
  test(name, async () => assert.equal(printVerdict(await evaluate({ list: rulesetOf('list', RULES) }, given)), expect));
}

test('a trace shows what stands in the block', async () => {
  const [rule] = rulesetOf('list', RULES).layers.rules;
  assert.ok(rule !== undefined);
  const { clauses } = await traceRule(rule, factsOf({ header: 'Precedence: bulk' }).header, false);
  const [either] = clauses;
  const [robot] = either?.children ?? [];
  assert.deepEqual([robot?.label, robot?.truth], ['condition from-a-robot', true]);
  assert.deepEqual(
    robot?.children[0]?.children.map(({ label, truth, children }) => [label, truth, children.length]),
    [
      ['condition bounce', false, 0],
      ['header', true, 0],
    ],
  );
});

test('blocks that ask blocks do not multiply', async () => {
  const block = (index: number) =>
    index === 0
      ? '  c0: { author: { is: ann@example.net } }'
      : `  c${index}: { all: [ { condition: c${index - 1} }, { not: { not: { condition: c${index - 1} } } } ] }`;
  const text = [
    'version: 1\nconditions:',
    ...Array.from({ length: 100 }, (_, index) => block(index)),
    'rules: [ { name: a, when: { condition: c99 }, then: { reject: "no" } } ]',
  ].join('\n');
  const verdict = await evaluate({ list: rulesetOf('list', text) }, { header: 'From: ann@example.net' });
  assert.equal(verdict.kind, 'reject');
});

test('a hundred load, one more does not', () => {
  const names = (count: number) => Array.from({ length: count }, (_, index) => `c${index}`);
  const text = (count: number) =>
    [
      'version: 1\nconditions:',
      ...names(count).map((name) => `  ${name}: { subject: { is: a } }`),
      `rules: [ { name: a, when: { condition: [${names(100).join(', ')}] }, then: relay } ]`,
    ].join('\n');
  assert.deepEqual(load('list', text(100)).diagnostics, []);
  assert.deepEqual(
    load('list', text(101)).diagnostics.map(({ code, place }) => [code, place.line]),
    [['E_TOO_MANY', 103]],
  );
});
