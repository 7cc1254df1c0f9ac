/**
 * What is remembered in memory: counts in windows, marks for their time, and never more than the bound.
 */
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { ledgerKey } from '../../src/store/ledger.ts';
import { memoryLedger } from '../../src/store/memory-ledger.ts';

const { signal } = new AbortController();
let clock = 0;
const now = () => clock;

beforeEach(() => {
  clock = 1_000_000;
});

test('counts begin again when the window that the first one opened is over', () => {
  const ledger = memoryLedger({ now });
  const counts = [0, 400, 599, 1, 999, 1].map((later) => {
    clock += later;
    return ledger.count('a', 1000, signal);
  });
  assert.deepEqual(counts, [1, 2, 3, 1, 2, 1]);
});

test('keys count for themselves, also those that objects have by themselves', () => {
  const ledger = memoryLedger({ now });
  for (const key of ['a', 'b', '__proto__', 'constructor', '']) {
    assert.deepEqual([ledger.count(key, 1000, signal), ledger.count(key, 1000, signal)], [1, 2], key);
  }
});

test('a mark is good for its time, and again when it is set again', () => {
  const ledger = memoryLedger({ now });
  assert.equal(ledger.isMarked('a', signal), false);
  ledger.mark('a', 1000);
  clock += 999;
  assert.equal(ledger.isMarked('a', signal), true);
  clock += 1;
  assert.equal(ledger.isMarked('a', signal), false);
  ledger.mark('a', 1000);
  assert.equal(ledger.isMarked('a', signal), true);
});

test('a clock that was set back holds nobody to an old window', () => {
  const ledger = memoryLedger({ now });
  ledger.count('a', 1000, signal);
  ledger.mark('a', 1000);
  clock -= 500;
  assert.equal(ledger.count('a', 1000, signal), 1);
  assert.equal(ledger.isMarked('a', signal), false);
});

test('the oldest counts and marks leave when there are too many', () => {
  const ledger = memoryLedger({ now, maxEntries: 2 });
  for (const key of ['a', 'b', 'c']) {
    ledger.count(key, 1000, signal);
    ledger.mark(key, 1000);
  }
  assert.deepEqual(
    ['b', 'c', 'a'].map((key) => ledger.isMarked(key, signal)),
    [true, true, false],
  );
  assert.deepEqual(
    ['b', 'c', 'a'].map((key) => ledger.count(key, 1000, signal)),
    [2, 2, 1],
  );
});

test('keys are short whatever they stand for, and no two values run together', () => {
  const keys = [
    ledgerKey('rate', 'a', 'b'),
    ledgerKey('rate', 'ab'),
    ledgerKey('rate', 'a', 'b', ''),
    ledgerKey('seen', 'a', 'b'),
    ledgerKey('rate', 'x'.repeat(100_000)),
  ];
  assert.equal(new Set(keys).size, keys.length);
  for (const key of keys) assert.match(key, /^(rate|seen):[\w-]{22}$/);
  assert.equal(ledgerKey('rate', 'a', 'b'), keys[0]);
});
