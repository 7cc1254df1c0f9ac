/**
 * syntax - what the YAML parser complains about, in an author's words and at the place where it can be mended.
 *
 * The parser stops at its first error and tells where it noticed; the cause is mostly a text that needed quotes, or a
 * quote or bracket left open further up. Reasons are those of js-yaml 5.5; any other is told as the parser says it.
 */
import type { DiagnosticCode } from '../core/diagnostic.ts';
import { quoted } from './guards.ts';
import type { Span } from './place.ts';

export interface SyntaxProblem {
  readonly code: DiagnosticCode;
  readonly message: string;
  readonly hint: string | null;
  readonly span: Span;
}

const QUOTE_IT = 'put the whole text in quotes';

/** Reasons of the parser while it is between quotes or brackets. */
const INSIDE = /deficient indentation|unexpected end of the|missed comma|found ','/;
const COMMA = /missed comma|found ','/;
const MISPLACED = /bad indentation of|document separator is expected|block mapping entry|end mark is expected/;

/** The problem behind the parser's `reason`, noticed at `position` of `text`. */
export function explainSyntax(text: string, reason: string, position: number): SyntaxProblem {
  const here = { start: position, end: position + 1 };
  const say = (message: string, hint: string | null, span: Span = here, code: DiagnosticCode = 'E_YAML') => ({
    code,
    message,
    hint,
    span,
  });

  if (/maxDepth/.test(reason)) {
    return say('lists and mappings are nested too deeply', 'at most 64 levels are read', here, 'E_YAML_DEPTH');
  }
  if (/null byte|non-printable|valid JSON character/.test(reason)) {
    return say('there is a control character here', 'take it away', here, 'E_CONTROL_CHARACTER');
  }
  if (/\balias\b/.test(reason)) {
    const message = '* starts a YAML alias; aliases are not supported';
    return say(message, 'put a text that starts with * in quotes: "*"', signAt(text, '*', position), 'E_YAML_ALIAS');
  }
  if (/\banchor\b/.test(reason)) {
    const message = '& starts a YAML anchor; anchors are not supported';
    return say(message, 'put a text that starts with & in quotes', signAt(text, '&', position), 'E_YAML_ALIAS');
  }
  if (/\btag\b/.test(reason)) {
    return say(
      '! starts a YAML tag; tags are not supported',
      'put a text that starts with ! in quotes',
      here,
      'E_YAML_TAG',
    );
  }
  if (/tab characters/.test(reason)) return say('the indentation contains a tab', 'indent with spaces');
  if (/unknown escape/.test(reason)) {
    const sequence = text.slice(position - 1, position + 1);
    const hint = 'use single quotes: in them a backslash is only a backslash';
    return say(`in double quotes ${sequence} means nothing`, hint, { start: position - 1, end: position + 1 });
  }
  if (/line break is expected/.test(reason)) {
    return say('a text cannot start with | or >', QUOTE_IT, restOfLine(text, position, false));
  }

  if (MISPLACED.test(reason)) return misplaced(text, position, false, say);
  if (!INSIDE.test(reason)) return say(reason, null);
  const opening = openBefore(text, position);
  if (opening !== null && !COMMA.test(reason)) {
    const span = { start: opening.at, end: opening.at + 1 };
    const sign = text.charAt(opening.at);
    if (opening.comment !== null) {
      return say('what starts with # is a comment, the closing bracket too', QUOTE_IT, opening.comment, 'E_CUT_SHORT');
    }
    return say(`this ${sign} is never closed`, `write ${CLOSING[sign] ?? sign} where it ends`, span);
  }
  return misplaced(text, position, opening !== null, say);
}

/** The parser stops at a sign, or just behind it. */
function signAt(text: string, sign: string, position: number): Span {
  const start = text.charAt(position) === sign ? position : Math.max(0, position - 1);
  return { start, end: start + 1 };
}

const CLOSING: Readonly<Record<string, string>> = { '[': ']', '{': '}' };

type Say = (message: string, hint: string | null, span?: Span) => SyntaxProblem;

/** What is at `position` cannot follow what is before it. */
function misplaced(text: string, position: number, inBrackets: boolean, say: Say): SyntaxProblem {
  const sign = text.charAt(position);
  const rest = restOfLine(text, position, inBrackets);
  const before = text.slice(lineStart(text, position), position);
  if (sign !== '' && '@`%?'.includes(sign)) {
    return say(
      `a text cannot start with ${sign}`,
      `put it in quotes: ${quoted(text.slice(rest.start, rest.end))}`,
      rest,
    );
  }
  if (sign === ':' && /:\s|["'\]}]\s*$/.test(before)) {
    return say('a text that holds a colon and a space needs quotes', QUOTE_IT);
  }
  if (/["'\]}]\s*$/.test(before)) {
    return say('the text goes on behind its closing quote or bracket', quotesHint(text, before, rest), rest);
  }
  if (inBrackets) {
    const hint = 'write one comma between two entries; quote a text that holds , [ ] { or }';
    return say('there is a comma too few or too many', hint);
  }
  const above = lineAbove(text, position);
  if (above !== null && !/:(?:\s|$)|^-\s*$|^-\s+[^\s:]+$/.test(text.slice(above.start, above.end))) {
    return say('expected key: value', 'write a colon and a space behind the key', above);
  }
  const line = restOfLine(text, position - before.trimStart().length, false);
  const dash = above && itemKey(text, above);
  const hint =
    dash !== null && /^[\w-]+:(?:\s|$)/.test(text.slice(line.start, line.end))
      ? `begin it below \`${dash.key}\`, with ${dash.blanks} blanks in front`
      : 'line up keys that belong together; put a text of several lines in quotes';
  return say('this line does not fit the lines above it', hint, line);
}

/** The key behind a dash, and how many blanks stand in front of what belongs beside it; null where there is none. */
function itemKey(text: string, { start, end }: Span): { readonly key: string; readonly blanks: number } | null {
  const [, dash = '', key] = /^(-\s+)([\w-]+):/.exec(text.slice(start, end)) ?? [];
  return key === undefined ? null : { key, blanks: start - lineStart(text, start) + dash.length };
}

/** For a text with the quotes in it that are also around it. */
function quotesHint(text: string, before: string, rest: Span): string {
  const mark = before.trimEnd().at(-1) ?? '';
  const goesOn = text.slice(rest.start).split(/[\r\n]/, 1)[0] ?? '';
  if (mark === "'" && goesOn.includes(mark)) return 'a text with an apostrophe stands in double quotes: "\u2026"';
  if (mark === '"' && goesOn.includes(mark)) return "a text with double quotes in it stands in single ones: '\u2026'";
  return QUOTE_IT;
}

function lineStart(text: string, position: number): number {
  const before = text.slice(0, position);
  return Math.max(before.lastIndexOf('\n'), before.lastIndexOf('\r')) + 1;
}

/** The last line before that of `position` that is more than blanks and comment, without indentation. */
function lineAbove(text: string, position: number): Span | null {
  for (let end = lineStart(text, position); end > 0; ) {
    const start = lineStart(text, text.slice(0, end).trimEnd().length);
    const line = text.slice(start, end).trimEnd();
    const indent = line.length - line.trimStart().length;
    if (line !== '' && line.charAt(indent) !== '#') return { start: start + indent, end: start + line.length };
    end = start;
  }
  return null;
}

/** Up to the comment, the end of the line or, in brackets, the end of the entry. */
function restOfLine(text: string, start: number, inBrackets: boolean): Span {
  const entry = inBrackets ? /[^\r\n,\]}]*/y : /[^\r\n]*/y;
  entry.lastIndex = start;
  const rest = (entry.exec(text)?.[0] ?? '').replace(/\s#.*$/, '').trimEnd();
  return { start, end: start + Math.max(1, rest.length) };
}

interface Opening {
  readonly at: number;
  /** The comment that hides a closing bracket. */
  readonly comment: Span | null;
}

/** Only there a quote or a bracket opens; anywhere else it is a sign of the text like any other. */
function startsValue(text: string, at: number): boolean {
  let index = at - 1;
  while (text.charAt(index) === ' ' || text.charAt(index) === '\t') index -= 1;
  return index < 0 || '\r\n:-?,[{'.includes(text.charAt(index));
}

/** The quote or innermost bracket that was opened before `end` and is still open there. */
function openBefore(text: string, end: number): Opening | null {
  const open: Opening[] = [];
  const token = /["'[\]{}]|(?:^|[ \t])#[^\r\n]*/gm;
  for (let match = token.exec(text); match !== null && match.index < end; match = token.exec(text)) {
    const { 0: sign, index: at } = match;
    if (sign === ']' || sign === '}') {
      open.pop();
    } else if (sign.includes('#')) {
      const last = open.at(-1);
      const comment = { start: at + sign.indexOf('#'), end: at + sign.length };
      if (last !== undefined && /[\]}]/.test(sign)) open[open.length - 1] = { ...last, comment };
    } else if (startsValue(text, at)) {
      if (sign === '[' || sign === '{') {
        open.push({ at, comment: null });
        continue;
      }
      const closing = sign === '"' ? /[^"\\]*(?:\\.[^"\\]*)*"/sy : /[^']*(?:''[^']*)*'(?!')/y;
      closing.lastIndex = at + 1;
      if (!closing.test(text) || closing.lastIndex > end) return { at, comment: null };
      token.lastIndex = closing.lastIndex;
    }
  }
  return open.at(-1) ?? null;
}
