/**
 * place - offsets of a text as lines and columns, and the order in which diagnostics are told.
 *
 * Lines end at LF, CR LF or CR (YAML 1.2 section 5.4). Columns count characters (code points), not UTF-16 units or octets.
 */
import type { Diagnostic, Place } from '../core/diagnostic.ts';

/** Half-open, in UTF-16 units of the text. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** The text without the byte order mark that some editors put in front. */
export function withoutMark(text: string): string {
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
}

export function splitLines(text: string): readonly string[] {
  return text.split(/\r\n|\r|\n/);
}

const LF = 0x0a;
const CR = 0x0d;

function lineStarts(text: string): readonly number[] {
  const starts = [0];
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === LF || (code === CR && text.charCodeAt(at + 1) !== LF)) starts.push(at + 1);
  }
  return starts;
}

/**
 * Answers where a span of `text` is; a span over several lines is cut at the end of its first. Spans that are asked in about
 * the order of the text cost no more than the text, however long its lines are.
 */
export function placesIn(file: string, text: string): (span: Span) => Place {
  // Most files are never asked for a place.
  let starts: readonly number[] | null = null;
  /** An offset, and the characters in front of it in its line. */
  let known = { line: 0, offset: 0, before: 0 };
  return ({ start, end }) => {
    starts ??= lineStarts(text);
    let low = 0;
    for (let high = starts.length - 1; low < high; ) {
      const middle = Math.ceil((low + high) / 2);
      if ((starts[middle] ?? 0) <= start) low = middle;
      else high = middle - 1;
    }
    const lineStart = starts[low] ?? 0;
    const isNear = known.line === low && Math.abs(start - known.offset) < start - lineStart;
    if (!isNear) known = { line: low, offset: lineStart, before: 0 };
    const more = [...text.slice(known.offset, start)].length;
    const less = [...text.slice(start, known.offset)].length;
    known = { line: low, offset: start, before: known.before + more - less };
    const marked = text.slice(start, Math.min(end, starts[low + 1] ?? text.length)).trimEnd();
    return { file, line: low + 1, column: known.before + 1, length: Math.max(1, [...marked].length) };
  };
}

/** The place that stands for a file as a whole. */
export function wholeFile(file: string): Place {
  return { file, line: 0, column: 1, length: 1 };
}

/** In the order of the text; what stands at one place keeps its order. */
export function inOrder(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  return diagnostics.toSorted((a, b) => a.place.line - b.place.line || a.place.column - b.place.column);
}
