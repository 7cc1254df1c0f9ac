/**
 * The cache with a bound: what node-cache does by itself does not show.
 */
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import fc from 'fast-check';
import { BoundedCache } from '../../src/store/memory.ts';

test('the oldest entry leaves when a new one finds no room', () => {
  const cache = new BoundedCache<number>({ maxEntries: 2 });
  cache.set('a', 1);
  cache.set('b', 2);
  cache.set('a', 3);
  cache.set('c', 4);
  assert.deepEqual(
    ['a', 'b', 'c'].map((key) => cache.get(key)),
    [undefined, 2, 4],
  );
});

test('what takes several places leaves as a whole, and less finds room beside it', () => {
  const cache = new BoundedCache<number>({ maxEntries: 4 });
  const held = () => ['a', 'b', 'c', 'd', 'e'].filter((key) => cache.get(key) !== undefined).join('');
  cache.set('a', 1, 3);
  cache.set('b', 1);
  assert.equal(held(), 'ab');
  cache.set('c', 1);
  assert.equal(held(), 'bc');
  cache.set('d', 1, 3);
  assert.equal(held(), 'cd');
  cache.set('e', 1, 100);
  assert.equal(held(), 'e');
  cache.set('a', 1);
  assert.equal(held(), 'a');
});

test('it is told what has left, and not what was written over', () => {
  let left = 0;
  const cache = new BoundedCache<string>({ maxEntries: 2, left: () => (left += 1) });
  for (const key of ['a', 'b', 'a', 'b']) cache.set(key, key);
  assert.equal(left, 0);
  cache.set('c', 'c');
  assert.equal(left, 1);
  cache.delete('b');
  cache.delete('b');
  assert.equal(left, 2);
});

test('names that objects have by themselves are keys like others', () => {
  const cache = new BoundedCache<string>({ maxEntries: 10 });
  for (const key of ['__proto__', 'toString', 'constructor', 'hasOwnProperty', '']) {
    assert.equal(cache.get(key), undefined);
    cache.set(key, key);
    assert.equal(cache.get(key), key);
    cache.delete(key);
    assert.equal(cache.get(key), undefined);
  }
});

test('a value is kept itself, not a copy', () => {
  const cache = new BoundedCache<object>({ maxEntries: 1 });
  const value = { deep: { value: 1 } };
  cache.set('a', value);
  assert.equal(cache.get('a'), value);
});

test('an entry is good for its time', () => {
  mock.timers.enable({ apis: ['Date', 'setTimeout'], now: 1000 });
  try {
    const cache = new BoundedCache<number>({ maxEntries: 10, ttl: 500 });
    cache.set('a', 1);
    mock.timers.setTime(1500);
    assert.equal(cache.get('a'), 1);
    mock.timers.setTime(1501);
    assert.equal(cache.get('a'), undefined);
    cache.set('a', 2);
    assert.equal(cache.get('a'), 2);
    cache.close();
  } finally {
    mock.timers.reset();
  }
});

test('there are never more entries than the bound, and the newest is always there', () => {
  const step = fc.record({ key: fc.integer({ min: 0, max: 9 }).map(String), remove: fc.boolean() });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.array(step, { maxLength: 60 }), (maxEntries, steps) => {
      const cache = new BoundedCache<number>({ maxEntries });
      for (const [index, { key, remove }] of steps.entries()) {
        if (remove) cache.delete(key);
        else cache.set(key, index);
        assert.equal(cache.get(key), remove ? undefined : index);
        const held = Array.from({ length: 10 }, (_, name) => cache.get(String(name))).filter(
          (value) => value !== undefined,
        );
        assert.ok(held.length <= maxEntries);
      }
    }),
    { numRuns: 300, seed: 1 },
  );
});
