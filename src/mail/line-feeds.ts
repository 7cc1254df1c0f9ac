/**
 * line-feeds - content with LF line ends, as files and programs of Unix want it. Nothing else is changed.
 */
import type { Content } from '../core/message.ts';

const CRLF = Buffer.from('\r\n');

/** The octets in order, each CRLF an LF wherever the slices are cut. */
export async function* withLineFeeds(content: Content): AsyncGenerator<Buffer> {
  let held: Buffer | null = null;
  for await (const slice of content.slices()) {
    const octets: Buffer = held === null ? slice : Buffer.concat([held, slice]);
    const end = octets.at(-1) === 0x0d ? octets.length - 1 : octets.length;
    held = end === octets.length ? null : octets.subarray(end);
    yield replaced(octets.subarray(0, end));
  }
  if (held !== null) yield held;
}

function replaced(octets: Buffer): Buffer {
  const out = Buffer.allocUnsafe(octets.length);
  let filled = 0;
  let from = 0;
  for (let at = octets.indexOf(CRLF); at !== -1; at = octets.indexOf(CRLF, from)) {
    filled += octets.copy(out, filled, from, at);
    from = at + 1;
  }
  filled += octets.copy(out, filled, from);
  return out.subarray(0, filled);
}
