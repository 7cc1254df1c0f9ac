/**
 * cut - header fields taken out of the slices of a content, and new ones put in; by offsets, or line by line.
 *
 * `cutFields` is for a header section whose fields are all known. `sweepFields` is for one that is longer than what was
 * parsed, above a limit or malformed; it holds back no more than the start of one line. Octets are not copied, save
 * those of a line start that two slices share.
 */
import { colonOf, isBlank, isEmptyLine, isPassedOver, lineEnd, nameEnd } from './header.ts';

/** Takes the slices of a content in order and gives those to pass on. */
export interface SliceFilter {
  push(slice: Buffer): readonly Buffer[];
  /** What is left behind the last slice. */
  end(): readonly Buffer[];
}

/** Octets to leave out, from `start` up to `end`, and what stands there instead. */
export interface Cut {
  readonly start: number;
  readonly end: number;
  readonly instead?: Buffer;
}

/** Puts `added` in front of everything and makes the cuts, which are in order. */
export function cutFields(added: readonly Buffer[], cuts: readonly Cut[]): SliceFilter {
  let pending = added;
  let offset = 0;
  let next = 0;
  return {
    push(slice) {
      const out = [...pending];
      pending = [];
      const end = offset + slice.length;
      let from = offset;
      for (let cut = cuts[next]; cut !== undefined && cut.start < end; cut = cuts[next]) {
        if (cut.start > from) out.push(slice.subarray(from - offset, cut.start - offset));
        if (cut.instead !== undefined && cut.start >= offset) out.push(cut.instead);
        from = Math.min(cut.end, end);
        if (cut.end > end) break;
        next += 1;
      }
      if (from < end) out.push(from === offset ? slice : slice.subarray(from - offset));
      offset = end;
      return out;
    },
    end: () => [...pending, ...cuts.slice(next).flatMap(({ instead }) => instead ?? [])],
  };
}

/** One filter behind the other. */
export function chain(first: SliceFilter, second: SliceFilter): SliceFilter {
  const through = (slices: readonly Buffer[]): readonly Buffer[] => slices.flatMap((slice) => second.push(slice));
  return { push: (slice) => through(first.push(slice)), end: () => [...through(first.end()), ...second.end()] };
}

/** So many octets of a line are enough to judge it. */
const DECISIVE = 1000;
const NOTHING = Buffer.alloc(0);

/** Puts `added` in front of the first field or, if there is none, of the body; leaves out the fields that are named. */
export function sweepFields(added: readonly Buffer[], isRemoved: (name: string) => boolean): SliceFilter {
  let pending = added;
  /** Octets that cannot be judged before more of them are there. */
  let held: Buffer = NOTHING;
  let inLine = false;
  let inBody = false;
  let removing = false;
  return {
    push(slice) {
      if (inBody) return [slice];
      const content = held.length === 0 ? slice : Buffer.concat([held, slice]);
      const out: Buffer[] = [];
      let from = 0;
      let at = 0;
      const passOn = (): void => {
        if (!removing && at > from) out.push(content.subarray(from, at));
        from = at;
      };
      while (at < content.length) {
        if (!inLine) {
          const line = judgeLine(content, at);
          if (line.kind === 'undecided') break;
          if (line.kind !== 'continuation') {
            passOn();
            removing = line.kind === 'field' && isRemoved(line.name);
          }
          if (line.kind === 'field' || line.kind === 'body') {
            out.push(...pending);
            pending = [];
          }
          inBody = line.kind === 'body';
          inLine = true;
        }
        const end = inBody ? content.length : lineEnd(content, at);
        inLine = end === -1;
        // A CR that ends the slice may be half of a line end.
        at = inLine ? content.length - (content.at(-1) === 0x0d ? 1 : 0) : end;
        if (inLine) break;
      }
      passOn();
      held = content.subarray(at);
      return out;
    },
    end: () => [...pending, ...(held.length === 0 || (removing && inLine) ? [] : [held])],
  };
}

type Line =
  | { readonly kind: 'undecided' | 'body' | 'continuation' | 'mailbox' }
  | { readonly kind: 'field'; readonly name: string };

function judgeLine(content: Buffer, line: number): Line {
  const colon = colonOf(content, line);
  if (colon !== -1) return { kind: 'field', name: nameOf(content, line, colon) };
  if (isEmptyLine(content, line)) return { kind: 'body' };
  if (isBlank(content[line])) return { kind: 'continuation' };
  const end = nameEnd(content, line);
  // A field, for all we know: to remove one too many is better than to let one pass.
  if (end - line >= DECISIVE) return { kind: 'field', name: nameOf(content, line, line + DECISIVE) };
  const known = lineEnd(content, line) !== -1 || content.length - line >= DECISIVE;
  if (known && end < content.length) return { kind: isPassedOver(content, line) ? 'mailbox' : 'body' };
  return { kind: 'undecided' };
}

function nameOf(content: Buffer, start: number, end: number): string {
  return content.toString('latin1', start, end).trimEnd();
}
