/**
 * frame - prints a diagnostic with the line it is about, a caret under the place, and the fix.
 *
 *     gardeners.yaml:14:27  E_AMOUNT  in rule "too-large": a size needs a unit
 *      14 |     when: { size: { above: 25 } }
 *         |                            ^^
 *         = fix: write 25 MB
 *
 * Plain text without colour. Control characters of the file never reach the terminal.
 */
import type { Diagnostic } from '../core/diagnostic.ts';
import { splitLines, withoutMark } from './place.ts';

/** Characters of a line that are shown; a longer line is cut around the place. */
const WIDEST = 110;
const SHOWN_BEFORE_PLACE = 60;

/** Control characters, and those that change the direction of what follows. A tab stays: it is copied below its line. */
const UNPRINTABLE = /[^\P{Cc}\t]|\p{Bidi_Control}|[\u2028\u2029]/gu;
/** Two columns wide on a terminal. */
const WIDE =
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\uFF01-\uFF60]$/u;
/** No column of its own. */
const COMBINED = /^[\p{M}\u200B-\u200D]$/u;

function printable(text: string): string {
  return text.replace(UNPRINTABLE, '\uFFFD');
}

/** Blanks as wide as `character`, so that what stands below it is in the same column. */
function blankFor(character: string): string {
  if (character === '\t') return '\t';
  if (COMBINED.test(character)) return '';
  return WIDE.test(character) ? '  ' : ' ';
}

/** The source line and the line below it with the carets; `column` counts from 1. */
function excerpt(line: string, column: number, length: number): readonly [string, string] {
  const characters = [...printable(line)];
  const from = characters.length > WIDEST ? Math.max(0, column - 1 - SHOWN_BEFORE_PLACE) : 0;
  const shown = characters.slice(from, from + WIDEST);
  const left = from > 0 ? '\u2026' : '';
  const right = from + WIDEST < characters.length ? '\u2026' : '';
  const before = shown.slice(0, column - 1 - from);
  const marked = shown.slice(before.length, before.length + length);
  const blanks = (text: readonly string[]) => text.map(blankFor).join('');
  const carets = blanks(marked).replace(/\s/g, '^');
  return [`${left}${shown.join('')}${right}`, `${left === '' ? '' : ' '}${blanks(before)}${carets || '^'}`];
}

/**
 * The diagnostic as lines without a final line feed. `text` is that of the file the place is in; where it is null, or the
 * place is the file as a whole, no source line is shown.
 */
export function formatDiagnostic(diagnostic: Diagnostic, text: string | null): string {
  const { code, hint, place } = diagnostic;
  const message = printable(diagnostic.message);
  const fix = hint === null ? [] : [`= fix: ${printable(hint)}`];
  const source = text === null || place.line < 1 ? undefined : splitLines(withoutMark(text))[place.line - 1];
  const where = place.line < 1 ? place.file : `${place.file}:${place.line}:${place.column}`;
  const within = diagnostic.rule === undefined ? '' : `in rule "${printable(diagnostic.rule)}": `;
  const head = `${printable(where)}  ${code}  ${within}${message}`;
  if (source === undefined) return [head, ...fix.map((line) => `    ${line}`)].join('\n');

  const gutter = `${place.line}`.padStart(3);
  const margin = ' '.repeat(gutter.length);
  const [shown, carets] = excerpt(source, place.column, place.length);
  return [head, `${gutter} | ${shown}`, `${margin} | ${carets}`, ...fix.map((line) => `${margin} ${line}`)].join('\n');
}
