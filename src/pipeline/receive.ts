/**
 * receive - reads the content of a transaction to its end, whatever becomes of it: the client's next command stands
 * behind it. Keeps the octets only while somebody may want them.
 */
import { giveBack } from '../core/blocks.ts';
import type { Content, ContentEnd, Header, IncomingContent } from '../core/message.ts';
import { andThen, type Eventual } from '../core/eventual.ts';
import { headerSectionEnd, LONGEST_SECTION, parseHeader } from '../mail/header.ts';
import type { SpoolWriter } from '../mail/spool.ts';

/** The header section is looked for again when the content has doubled: a slow trickle of octets stays linear. */
const FIRST_LOOK = 1024;

const EMPTY_LINE = Buffer.from('\r\n\r\n');

/** Whether the header section ends in what is there. In most messages an empty line ends it, and is quickly found. */
function isWhole(head: Buffer): boolean {
  return head.includes(EMPTY_LINE) || headerSectionEnd(head) >= 0;
}

export interface Received {
  readonly end: ContentEnd;
  /** Octets received, also those that were thrown away. */
  readonly size: number;
  /** null where the content is not whole, was not wanted, or could not be kept. */
  readonly message: { readonly header: Header; readonly content: Content } | null;
  /** The spool had no room. */
  readonly failed: boolean;
}

/**
 * `wanted` is asked once, at the end of the header section; after a no the rest is read and thrown away. The spooled
 * octets live until `writer.discard()`, which is the caller's.
 */
export async function receive(
  incoming: IncomingContent,
  writer: SpoolWriter,
  wanted: (header: Header) => Eventual<boolean>,
): Promise<Received> {
  let header: Header | null = null;
  let keeping = true;
  let size = 0;
  let nextLook = 0;
  const ask = (head: Buffer): Eventual<void> => {
    header = parseHeader(head);
    return andThen(wanted(header), (answer) => {
      keeping = answer;
      if (!keeping) writer.release();
    });
  };
  for await (const slice of incoming) {
    size += slice.length;
    if (!keeping) {
      giveBack(slice);
      continue;
    }
    const written = writer.write(slice);
    if (written !== undefined) await written;
    if (header === null && size >= nextLook) {
      nextLook = Math.max(FIRST_LOOK, size * 2);
      const head = writer.head();
      const asked = isWhole(head) ? ask(head) : undefined;
      if (asked !== undefined) await asked;
    }
  }
  const end = incoming.end ?? 'aborted';
  let failed = writer.failed;
  if (end === 'complete' && header === null && !failed) {
    const head = writer.head();
    // Where memory was short, rules would see a part of the header section only.
    failed = headerSectionEnd(head) < 0 && head.length < Math.min(size, LONGEST_SECTION);
    if (!failed) await ask(head);
  }
  if (end !== 'complete' || !keeping || failed || header === null) return { end, size, message: null, failed };
  return { end, size, message: { header, content: await writer.finish() }, failed: writer.failed };
}
