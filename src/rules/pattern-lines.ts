/**
 * pattern-lines - a file of patterns, one a line, as Majordomo keeps its taboo lists and Perl writes them.
 *
 *     # a comment
 *     header: /^subject:.*lottery/i
 *     body: m!unsubscribe from any mail lists!io
 *     \bviagra\b
 *
 * `header:` or `body:` says what is asked, both where nothing is said. Between delimiters case counts unless `i` stands
 * behind; a pattern alone on its line ignores case.
 */
import type { CaseMode } from './pattern.ts';

export interface PatternLine {
  readonly asks: readonly ('header' | 'body')[];
  readonly pattern: string;
  readonly mode: CaseMode;
  /** From 1; `column` is that of the pattern. */
  readonly line: number;
  readonly column: number;
}

export interface LineProblem {
  readonly line: number;
  readonly column: number;
  readonly length: number;
  readonly message: string;
  readonly hint: string;
}

export interface PatternLines {
  readonly patterns: readonly PatternLine[];
  readonly problems: readonly LineProblem[];
}

/** Characters of a pattern. */
const LONGEST = 500;
const CLOSING: Readonly<Record<string, string>> = { '{': '}', '(': ')', '[': ']', '<': '>' };
const BOTH = ['header', 'body'] as const;

export function parsePatternLines(text: string): PatternLines {
  const patterns: PatternLine[] = [];
  const problems: LineProblem[] = [];
  const lines = text.replace(/^\ufeff/, '').split(/\r\n|\n|\r/);
  for (const [index, line] of lines.entries()) {
    if (/^\s*(?:#|$)/.test(line)) continue;
    const read = readLine(line, index + 1);
    if ('message' in read) problems.push(read);
    else patterns.push(read);
  }
  return { patterns, problems };
}

function readLine(source: string, line: number): PatternLine | LineProblem {
  const [lead = '', word] = /^\s*(?:(header|body)\s*:\s*)?/.exec(source) ?? [];
  const rest = source.slice(lead.length).trimEnd();
  const asks = word === 'header' || word === 'body' ? ([word] as const) : BOTH;
  const fail = (message: string, hint: string, at = 0, length = rest.length): LineProblem => ({
    line,
    column: lead.length + at + 1,
    length: Math.max(1, length),
    message,
    hint,
  });
  if (rest === '') return fail('there is no pattern here', 'write one like /lottery/i');
  const found = (pattern: string, mode: CaseMode, at: number): PatternLine | LineProblem => {
    if (pattern === '') return fail('there is no pattern here', 'an empty one would match everything; take it out');
    if (pattern.length > LONGEST)
      return fail(`the pattern is longer than ${LONGEST} characters`, 'say it in several lines', at, pattern.length);
    return { asks, pattern: pattern.replace(/\\(.)/gsu, inRe2), mode, line, column: lead.length + at + 1 };
  };
  const opening = /^(?:m([^\w\s])|(\/))/.exec(rest);
  if (opening === null) return found(rest, 'ignored', 0);
  const [begin, marked] = opening;
  const delimiter = marked ?? '/';
  const closing = CLOSING[delimiter] ?? delimiter;
  const end = rest.lastIndexOf(closing);
  if (end < begin.length) return fail(`the pattern does not end: ${closing} is missing`, `write ${begin}…${closing}`);
  const flags = rest.slice(end + 1);
  if (!/^[io]*$/.test(flags)) {
    const hint = 'behind the pattern stands i, for any case, or nothing';
    return fail(`"${flags.trim()}" is no flag of a pattern`, hint, end + 1, flags.length);
  }
  return found(rest.slice(begin.length, end), flags.includes('i') ? 'ignored' : 'exact', begin.length);
}

/** What Perl has and RE2 has not: `\e`. */
function inRe2(whole: string, character: string): string {
  return character === 'e' ? '\\x1b' : whole;
}
