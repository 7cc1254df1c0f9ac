/**
 * What `rate` counts: each transaction once, for one rule, and only where the answer hangs on it.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Answers, type Facts, PHASES } from '../../src/core/facts.ts';
import type { Verdict } from '../../src/core/verdict.ts';
import { clientOf } from '../../src/rules/conditions/rate.ts';
import { startEvaluation } from '../../src/rules/evaluate.ts';
import type { Given } from '../../src/rules/part.ts';
import { programFor } from '../../src/rules/program.ts';
import type { Ruleset } from '../../src/rules/ruleset.ts';
import type { Ledger } from '../../src/store/ledger.ts';
import { memoryLedger } from '../../src/store/memory-ledger.ts';
import { factsOf, memoryLog } from './facts.ts';
import { evaluate, load, printVerdict } from './load.ts';

function rulesetOf(scope: 'system' | 'list', rules: string, ledger: Ledger = memoryLedger({ now: () => 0 })): Ruleset {
  const layer = scope === 'system' ? 'before' : 'rules';
  const { ruleset, diagnostics } = load(scope, `version: 1\n${layer}:\n${rules}`, { ledger });
  assert.ok(ruleset !== null, JSON.stringify(diagnostics));
  return ruleset;
}

async function verdicts(ruleset: Ruleset, scope: 'system' | 'list', all: readonly Given[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const given of all) found.push(printVerdict(await evaluate({ [scope]: ruleset }, given)));
  return found;
}

const FULL = '451 4.7.1 full (id T1)';
const limit = (when: string): string => `  - { name: limit, when: { ${when} }, then: { defer: full } }\n`;
const ANN = { header: 'From: ann@example.net' };
const BOB = { header: 'From: bob@example.net' };

test('the message that goes beyond the amount is the first one', async () => {
  const ruleset = rulesetOf('list', limit('rate: { per: list, above: 2 per day }'));
  assert.deepEqual(await verdicts(ruleset, 'list', [{}, {}, {}, {}]), ['relay', 'relay', FULL, FULL]);
});

test('each author counts, and each of several', async () => {
  const ruleset = rulesetOf('system', limit('rate: { per: author, above: 1 per day }'));
  const both = { header: 'From: cy@example.net, ann@example.net' };
  assert.deepEqual(await verdicts(ruleset, 'system', [ANN, BOB, both, BOB]), ['relay', 'relay', FULL, FULL]);
});

test('a rule of the system counts over all lists, a rule of a list for that list', async () => {
  const two = [ANN, { ...ANN, to: 'news@lists.example.org' }];
  const rule = limit('rate: { per: author, above: 1 per day }');
  assert.deepEqual(await verdicts(rulesetOf('system', rule), 'system', two), ['relay', FULL]);
  assert.deepEqual(await verdicts(rulesetOf('list', rule), 'list', two), ['relay', 'relay']);
  const perList = rulesetOf('system', limit('rate: { per: list, above: 1 per day }'));
  assert.deepEqual(await verdicts(perList, 'system', [...two, ANN]), ['relay', 'relay', FULL]);
});

test('what the conditions beside it leave out is not counted, at whatever phase they are known', async () => {
  for (const beside of ['author: { is: ann@example.net }', 'any: [{ author: { is: ann@example.net } }]']) {
    const ruleset = rulesetOf('list', limit(`rate: { per: list, above: 1 per day }, ${beside}`));
    assert.deepEqual(await verdicts(ruleset, 'list', [BOB, BOB, ANN, BOB, ANN]), [
      'relay',
      'relay',
      'relay',
      'relay',
      FULL,
    ]);
  }
  const either = rulesetOf('list', limit('any: [{ rate: { per: list, above: 1 per day } }, { subject: { is: x } }]'));
  const x = { header: 'Subject: x' };
  assert.deepEqual(await verdicts(either, 'list', [x, x, {}, {}]), [FULL, FULL, 'relay', FULL]);
});

test('a block counts once for all rules that ask it, and apart for shadow rules', async () => {
  const busy = 'conditions: { busy: { rate: { per: list, above: 1 per day } } }\n';
  const shadow = '  - { name: shadow, mode: shadow, when: { condition: busy }, then: { defer: full } }\n';
  const other =
    '  - { name: other, when: { condition: busy, subject: { is: x } }, then: { add_header: { name: X, value: x } } }\n';
  const given = { header: 'Subject: x' };
  const { ruleset } = load('list', `version: 1\n${busy}rules:\n${shadow}${other}${limit('condition: busy')}`);
  assert.ok(ruleset !== null);
  assert.deepEqual(await verdicts(ruleset, 'list', [given, given]), ['relay', FULL]);
  const { ruleset: mixed } = load(
    'list',
    `version: 1\n${busy}rules:\n${shadow}${limit('condition: busy, subject: { is: x }')}`,
  );
  assert.ok(mixed !== null);
  assert.deepEqual(await verdicts(mixed, 'list', [{}, {}, given, given]), ['relay', 'relay', 'relay', FULL]);
});

test('of two amounts the second is asked where the first leaves the answer open', async () => {
  const both = 'all: [{ rate: { per: author, above: 1 per day } }, { rate: { per: list, above: 1 per day } }]';
  const ruleset = rulesetOf('list', limit(both));
  assert.deepEqual(await verdicts(ruleset, 'list', [ANN, BOB, ANN, BOB]), ['relay', 'relay', 'relay', FULL]);
});

test('a transaction counts once, whatever its recipients and phases', async () => {
  const ruleset = rulesetOf('list', limit('rate: { per: list, above: 1 per day }, subject: { is: x }'));
  const program = programFor(null, ruleset, 'post');
  for (const expect of ['relay', 'defer']) {
    const facts = factsOf({ header: 'Subject: x' });
    for (const answers of [new Answers(), new Answers(), new Answers()]) {
      const evaluation = startEvaluation(program, memoryLog(), { trace: false });
      let progress: Verdict | 'later' = 'later';
      for (const phase of PHASES) {
        const asked: Facts = { ...facts[phase], answers };
        progress = await evaluation.advance(asked);
      }
      assert.ok(progress !== 'later');
      assert.equal(progress.kind, expect);
    }
  }
});

test('a count may have to be fetched, and one that cannot be had defers', async () => {
  const memory = memoryLedger({ now: () => 0 });
  let up = true;
  const remote: Ledger = {
    ...memory,
    count: async (...args) => {
      if (!up) throw new Error('gone');
      return memory.count(...args);
    },
  };
  const ruleset = rulesetOf('list', limit('rate: { per: list, above: 1 per day }'), remote);
  assert.deepEqual(await verdicts(ruleset, 'list', [{}, {}]), ['relay', FULL]);
  up = false;
  assert.match((await verdicts(ruleset, 'list', [{}]))[0] ?? '', /^451 4\.3\.0 /);
});

const clients: readonly (readonly [string, string])[] = [
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:DB8::1', '2001:db8:0:0::/64'],
  ['2001:0db8:0000::7%eth0', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['2001:db8:1:2::', '2001:db8:1:2::/64'],
];

for (const [address, expect] of clients) {
  test(`the client ${address}`, () => assert.equal(clientOf(address), expect));
}

test('to be traced counts nothing that the verdict did not hang on', async () => {
  const ledger = memoryLedger({ now: () => 0 });
  const rate = 'rate: { per: list, above: 0 per day }';
  const ruleset = rulesetOf(
    'list',
    limit(`any: [{ always: true }, { ${rate} }, { all: [{ always: true }, { ${rate} }] }]`),
    ledger,
  );
  const program = programFor(null, ruleset, 'post');
  const evaluation = startEvaluation(program, memoryLog(), { trace: true });
  const facts = factsOf({}).envelope;
  assert.notEqual(await evaluation.advance(facts), 'later');
  const [any] = (await evaluation.trace())[0]?.clauses ?? [];
  assert.deepEqual(
    any?.children.map(({ truth, saw }) => [truth, saw]),
    [
      [true, 'every message'],
      ['later', 'gardeners@lists.example.org: not counted'],
      ['later', null],
    ],
  );
});
