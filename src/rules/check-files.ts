/**
 * check-files - what only the disk can tell: the files of sets, all files of lists, and files that no address leads to.
 *
 * Synchronous: for the start, a reload and `postern check`; never on the way of a message.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import type { Diagnostic } from '../core/diagnostic.ts';
import type { Dialect } from '../core/facts.ts';
import type { Layout } from '../core/layout.ts';
import { LARGEST_ADDRESS_FILE, parseAddressLines } from '../store/address-file.ts';
import { BoundedCache } from '../store/memory.ts';
import { nearest } from '../yaml/suggest.ts';
import { readText } from '../yaml/file.ts';
import { wholeFile } from '../yaml/place.ts';
import type { LoadedRuleset, SetFile } from './load.ts';
import { PatternCache } from './pattern.ts';
import { LARGEST_PATTERN_FILE, patternProblems } from './pattern-file.ts';
import { listFiles, splitAddress } from './select.ts';

const YAML_ENDING = /\.ya?ml$/i;
const DEFAULT = '_default';

/** `list`: the list whose file it is; null for a domain's default. */
type Load = (file: string, text: string, list: string | null) => LoadedRuleset;

/** How the files of lists lie in their folder. */
export interface ListFolder {
  readonly folder: string;
  readonly dialect: Dialect;
  readonly layout: Layout;
}

/** Loads every file of a list in the folders of the domains. */
export function checkListFolder(lists: ListFolder, load: Load): readonly Diagnostic[] {
  const { folder, layout } = lists;
  const names = namesIn(folder);
  return [
    ...names.filter(isRules).map((name) => {
      const hint = 'move it into the folder of its domain';
      return misplaced(join(folder, name), 'no address leads to this file', hint);
    }),
    ...names.flatMap((domain) =>
      rulesBelow(join(folder, domain), layout.depth).flatMap((file) => checkListFile(lists, domain, file, load)),
    ),
  ];
}

function isRules(name: string): boolean {
  return YAML_ENDING.test(name);
}

/** The files with rules in a folder and `depth` levels of folders below it. */
function rulesBelow(folder: string, depth: number): readonly string[] {
  return namesIn(folder).flatMap((name) => {
    const path = join(folder, name);
    if (isRules(name)) return [path];
    return depth > 0 ? rulesBelow(path, depth - 1) : [];
  });
}

function checkListFile(
  { folder, dialect, layout }: ListFolder,
  domain: string,
  file: string,
  load: Load,
): readonly Diagnostic[] {
  const localPart = basename(file).replace(YAML_ENDING, '');
  const isDefault = localPart.toLowerCase() === DEFAULT;
  const { list } = splitAddress({ localPart, domain }, dialect);
  const { own, fallback } = listFiles(folder, list, layout);
  const expected = isDefault ? fallback : own;
  if (file !== expected) {
    const whose = isDefault ? 'what is for the whole domain' : `what is for ${list}`;
    const message = expected === null ? '' : `; ${whose} stands in ${expected}`;
    return [misplaced(file, `no address leads to this file${message}`, 'rename it')];
  }
  const { text, diagnostics } = readText(file);
  if (text === null) return diagnostics;
  const loaded = load(file, text, isDefault ? null : list);
  return [...loaded.diagnostics, ...checkSetFiles(loaded.setFiles)];
}

function misplaced(file: string, message: string, hint: string): Diagnostic {
  return { code: 'E_PLACE', message, hint, place: wholeFile(file) };
}

/** The files of sets: missing, unreadable, or with lines that are no address. */
export function checkSetFiles(files: readonly SetFile[]): readonly Diagnostic[] {
  return files.flatMap(({ path, place, holds }): readonly Diagnostic[] => {
    const fail = (message: string, hint = `put it at ${path}`): Diagnostic => ({
      code: 'E_FILE',
      message,
      hint,
      place,
    });
    try {
      const found = statSync(path);
      if (!found.isFile()) return [fail('this is not a regular file')];
      const largest = holds === 'patterns' ? LARGEST_PATTERN_FILE : LARGEST_ADDRESS_FILE;
      if (found.size > largest) return [fail(`the file is larger than ${largest} octets`)];
      if (holds === 'patterns') return checkPatternFile(path, `${found.mtimeMs} ${found.size}`);
      const text = readFileSync(path, 'utf8');
      return parseAddressLines(text).bad.map((line) => ({
        code: 'E_ADDRESS',
        message: 'this line is not an address; nothing of the file is used while it stands there',
        hint: 'one address a line, "*@domain" for all of a domain, # before a comment',
        place: { file: path, line, column: 1, length: 1 },
      }));
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
      if (code !== 'ENOENT' && code !== 'ENOTDIR') {
        return [fail(`the file cannot be read (${code})`, 'give the user that runs this process the right to read it')];
      }
      const other = nearFile(path, dirname(place.file));
      return [fail('there is no such file', `${other === null ? '' : `write file: ${other}; or `}put it at ${path}`)];
    }
  });
}

/** A file that may be meant by `path`, relative to the folder: of the same name in a folder below, or of nearly the same. */
function nearFile(path: string, folder: string): string | null {
  const name = basename(path);
  const below = namesIn(folder).find((inner) => namesIn(join(folder, inner)).includes(name));
  if (below !== undefined) return join(below, name);
  const near = nearest(
    name,
    namesIn(dirname(path)).filter((one) => !isRules(one)),
  );
  return near === null ? null : join(relative(folder, dirname(path)), near);
}

/** What is wrong with files of patterns, by path: many lists may name the same. */
const patternFiles = new BoundedCache<{ readonly version: string; readonly diagnostics: readonly Diagnostic[] }>({
  maxEntries: 1000,
});

function checkPatternFile(path: string, version: string): readonly Diagnostic[] {
  const known = patternFiles.get(path);
  if (known?.version === version) return known.diagnostics;
  const cache = new PatternCache();
  const problems = patternProblems(readFileSync(path, 'utf8'), cache.forFile());
  cache.close();
  const diagnostics = problems.map(({ message, hint, ...place }): Diagnostic => {
    const useless = `${message}; nothing of the file is used while it stands there`;
    return { code: 'E_PATTERN', message: useless, hint, place: { file: path, ...place } };
  });
  patternFiles.set(path, { version, diagnostics });
  return diagnostics;
}

/** The names in a folder in order, without hidden ones; none where it is no folder. */
function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => !name.startsWith('.'))
      .sort();
  } catch {
    return [];
  }
}
