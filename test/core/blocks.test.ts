import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BLOCK, freeBlocks, giveBack, keep, shrink, takeBlock } from '../../src/core/blocks.ts';

function octets(size: number, value: number): Buffer {
  return Buffer.alloc(size, value);
}

test('blocks: what is kept is a copy', () => {
  for (const size of [0, 1, 1000, BLOCK / 2, BLOCK - 1, BLOCK, BLOCK + 1]) {
    const original = octets(size, 1);
    const kept = keep(original);
    original.fill(2);
    assert.ok(kept.equals(octets(size, 1)), `${size} octets`);
  }
});

test('blocks: what is given back is used again, once', () => {
  const first = keep(octets(BLOCK, 1));
  const before = freeBlocks();
  giveBack(first);
  giveBack(first);
  assert.equal(freeBlocks(), before + 1);
  const second = keep(octets(BLOCK - 10, 2));
  const third = keep(octets(BLOCK, 3));
  assert.equal(second.buffer, first.buffer);
  assert.notEqual(third.buffer, second.buffer);
  assert.ok(second.equals(octets(BLOCK - 10, 2)) && third.equals(octets(BLOCK, 3)));
});

test('blocks: a part gives nothing back, nor does what is no block', () => {
  const kept = keep(octets(BLOCK - 1, 1));
  const before = freeBlocks();
  giveBack(kept.subarray(1));
  giveBack(kept.subarray(0, 100));
  giveBack(octets(BLOCK, 1));
  giveBack(keep(octets(100, 1)));
  assert.equal(freeBlocks(), before);
  giveBack(kept);
  assert.equal(freeBlocks(), before + 1);
});

test('blocks: what is left of a block may be all of it, if that is said', () => {
  const kept = keep(octets(BLOCK - 1, 1));
  const part = shrink(kept, kept.subarray(0, BLOCK - 9));
  const before = freeBlocks();
  giveBack(kept);
  assert.equal(freeBlocks(), before);
  giveBack(part);
  giveBack(part);
  assert.equal(freeBlocks(), before + 1);

  const block = takeBlock();
  const other = block.subarray(0, 100);
  // Said of a part, of which nobody can know what else is in use.
  assert.equal(shrink(block.subarray(0, 200), other), other);
  giveBack(other);
  assert.equal(freeBlocks(), before);
});
