/**
 * file - the text of a file that an operator named, or what is wrong with the file.
 *
 * Synchronous: read at start, at a reload and by the commands that check.
 */
import { readFileSync, statSync } from 'node:fs';
import type { Diagnostic } from '../core/diagnostic.ts';
import { LARGEST_FILE, tooLarge } from './load.ts';
import { wholeFile } from './place.ts';

const REASONS: Readonly<Record<string, readonly [string, string]>> = {
  ENOENT: ['there is no such file', 'check the path; a relative path starts at the folder of the file that names it'],
  ENOTDIR: ['there is no such file', 'check the path; a part of it is a file and no folder'],
  EACCES: ['the file may not be read', 'give the user that runs this process the right to read it'],
  EISDIR: ['this is a folder', 'name a file in it'],
};

/** `text` is null if there is a diagnostic: missing, not to be read, larger than `LARGEST_FILE`, not UTF-8. */
export function readText(file: string): { text: string | null; diagnostics: readonly Diagnostic[] } {
  const fail = (message: string, hint: string | null) => ({
    text: null,
    diagnostics: [{ code: 'E_FILE' as const, message, hint, place: wholeFile(file) }],
  });
  try {
    const stat = statSync(file);
    if (stat.isDirectory()) return fail(...(REASONS['EISDIR'] ?? ['', '']));
    if (!stat.isFile()) return fail('this is not a regular file', null);
    if (stat.size > LARGEST_FILE) return { text: null, diagnostics: [tooLarge(file)] };
    return {
      text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readFileSync(file)),
      diagnostics: [],
    };
  } catch (error) {
    if (error instanceof TypeError) return fail('the file is not UTF-8', 'save it in that encoding');
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const [message, hint] = REASONS[code] ?? [`the file cannot be read (${code})`, null];
    return fail(message, hint);
  }
}
