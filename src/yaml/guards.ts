/**
 * guards - the surprises of YAML that we refuse although the parser takes them.
 *
 * Anchors, aliases, tags, values left out, null, text cut short by a comment, escapes that make control characters.
 * Each guard reports what it finds and nothing else; the tree goes on being built.
 */
import { EVENT_ID, type Event, SCALAR_STYLE } from 'js-yaml';
import type { DiagnosticCode } from '../core/diagnostic.ts';
import type { Span } from './place.ts';

export type NodeEvent = Extract<Event, { readonly anchorStart: number }>;
export type ScalarEvent = Extract<Event, { readonly type: typeof EVENT_ID.SCALAR }>;
export type Report = (code: DiagnosticCode, message: string, hint: string | null, span: Span) => void;

/** Words that other YAML schemas read as null. */
const NULL_WORD = /^(?:~|null|Null|NULL)$/;
/** A comment that begins like a text: `#42`. With a space behind `#`, or as a ruler of `#`, `-` or `=`, it is meant. */
const TEXT_LIKE_COMMENT = /:?[ \t]+(#[^\s#=-][^\r\n]*)/y;
const ESCAPE = /\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|(.))/gs;
/** Escapes of one letter that make a control character; `\n` and `\t` are wanted. */
const CONTROL_LETTERS: ReadonlyMap<string, string> = new Map([
  ['0', 'NUL'],
  ['a', 'bell'],
  ['b', 'backspace'],
  ['e', 'escape'],
  ['f', 'form feed'],
  ['r', 'carriage return'],
  ['v', 'vertical tab'],
]);

/** Of a text in a message, in characters. */
const LONGEST_SHOWN = 60;
/** Of a text that is shown as it should be written, in characters. */
const LONGEST_QUOTED = 120;
/** A text between the quotes of a word processor. */
const CURLY = /^[\u2018\u201a\u201c\u201e\u00ab](.*)[\u2018\u2019\u201c\u201d\u00bb]$/;

/** `text` as a quoted YAML scalar that stands for exactly that text. */
export function quoted(text: string): string {
  return /["\\]/.test(text) ? `'${text.replaceAll("'", "''")}'` : `"${text}"`;
}

function commentAt(text: string, at: number): (Span & { readonly text: string }) | null {
  TEXT_LIKE_COMMENT.lastIndex = at;
  const [all, comment] = TEXT_LIKE_COMMENT.exec(text) ?? [];
  if (all === undefined || comment === undefined) return null;
  const start = at + all.length - comment.length;
  return { start, end: start + comment.length, text: comment.trimEnd() };
}

export function refuseAnchorAndTag(text: string, event: NodeEvent, report: Report): void {
  if (event.type === EVENT_ID.ALIAS) {
    const span = { start: event.anchorStart - 1, end: event.anchorEnd };
    const hint = `put a text that starts with * in quotes: ${quoted(text.slice(span.start, span.end))}`;
    report('E_YAML_ALIAS', '* starts a YAML alias; aliases are not supported', hint, span);
    return;
  }
  if (event.anchorStart >= 0) {
    const span = { start: event.anchorStart - 1, end: event.anchorEnd };
    const hint = 'put a text that starts with & in quotes; a value cannot be named and used again';
    report('E_YAML_ALIAS', '& starts a YAML anchor; anchors are not supported', hint, span);
  }
  if (event.tagStart >= 0) {
    const span = { start: event.tagStart, end: event.tagEnd };
    const hint = `put a text that starts with ! in quotes; else take ${text.slice(span.start, span.end)} away`;
    report('E_YAML_TAG', '! starts a YAML tag; tags are not supported', hint, span);
  }
}

/** An unquoted text in brackets, in front of the next key. `cut`: it is a key without a value, what is left of a text. */
export interface TextBefore extends Span {
  readonly cut: boolean;
}

/**
 * For a value that is not there: `holder` is its key, or the dash of its list item, and `name` what to call that. `before`
 * is the text in front of the key, in the same brackets: a comma in it has made the key.
 */
export function refuseEmpty(text: string, holder: Span, name: string, report: Report, before: TextBefore | null): void {
  const comment = commentAt(text, holder.end);
  const key = text.slice(holder.start, holder.end);
  const colon = /\s*:/y;
  colon.lastIndex = holder.end;
  if (comment === null && before !== null && !/^[\w-]+:/.test(key) && !colon.test(text)) {
    // One text with two commas is one mistake.
    if (!before.cut) refuseComma(text, before, holder, report);
    return;
  }
  if (comment === null) {
    report('E_EMPTY', `${name} has no value`, valueHint(text, key, holder.end), holder);
    return;
  }
  const hint = `put it in quotes: ${quoted(comment.text)}`;
  report('E_EMPTY', `${name} has no value: what starts with # is a comment`, hint, comment);
}

/** What to do about a key that has no value, and ends at `end`. */
function valueHint(text: string, key: string, end: number): string {
  const [, name, value] = /^([\w-]+):(\S.*)$/.exec(key) ?? [];
  if (name !== undefined) return `write a space behind the colon: ${name}: ${value}`;
  const [, subject, word, rest] = /^([a-z_]+) ([a-z_]+) (.+)$/.exec(key) ?? [];
  const [, left, sign, right] = /^([a-z_]+) ?(!=|==?|<>) ?(\S+)$/.exec(key) ?? [];
  if (left !== undefined) {
    const same = sign === '=' || sign === '==';
    return `write a word in place of ${sign}: ${left}: { ${same ? 'is' : 'not_in'}: ${right} }`;
  }
  if (subject !== undefined) return `write a colon behind each key: ${subject}: { ${word}: ${rest} }`;
  if (/^:\s*[,\]]/.test(text.slice(end, end + 3))) return `if the colon belongs to the text: ${quoted(`${key}:`)}`;
  return 'write one behind it or, indented, below it; or take it away';
}

/** In brackets a comma ends a text that has no quotes: up to the next `key: ` or bracket it was one. */
function refuseComma(text: string, before: Span, rest: Span, report: Report): void {
  const [all = ''] = /^[^\r\n[\]{}]*?(?=\s*(?:,\s*[\w-]+:\s|[[\]{}]|$))/m.exec(text.slice(before.start)) ?? [];
  const whole = all.replace(CURLY, '$1');
  const number = /^(\d+),(\d+\b.*)$/.exec(whole);
  const hint =
    number !== null
      ? `write a point: ${number[1]}.${number[2]}`
      : whole.length > LONGEST_QUOTED
        ? 'put the whole text in straight quotes: "\u2026"'
        : `put it in quotes: ${quoted(whole)}`;
  const message = `the text ends at ${quoted(text.slice(before.start, before.end))}: in brackets a comma begins the next entry`;
  report('E_CUT_SHORT', message, hint, rest);
}

/** For a scalar that is written out; `span` is where it stands, quotes included. */
export function refuseMisreadScalar(text: string, event: ScalarEvent, span: Span, value: string, report: Report): void {
  if (event.style === SCALAR_STYLE.DOUBLE_QUOTED) refuseControlEscapes(text, span, report);
  if (event.style !== SCALAR_STYLE.PLAIN) return;
  if (NULL_WORD.test(value)) {
    report('E_EMPTY', `${value} is not a value`, `leave the key out; if the word is meant: "${value}"`, span);
  }
  const comment = commentAt(text, span.end);
  if (comment === null) return;
  const whole = `${value} ${comment.text}`;
  const quotes = whole.length > LONGEST_SHOWN ? 'put the whole text in quotes' : `put it in quotes: ${quoted(whole)}`;
  const end = value.length > LONGEST_SHOWN ? `\u2026${value.slice(-LONGEST_SHOWN)}` : value;
  const message = `the text ends at ${quoted(end)}: what starts with # is a comment`;
  report('E_CUT_SHORT', message, `${quotes}; or, for a comment, write a space behind #`, comment);
}

function refuseControlEscapes(text: string, span: Span, report: Report): void {
  for (const match of text.slice(span.start, span.end).matchAll(ESCAPE)) {
    const [sequence, x, u, U, letter = ''] = match;
    const code = Number.parseInt(x ?? u ?? U ?? '20', 16);
    const name = CONTROL_LETTERS.get(letter) ?? (code < 0x20 || (code >= 0x7f && code < 0xa0) ? 'control' : null);
    if (name === null) continue;
    const start = span.start + match.index;
    const hint = 'use single quotes: in them a backslash is only a backslash';
    const place = { start, end: start + sequence.length };
    report('E_CONTROL_CHARACTER', `in double quotes ${sequence} is a ${name} character`, hint, place);
  }
}
