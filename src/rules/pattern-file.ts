/**
 * pattern-file - the patterns of a file, asked of every line of a message at once.
 *
 * The file is looked at when it is asked for, at most every two seconds, and read again when it is another one. It is taken
 * whole or not at all: while a line of it is broken, every question rejects. What the patterns need is looked for in one
 * pass (needles.ts), and a pattern is run only on the lines that hold it; so thousands of them are nearly free. All lists
 * that name the file share what is made of it.
 */
import { readFile } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { fileVersion } from '../store/file-version.ts';
import { type NeedleId, Needles, type TextOfOctets } from './needles.ts';
import { pause } from './pace.ts';
import type { FilePatterns, Pattern, PatternCache } from './pattern.ts';
import { type LineProblem, type PatternLine, parsePatternLines } from './pattern-lines.ts';

/** In octets: some 20,000 patterns. */
export const LARGEST_PATTERN_FILE = 1024 * 1024;
/** Milliseconds for which a file is taken to be unchanged. */
const TRUSTED_FOR = 2000;
/** Patterns that are compiled at a stretch, some ten milliseconds; then others have their turn. */
const STRETCH = 50;
/** Steps that a place costs where a pattern may match. */
const CANDIDATE = 64;

/** The texts of a message, lines ending in LF. */
export interface Lines {
  readonly header: string | TextOfOctets;
  readonly body: string | TextOfOctets;
}

/** Everything that is wrong with the text of a file. */
export function patternProblems(text: string, patterns: FilePatterns): readonly LineProblem[] {
  const { patterns: lines, problems } = parsePatternLines(text);
  const all = [...problems, ...lines.flatMap((line) => problemOf(line, patterns) ?? [])];
  return all.sort((one, other) => one.line - other.line);
}

function problemOf({ pattern, mode, line, column }: PatternLine, patterns: FilePatterns): LineProblem | null {
  const problem = patterns.check(pattern, mode);
  return problem && { line, column, length: pattern.length, ...problem };
}

const opened = new WeakMap<PatternCache, Map<string, WeakRef<PatternFile>>>();

/** `path` is absolute. `now`: milliseconds since the epoch. Opening does no I/O. */
export function openPatternFile(cache: PatternCache, path: string, now: () => number): PatternFile {
  const files = opened.get(cache) ?? new Map<string, WeakRef<PatternFile>>();
  opened.set(cache, files);
  const known = files.get(path)?.deref();
  if (known !== undefined) return known;
  for (const [other, file] of files) if (file.deref() === undefined) files.delete(other);
  const fresh = new PatternFile(cache, path, now);
  files.set(path, new WeakRef(fresh));
  return fresh;
}

export class PatternFile {
  readonly #cache: PatternCache;
  readonly #path: string;
  readonly #now: () => number;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #version = '';
  #content: FileContent | null = null;
  #failure: unknown = null;
  #look: Promise<void> | null = null;

  constructor(cache: PatternCache, path: string, now: () => number) {
    this.#cache = cache;
    this.#path = path;
    this.#now = now;
  }

  /**
   * The first pattern found that matches a line, as `taboo.txt:12`, or null. `account`: as for patterns. Rejects where the
   * file cannot be used, with TooCostly where the patterns take too long.
   */
  find(lines: Lines, account: object): Promise<string | null> | string | null {
    const age = this.#now() - this.#lookedAt;
    if (age >= 0 && age < TRUSTED_FOR) return this.#find(lines, account);
    this.#look ??= this.#lookAgain().finally(() => {
      this.#look = null;
    });
    return this.#look.then(() => this.#find(lines, account));
  }

  #find(lines: Lines, account: object): Promise<string | null> | string | null {
    if (this.#content === null) throw this.#failure;
    const { header, body } = this.#content;
    const candidates = [...header.candidates(lines.header, account), ...body.candidates(lines.body, account)];
    return candidates.length === 0 ? null : this.#ask(candidates, account);
  }

  async #ask(candidates: readonly Candidate[], account: object): Promise<string | null> {
    for (const { entry, text } of candidates) {
      const wait = pause();
      if (wait !== null) await wait;
      if (entry.pattern.run(text, account)) return `${this.#path.slice(this.#path.lastIndexOf('/') + 1)}:${entry.line}`;
    }
    return null;
  }

  /** Never rejects: what went wrong is told to everyone who asks. */
  async #lookAgain(): Promise<void> {
    try {
      const version = await fileVersion(this.#path, LARGEST_PATTERN_FILE);
      if (version !== this.#version) {
        this.#content = await this.#read();
        this.#version = version;
      }
    } catch (error) {
      this.#content = null;
      this.#version = '';
      this.#failure = error;
    }
    this.#lookedAt = this.#now();
  }

  async #read(): Promise<FileContent> {
    const { patterns: lines, problems } = parsePatternLines(await readFile(this.#path, 'utf8'));
    const patterns = this.#cache.forFile();
    const content = { header: new LineSearch(patterns), body: new LineSearch(patterns) };
    const fail = ({ line, message }: LineProblem): never => {
      throw new Error(`${this.#path}:${line}: ${message}`);
    };
    for (const problem of problems) fail(problem);
    for (const [index, line] of lines.entries()) {
      const problem = problemOf(line, patterns);
      if (problem !== null) fail(problem);
      for (const asked of line.asks) content[asked].add(line);
      if (index % STRETCH === 0) await setImmediate();
    }
    return content;
  }
}

interface FileContent {
  readonly header: LineSearch;
  readonly body: LineSearch;
}

interface Entry {
  readonly pattern: Pattern;
  readonly line: number;
}

/** A line of a message on which a pattern may match. */
interface Candidate {
  readonly entry: Entry;
  readonly text: string;
}

const NONE: readonly Candidate[] = [];

class LineSearch {
  readonly #patterns: FilePatterns;
  readonly #needles = new Needles();
  readonly #byNeedle: Entry[][] = [];
  /** Patterns of which nothing is certain: asked of each line. */
  readonly #loose: Entry[] = [];

  constructor(patterns: FilePatterns) {
    this.#patterns = patterns;
  }

  add({ pattern: source, mode, line }: PatternLine): void {
    const pattern = this.#patterns.pattern(source, mode);
    const entry = { pattern, line };
    if (pattern.literals === null) this.#loose.push(entry);
    for (const literal of pattern.literals ?? []) {
      const id = this.#needles.add(literal);
      const entries = this.#byNeedle[id] ?? [];
      this.#byNeedle[id] = [...entries, entry];
    }
  }

  candidates(given: string | TextOfOctets, account: object): readonly Candidate[] {
    const seen = typeof given === 'string' || this.#loose.length > 0 || this.#needles.mayStandIn(given);
    if (!seen) return NONE;
    const text = typeof given === 'string' ? given : given.text;
    const found: Candidate[] = [];
    const add = (entry: Entry, start: number): void => {
      this.#patterns.charge(CANDIDATE, account);
      found.push({ entry, text: lineAt(text, start) });
    };
    const asked = new Map<Entry, number>();
    this.#needles.search(text, (ids: readonly NeedleId[], end) => {
      const start = text.lastIndexOf('\n', end - 1) + 1;
      for (const id of ids) {
        for (const entry of this.#byNeedle[id] ?? []) {
          if (asked.get(entry) === start) continue;
          asked.set(entry, start);
          add(entry, start);
        }
      }
    });
    for (const entry of this.#loose) {
      for (let start = 0; start < text.length; start = lineEndAfter(text, start) + 1) add(entry, start);
    }
    return found;
  }
}

function lineEndAfter(text: string, start: number): number {
  const end = text.indexOf('\n', start);
  return end === -1 ? text.length : end;
}

function lineAt(text: string, start: number): string {
  return text.slice(start, lineEndAfter(text, start));
}
