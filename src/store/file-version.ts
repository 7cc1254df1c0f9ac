/**
 * file-version - tells whether a file is still the one that was read.
 */
import { stat } from 'node:fs/promises';

/**
 * A text that changes whenever the file at `path` is written, replaced or touched. Rejects with the error of stat(2) where
 * there is none, and with an error that says so where it is no regular file (a FIFO would block whoever opens it) or
 * larger than `largest` octets.
 */
export async function fileVersion(path: string, largest: number): Promise<string> {
  const found = await stat(path, { bigint: true });
  if (!found.isFile()) throw new Error(`${path} is not a regular file`);
  if (found.size > largest) throw new Error(`${path} is larger than ${largest} octets`);
  return `${found.mtimeNs}:${found.ctimeNs}:${found.size}:${found.ino}`;
}
