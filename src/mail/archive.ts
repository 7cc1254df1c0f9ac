/**
 * archive - the names in zip archives, and in zip archives within them.
 *
 * Read from the central directory, which tells the names also where the content is encrypted or broken. Bounded in
 * entries, in depth and in octets inflated; what cannot be read has no names, and is a fact (`unread`). Nothing throws.
 */
import type { Entry, ZipFile } from 'yauzl';

/** Entries of one message's archives, those of inner ones included; the names behind are not looked at. */
export const MOST_ENTRIES = 5000;
/** Archives in archives. */
const DEEPEST = 2;
/** Octets that inner archives may come to, all together. */
const MOST_INFLATED = 8 * 1024 * 1024;
const LONGEST_NAME = 1000;
const LOCAL_HEADER = Buffer.from('PK\x03\x04', 'latin1');
const EMPTY_ARCHIVE = Buffer.from('PK\x05\x06', 'latin1');

/** What the archives of one message may still cost. */
export interface ArchiveBudget {
  entries: number;
  inflated: number;
  /** Whether there are names that were not seen: behind a bound, encrypted, or in what is broken. */
  unread: boolean;
}

export function openArchiveBudget(): ArchiveBudget {
  return { entries: MOST_ENTRIES, inflated: MOST_INFLATED, unread: false };
}

/** Whether the octets that a file begins with are those of a zip archive. */
export function looksLikeZip(head: Buffer): boolean {
  return [LOCAL_HEADER, EMPTY_ARCHIVE].some((magic) => head.subarray(0, magic.length).equals(magic));
}

/** The names in an archive, folders left out, in the order of its directory. Never rejects. */
export async function namesInArchive(archive: Buffer, budget: ArchiveBudget): Promise<readonly string[]> {
  const names: string[] = [];
  await readArchive(archive, budget, names, 0);
  return names;
}

async function readArchive(archive: Buffer, budget: ArchiveBudget, names: string[], depth: number): Promise<void> {
  try {
    // Few messages have an archive that a rule asks; the library and what it needs take 9 MB.
    const { fromBufferPromise, getFileNameLowLevel } = await import('yauzl');
    const nameOf = ({ generalPurposeBitFlag, fileNameRaw, extraFields }: Entry): string =>
      getFileNameLowLevel(generalPurposeBitFlag, fileNameRaw, extraFields, false).slice(0, LONGEST_NAME);
    const zip = await fromBufferPromise(archive, {
      lazyEntries: true,
      decodeStrings: false,
      validateEntrySizes: false,
    });
    for await (const entry of zip.eachEntry()) {
      if (budget.entries <= 0) {
        budget.unread = true;
        return;
      }
      budget.entries -= 1;
      const name = nameOf(entry);
      if (!name.endsWith('/')) names.push(name);
      if (!ARCHIVE_NAME.test(name)) continue;
      const inner = depth < DEEPEST && entry.canDecodeFileData() ? await inflate(zip, entry, budget) : null;
      if (inner === null) budget.unread = true;
      else if (looksLikeZip(inner)) await readArchive(inner, budget, names, depth + 1);
    }
  } catch {
    // Broken, or no archive at all: the names up to here stand.
    budget.unread = true;
  }
}

/** Inner archives are known by their names, since to look at their octets they would all have to be inflated. */
const ARCHIVE_NAME = /\.(?:zip|jar|apk|xpi|cbz|epub|docx|docm|xlsx|xlsm|pptx|pptm)$/i;

/** The content of an entry; null where it is broken or more than the budget has left. */
async function inflate(zip: ZipFile, entry: Entry, budget: ArchiveBudget): Promise<Buffer | null> {
  const pieces: Buffer[] = [];
  let size = 0;
  try {
    const stream = await zip.openReadStreamPromise(entry);
    for await (const piece of stream as AsyncIterable<Buffer>) {
      budget.inflated -= piece.length;
      size += piece.length;
      // Leaving the loop destroys the stream, so the rest is never inflated.
      if (budget.inflated < 0) return null;
      pieces.push(piece);
    }
  } catch {
    return null;
  }
  return Buffer.concat(pieces, size);
}
