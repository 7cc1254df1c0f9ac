/**
 * pattern-file - the patterns of a file, asked of every line of a message at once.
 *
 * It is taken whole or not at all (see store/current-file.ts): while a line of it is broken, every question rejects. What the
 * patterns need is looked for in one pass (needles.ts), and a pattern is run only on the lines that hold it; so thousands of
 * them are nearly free. All lists that name the file share what is made of it.
 */
import { readFile } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { andThen, type Eventual } from '../core/eventual.ts';
import { Kept } from '../core/kept.ts';
import { CurrentFile } from '../store/current-file.ts';
import { type Found, Needles, type TextOfOctets } from './needles.ts';
import { pause } from './pace.ts';
import type { FilePatterns, Pattern, PatternCache } from './pattern.ts';
import { type LineProblem, type PatternLine, parsePatternLines } from './pattern-lines.ts';

/** In octets: some 20,000 patterns. */
export const LARGEST_PATTERN_FILE = 1024 * 1024;
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
  readonly #path: string;
  readonly #file: CurrentFile<FileContent>;

  constructor(cache: PatternCache, path: string, now: () => number) {
    this.#path = path;
    this.#file = new CurrentFile({ path, largest: LARGEST_PATTERN_FILE, read: () => readPatterns(cache, path), now });
  }

  /**
   * The first pattern found that matches a line, as `taboo.txt:12`, or null. `account`: as for patterns. Rejects where the
   * file cannot be used, with TooCostly where the patterns take too long. Asked of the same lines again, it answers at once;
   * whoever asks is charged as the first was.
   */
  find(lines: Lines, account: object): Eventual<string | null> {
    return andThen(this.#file.get(), ({ header, body, patterns, answers }) => {
      const known = answers.get(lines);
      if (known !== undefined && patterns.share(known.steps, account)) return known.match;
      const before = patterns.spentBy(account);
      const candidates = [...header.candidates(lines.header, account), ...body.candidates(lines.body, account)];
      return andThen(this.#ask(candidates, account), (match) => {
        answers.set(lines, { match, steps: patterns.spentBy(account) - before });
        return match;
      });
    });
  }

  #ask(candidates: readonly Candidate[], account: object): Eventual<string | null> {
    for (const [asked, { entry, text }] of candidates.entries()) {
      const wait = pause();
      if (wait !== null) return wait.then(() => this.#ask(candidates.slice(asked), account));
      if (entry.pattern.run(text, account)) return `${this.#path.slice(this.#path.lastIndexOf('/') + 1)}:${entry.line}`;
    }
    return null;
  }
}

async function readPatterns(cache: PatternCache, path: string): Promise<FileContent> {
  const { patterns: lines, problems } = parsePatternLines(await readFile(path, 'utf8'));
  const patterns = cache.forFile();
  const answers: FileContent['answers'] = new Kept();
  const content = { header: new LineSearch(patterns), body: new LineSearch(patterns), patterns, answers };
  const fail = ({ line, message }: LineProblem): never => {
    throw new Error(`${path}:${line}: ${message}`);
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

interface FileContent {
  readonly header: LineSearch;
  readonly body: LineSearch;
  readonly patterns: FilePatterns;
  /** What was found in the lines of a message, and the steps that it took. */
  readonly answers: Kept<Lines, { readonly match: string | null; readonly steps: number }>;
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
    const text = typeof given === 'string' || this.#loose.length === 0 ? given : given.text;
    const found = this.#needles.search(text);
    if (found === null && this.#loose.length === 0) return NONE;
    const candidates: Candidate[] = [];
    const add = (entry: Entry, line: string): void => {
      this.#patterns.charge(CANDIDATE, account);
      candidates.push({ entry, text: line });
    };
    if (found !== null) this.#addFound(found, add);
    for (const entry of this.#loose) for (const line of linesOf(text as string)) add(entry, line);
    return candidates;
  }

  /** Each entry once for each line that holds what it needs. */
  #addFound({ text, places }: Found, add: (entry: Entry, line: string) => void): void {
    const lastLine = new Map<Entry, number>();
    let [seen, start, line] = [0, 0, lineAt(text, 0)];
    for (const { ids, end } of places) {
      const fresh = text.slice(seen, end);
      const lineEnd = Math.max(fresh.lastIndexOf('\n'), fresh.lastIndexOf('\r'));
      if (lineEnd !== -1) {
        start = seen + lineEnd + 1;
        line = lineAt(text, start);
      }
      seen = end;
      for (const id of ids) {
        for (const entry of this.#byNeedle[id] ?? []) {
          if (lastLine.get(entry) === start) continue;
          lastLine.set(entry, start);
          add(entry, line);
        }
      }
    }
  }
}

function* linesOf(text: string): Iterable<string> {
  for (let start = 0; start < text.length; ) {
    const line = lineAt(text, start);
    yield line;
    start += line.length + 1;
  }
}

/** Up to the LF or CR that ends it. */
function lineAt(text: string, start: number): string {
  const end = text.indexOf('\n', start);
  const line = text.slice(start, end === -1 ? text.length : end);
  const carriageReturn = line.indexOf('\r');
  return carriageReturn === -1 ? line : line.slice(0, carriageReturn);
}
