/**
 * layout - the folders between the folder of a domain and what lies there under a local-part.
 *
 * `user` and `md5` spread names as sendmail's mail.local does when it is built with HASHSPOOL: `user` takes the first
 * characters of the name, `md5` those of the base64 of its MD5 with `/` written `_`; where there are no more it is `_`.
 * Pure: nothing here looks at a disk. MD5 is here for the spread, not for secrecy.
 */
import { createHash } from 'node:crypto';

export const LAYOUT_SCHEMES = ['plain', 'user', 'md5'] as const;
export type LayoutScheme = (typeof LAYOUT_SCHEMES)[number];

/** `depth`: folders on the way, 0 for `plain` alone. */
export interface Layout {
  readonly scheme: LayoutScheme;
  readonly depth: number;
}

export const PLAIN: Layout = { scheme: 'plain', depth: 0 };

/** Characters of the base64 of an MD5 without its padding: behind them every folder would be `_`. */
export const DEEPEST_LAYOUT = 22;

/** What cannot be the name of one folder, or is another folder than it says. */
const NO_FOLDER = /[./\\\0]/;

/**
 * One name for each level, each a single character that stays in its folder, whatever the name holds. A character that
 * cannot be a folder (`.`) is `_` too; mail.local writes `a/./a.b` there.
 */
export function layoutFolders({ scheme, depth }: Layout, name: string): readonly string[] {
  if (scheme === 'plain') return [];
  const characters = scheme === 'user' ? [...name] : [...md5(name)];
  return Array.from({ length: depth }, (_, level) => folderOf(characters[level]));
}

function md5(name: string): string {
  return createHash('md5').update(name).digest('base64').slice(0, DEEPEST_LAYOUT).replaceAll('/', '_');
}

function folderOf(character = '_'): string {
  return NO_FOLDER.test(character) ? '_' : character;
}
