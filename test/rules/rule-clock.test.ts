import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Facts, Truth } from '../../src/core/facts.ts';
import { RuleClock } from '../../src/rules/rule-clock.ts';
import type { Rule } from '../../src/rules/ruleset.ts';

function rule(name: string, answer: () => Truth | Promise<Truth>): Rule {
  // The clock asks the clause and reads the names.
  return { name, place: { file: 'a.yaml' }, clause: { test: answer } } as unknown as Rule;
}

const FACTS = {} as Facts;

test('one evaluation of a sample is measured: what it answers is what it would have answered', async () => {
  let now = 0;
  const clock = new RuleClock(() => now, 3);
  const quick = rule('quick', () => {
    now += 1;
    return true;
  });
  const slow = rule('slow', async (): Promise<Truth> => {
    now += 40;
    return 'later';
  });
  const failing = rule('failing', async () => {
    throw new Error('no set');
  });
  let measured = 0;
  for (let count = 0; count < 9; count++) {
    const timing = clock.next();
    if (timing === null) continue;
    measured += 1;
    assert.equal(timing(quick, FACTS), true);
    assert.equal(await timing(slow, FACTS), 'later');
    await assert.rejects(async () => timing(failing, FACTS), /no set/);
  }
  assert.equal(measured, 3);
  assert.deepEqual(clock.times(), [
    { ruleset: 'a.yaml', rule: 'quick', measured: 3, total: 3, longest: 1 },
    { ruleset: 'a.yaml', rule: 'slow', measured: 3, total: 120, longest: 40 },
    { ruleset: 'a.yaml', rule: 'failing', measured: 3, total: 0, longest: 0 },
  ]);
});
