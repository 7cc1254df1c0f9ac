/**
 * Every example of every condition and action is run, and the folders hold what the registry lists.
 */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { type Facts, isReached, PHASES } from '../../src/core/facts.ts';
import { actions, conditions } from '../../src/rules/registry.ts';
import { factsOf } from './facts.ts';
import { evaluate, printVerdict, rulesetOf } from './load.ts';

function filesOf(folder: string): readonly string[] {
  return readdirSync(`src/rules/${folder}`).sort();
}

function namesOf(parts: ReadonlyMap<string, unknown>): readonly string[] {
  return [...parts.keys()].map((name) => `${name.replaceAll('_', '-')}.ts`).sort();
}

test('the folders hold what the registry lists', () => {
  assert.deepEqual(filesOf('conditions'), namesOf(conditions));
  assert.deepEqual(filesOf('actions'), namesOf(actions));
});

test('every part says what it is', () => {
  for (const part of [...conditions.values(), ...actions.values()]) {
    assert.match(part.summary, /^[A-Z].*\.$/, part.name);
    assert.ok(part.examples.length > 0, part.name);
  }
});

for (const condition of conditions.values()) {
  for (const { argument, given, after, phase: at = condition.phase, expect } of condition.examples) {
    const history = after === undefined ? '' : ` after ${JSON.stringify(after)}`;
    test(`${condition.name}: ${argument} of ${JSON.stringify(given)}${history}`, async () => {
      const text = `version: 1\ntrust_results_from: [MX.example.org]\nbefore:\n  - name: example\n    when: { ${condition.name}: ${argument} }\n    then: relay\n`;
      // The files that examples name lie beside it.
      const [rule] = rulesetOf('system', text, { file: 'test/rules/parts/system.yaml' }).layers.before;
      assert.ok(rule !== undefined);
      if (after !== undefined) for (const tell of rule.clause.accepted) await tell(factsOf(after).content);
      const facts = factsOf(given);
      for (const phase of PHASES) {
        const truth = await rule.clause.test(facts[phase]);
        if (isReached(at, phase)) assert.equal(truth, expect, phase);
        else if (!condition.mayBeEarly || truth !== expect) assert.equal(truth, 'later', phase);
      }
      const [clause] = rule.clause.children;
      if (clause?.ofMessage === true) {
        // Nothing of the recipient may be looked at.
        const nobody = { recipient: null, address: null, answers: null, score: null, addressees: null };
        const truth = await clause.test({ ...facts.content, ...nobody } as unknown as Facts);
        assert.equal(truth, expect);
      }
      assert.equal(clause?.phase, condition.mayBeEarly ? 'envelope' : at);
      assert.equal(typeof clause?.saw(facts.content), 'string');
    });
  }
  test(`${condition.name} has an example of each answer`, () => {
    const answers = new Set(condition.examples.map(({ expect }) => expect));
    assert.equal(answers.size, condition.name === 'always' ? 1 : 2);
  });
}

for (const action of actions.values()) {
  for (const { yaml, given, expect } of action.examples) {
    test(`${action.name}: ${yaml}`, async () => {
      const text = `version: 1\nbefore:\n  - name: example\n    when: { always: true }\n    then: [${yaml}]\n`;
      const verdict = await evaluate({ system: rulesetOf('system', text) }, given);
      assert.equal(printVerdict(verdict), action.decides ? expect : `relay; ${expect}`);
    });
  }
}
