/**
 * slices - the octets of a content, slice by slice: at once where they lie in memory, later where they lie on disk.
 */
import type { Eventual } from '../core/eventual.ts';
import type { Content } from '../core/message.ts';

/** Hands each slice to `take`, with its offset in the content, until that has enough and answers false. */
export function eachSlice(content: Content, take: (slice: Buffer, at: number) => boolean): Eventual<void> {
  const slices = content.slices();
  if (Symbol.asyncIterator in slices) return eachLater(slices, take);
  let at = 0;
  for (const slice of slices) {
    if (!take(slice, at)) return;
    at += slice.length;
  }
}

async function eachLater(slices: AsyncIterable<Buffer>, take: (slice: Buffer, at: number) => boolean): Promise<void> {
  let at = 0;
  for await (const slice of slices) {
    if (!take(slice, at)) return;
    at += slice.length;
  }
}

/** Octets of the content from `start` to `end`, for `push`, until that has enough and answers false. */
export interface Range {
  readonly start: number;
  readonly end: number;
  push(octets: Buffer): boolean;
}

/** Reads the content once. The ranges are in order and do not overlap. */
export function readRanges(content: Content, ranges: readonly Range[]): Eventual<void> {
  let next = 0;
  return eachSlice(content, (slice, at) => {
    const end = at + slice.length;
    for (let range = ranges[next]; range !== undefined && range.start < end; range = ranges[next]) {
      const piece = slice.subarray(Math.max(0, range.start - at), Math.max(0, Math.min(slice.length, range.end - at)));
      const wanted = piece.length === 0 || range.push(piece);
      if (wanted && range.end > end) return true;
      next += 1;
    }
    return next < ranges.length;
  });
}
