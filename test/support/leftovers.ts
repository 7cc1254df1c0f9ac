/**
 * leftovers - what a test must not leave behind: temporary files, descriptors.
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';

/** From now on temporary files of this process lie in a folder of its own; all that is in it now. */
export function watchTemporaryFiles(): () => readonly string[] {
  const folder = mkdtempSync(join(tmpdir(), 'postern-tmp-'));
  process.env['TMPDIR'] = folder;
  after(() => rmSync(folder, { recursive: true, force: true }));
  // Folders are those of the test itself.
  return () =>
    readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => name);
}

/** Descriptors that are open in this process; null where the system does not tell. */
export function openDescriptors(): number | null {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return null;
  }
}
