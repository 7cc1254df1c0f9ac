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
  const block = free.pop() ?? Buffer.allocUnsafeSlow(BLOCK);
  spare = Math.min(spare, free.length);
  lent.set(block.buffer, octets.length);
  return block.subarray(0, octets.copy(block));
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
