/**
 * all, any and not over three values: the tables, and that neither order, promises nor failures show.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Test, Truth } from '../../src/core/facts.ts';
import { all, any, not } from '../../src/rules/combinators.ts';
import { factsOf } from './facts.ts';

const facts = factsOf().envelope;
type Value = Truth | 'failed';

function child(value: Value, slow: boolean): Test {
  return () => {
    if (slow) return value === 'failed' ? Promise.reject(new Error('failed')) : Promise.resolve(value);
    if (value === 'failed') throw new Error('failed');
    return value;
  };
}

async function answerOf(asked: Test): Promise<Value> {
  try {
    return await asked(facts);
  } catch {
    return 'failed';
  }
}

const tables: readonly { name: string; given: readonly Value[]; all: Value; any: Value }[] = [
  { name: 'nothing', given: [], all: true, any: false },
  { name: 'true', given: [true, true], all: true, any: true },
  { name: 'false', given: [false, false], all: false, any: false },
  { name: 'mixed', given: [true, false], all: false, any: true },
  { name: 'true and later', given: [true, 'later'], all: 'later', any: true },
  { name: 'false and later', given: [false, 'later'], all: false, any: 'later' },
  { name: 'true and failed', given: [true, 'failed'], all: 'failed', any: true },
  { name: 'false and failed', given: [false, 'failed'], all: false, any: 'failed' },
  { name: 'later and failed', given: ['later', 'failed'], all: 'later', any: 'later' },
];

for (const { name, given, ...expect } of tables) {
  test(`of ${name}`, async () => {
    for (const values of [given, given.toReversed()]) {
      for (const slow of [false, true]) {
        const children = values.map((value) => child(value, slow));
        assert.equal(await answerOf(all(children)), expect.all, 'all');
        assert.equal(await answerOf(any(children)), expect.any, 'any');
      }
    }
  });
}

test('not', async () => {
  assert.equal(not(() => true)(facts), false);
  assert.equal(not(() => 'later')(facts), 'later');
  assert.equal(await not(async () => false)(facts), true);
});

test('no promise is made where no child answers with one', () => {
  assert.equal(all([() => true, any([() => false, () => true]), not(() => false)])(facts), true);
});

test('children behind the decisive one are not asked', () => {
  const never: Test = () => assert.fail('asked');
  assert.equal(all([() => false, never])(facts), false);
  assert.equal(any([() => true, never])(facts), true);
});

test('what is decided early stays when later becomes known', async () => {
  const leaf = fc.record({
    value: fc.constantFrom<Value>(true, false, 'failed'),
    known: fc.boolean(),
    slow: fc.boolean(),
  });
  type Tree = {
    readonly kind: 'leaf' | 'all' | 'any' | 'not';
    readonly leaf?: unknown;
    readonly children?: readonly Tree[];
  };
  type Leaf = { readonly value: Value; readonly known: boolean; readonly slow: boolean };
  const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      leaf.map((value): Tree => ({ kind: 'leaf', leaf: value })),
      fc.record({
        kind: fc.constantFrom('all' as const, 'any' as const),
        children: fc.array(tie('tree'), { maxLength: 3 }),
      }),
      fc.record({ kind: fc.constant('not' as const), children: fc.tuple(tie('tree')) }),
    ),
  }));
  const build = ({ kind, leaf: value, children = [] }: Tree, atEnd: boolean): Test => {
    if (kind === 'leaf') {
      const { value: truth, known, slow } = value as Leaf;
      return child(known || atEnd ? truth : 'later', slow);
    }
    const [first = () => true, ...rest] = children.map((one) => build(one, atEnd));
    if (kind === 'not') return not(first);
    return kind === 'all'
      ? all(children.length === 0 ? [] : [first, ...rest])
      : any(children.length === 0 ? [] : [first, ...rest]);
  };
  await fc.assert(
    fc.asyncProperty(tree, async (given) => {
      const early = await answerOf(build(given, false));
      if (early !== 'later') assert.equal(await answerOf(build(given, true)), early);
    }),
    { numRuns: 500, seed: 1 },
  );
});
