/**
 * blocks - memory for the octets of large content, used again and again.
 *
 * To the garbage collector of V8 octets outside its heap are a reason to look at all that is in it, every few dozen MB: at
 * that price each octet read into fresh memory cost more than reading it. Who gives a block back must be sure that nobody
 * reads it any more; a block that is not given back is the collector's, as any other Buffer.
 */

/** Octets of a block: as many as the platform reads at once. */
export const BLOCK = 64 * 1024;
/** Fewer octets are not worth a block. */
const WORTH_IT = BLOCK / 2;
/** Milliseconds for which a block that nobody needs is kept. */
const KEPT = 5_000;

const free: Buffer[] = [];
/** The octets in use of each block that is not free. */
const lent = new WeakMap<ArrayBufferLike, number>();
/** Blocks that nobody has needed since the timer was set. */
let spare = 0;
let timer: NodeJS.Timeout | null = null;

/** The octets in memory of their own; in a block where they are many. */
export function keep(octets: Buffer): Buffer {
  if (octets.length < WORTH_IT || octets.length > BLOCK) return Buffer.from(octets);
  const block = takeBlock();
  return shrink(block, block.subarray(0, octets.copy(block)));
}

/** A whole block, of whatever octets. */
export function takeBlock(): Buffer {
  const block = free.pop() ?? Buffer.allocUnsafeSlow(BLOCK);
  spare = Math.min(spare, free.length);
  lent.set(block.buffer, block.length);
  return block;
}

/** The part, when it is all that is still in use of what was kept: to give it back is to give all of it back. */
export function shrink(kept: Buffer, part: Buffer): Buffer {
  if (part.buffer === kept.buffer && lent.get(kept.buffer) === kept.length) lent.set(kept.buffer, part.length);
  return part;
}

/**
 * Whoever has the slice reads it no more. Its block is used again if the slice is all that was copied into it: where it is a
 * part, somebody may have the rest.
 */
export function giveBack(slice: Buffer): void {
  if (lent.get(slice.buffer) !== slice.length) return;
  lent.delete(slice.buffer);
  free.push(Buffer.from(slice.buffer));
  if (timer === null) watch();
}

/** Blocks that wait to be used. */
export function freeBlocks(): number {
  return free.length;
}

function watch(): void {
  spare = free.length;
  timer = setTimeout(() => {
    free.splice(0, spare);
    timer = null;
    if (free.length > 0) watch();
  }, KEPT);
  timer.unref();
}
