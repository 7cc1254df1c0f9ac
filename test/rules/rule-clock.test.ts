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

test('a rule whose file was read again is measured on, and what was told stays as it was', () => {
  let now = 0;
  const clock = new RuleClock(() => now, 1);
  const ask = (name: string, ms: number): void => {
    const timing = clock.next();
    timing?.(
      rule(name, () => {
        now += ms;
        return false;
      }),
      FACTS,
    );
  };
  ask('a', 2);
  const [before] = clock.times();
  ask('a', 5);
  ask('b', 1);
  assert.deepEqual(clock.times(), [
    { ruleset: 'a.yaml', rule: 'a', measured: 2, total: 7, longest: 5 },
    { ruleset: 'a.yaml', rule: 'b', measured: 1, total: 1, longest: 1 },
  ]);
  assert.deepEqual(before, { ruleset: 'a.yaml', rule: 'a', measured: 1, total: 2, longest: 2 });
});

test('times of no more than ten thousand rules are kept', () => {
  const clock = new RuleClock(() => 0, 1);
  const rules = Array.from({ length: 10_001 }, (_, index) => rule(`${index}`, () => false));
  for (const one of [...rules, ...rules]) clock.next()?.(one, FACTS);
  const times = clock.times();
  assert.equal(times.length, 10_000);
  assert.ok(times.every(({ measured }) => measured === 2));
});
