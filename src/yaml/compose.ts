/**
 * compose - the parser's events as a tree of values with places.
 *
 * What the guards refuse, keys that stand twice, and keys that are no text are reported and left out or kept as text, so
 * that all problems of a file are found at once. Recursion is bounded by the depth that the parser allows.
 */
import { COLLECTION_STYLE, EVENT_ID, type Event, getScalarValue, SCALAR_STYLE } from 'js-yaml';
import {
  type NodeEvent,
  type Report,
  refuseAnchorAndTag,
  refuseEmpty,
  refuseMisreadScalar,
  type ScalarEvent,
  type TextBefore,
} from './guards.ts';
import type { Span } from './place.ts';
import type { YamlEntry, YamlNode, YamlValue } from './tree.ts';

/** What to point at, and how to call it, where a value is missing. */
interface Holder extends Span {
  readonly name: string;
  readonly before?: TextBefore | null;
}

/** Keys of a condition of the rules, which may well be asked twice. */
const MATCH_WORD = /^(?:is|contains|starts_with|ends_with|like|regex|domain|in|not_in)$/;
const CLOSING_BRACKET = /[\s,:]*[\]}]/y;

/**
 * The root of the first document in `events`, which are those of `parseEvents(text)` and hold at least one value.
 * `lineOf` answers the line of a span.
 */
export function compose(
  events: readonly Event[],
  text: string,
  lineOf: (span: Span) => number,
  report: Report,
): YamlNode {
  let next = events[0]?.type === EVENT_ID.DOCUMENT ? 1 : 0;
  /** Behind what was read last. What has no offset of its own (dashes, closing brackets) is looked for from here. */
  let cursor = 0;

  function take(): NodeEvent {
    const event = events[next];
    next += 1;
    if (event === undefined || !('anchorStart' in event)) throw new Error('YAML events end within a value');
    return event;
  }

  /** True once at the end of the collection being read. */
  function atEnd(): boolean {
    const ended = events[next]?.type === EVENT_ID.POP;
    if (ended) next += 1;
    return ended;
  }

  function spanOfScalar(event: ScalarEvent): Span {
    const { valueStart: start, valueEnd: end, style } = event;
    if (style === SCALAR_STYLE.PLAIN) return { start, end };
    if (style === SCALAR_STYLE.SINGLE_QUOTED || style === SCALAR_STYLE.DOUBLE_QUOTED) {
      return { start: start - 1, end: end + 1 };
    }
    const indicator = text.indexOf(style === SCALAR_STYLE.LITERAL_BLOCK ? '|' : '>', cursor);
    return { start: Math.min(indicator, start), end };
  }

  function readScalar(event: ScalarEvent): Span & { readonly value: string } {
    const span = spanOfScalar(event);
    const value = getScalarValue(text, event);
    refuseMisreadScalar(text, event, span, value, report);
    cursor = span.end;
    return { ...span, value };
  }

  function readNode(holder: Holder): YamlNode {
    const event = take();
    refuseAnchorAndTag(text, event, report);
    switch (event.type) {
      case EVENT_ID.ALIAS:
        cursor = event.anchorEnd;
        return {
          kind: 'text',
          start: event.anchorStart - 1,
          end: cursor,
          value: text.slice(event.anchorStart - 1, cursor),
        };
      case EVENT_ID.SCALAR:
        if (event.valueStart >= 0) return { kind: 'text', ...readScalar(event) };
        if (event.tagStart < 0 && event.anchorStart < 0)
          refuseEmpty(text, holder, holder.name, report, holder.before ?? null);
        return { kind: 'text', start: holder.start, end: holder.end, value: '' };
      case EVENT_ID.SEQUENCE:
        return readList(event.start, event.style === COLLECTION_STYLE.FLOW);
      case EVENT_ID.MAPPING:
        return readMapping(event.start, event.style === COLLECTION_STYLE.FLOW);
    }
  }

  function readList(start: number, flow: boolean): YamlNode {
    cursor = flow ? start + 1 : start;
    const items: YamlNode[] = [];
    while (!atEnd()) {
      if (!flow) cursor = skipBlank(text, cursor) + 1;
      items.push(readNode({ start: cursor - 1, end: cursor, name: 'this list item' }));
    }
    if (flow) closeBracket();
    return { kind: 'list', start, end: cursor, items, value: items.map((item) => item.value) };
  }

  function readMapping(start: number, flow: boolean): YamlNode {
    const bracket = flow && text.charAt(start) === '{';
    cursor = bracket ? start + 1 : start;
    const entries = new Map<string, YamlEntry>();
    const value: { [key: string]: YamlValue } = {};
    let before: TextBefore | null = null;
    while (!atEnd()) {
      const key = readKey();
      const node = readNode({ ...key, name: `the key "${key.value ?? ''}"`, before });
      const unquoted = bracket && node.kind === 'text' && !/["']/.test(text.charAt(node.start));
      before = unquoted ? { start: node.start, end: node.end, cut: node.start === key.start } : null;
      if (key.value === null || !isNewKey(key.value, key, node, entries)) continue;
      entries.set(key.value, { key, node });
      value[key.value] = node.value;
    }
    if (bracket) closeBracket();
    return { kind: 'mapping', start, end: cursor, entries, value };
  }

  /** `value` is null where the key is none; that has been reported then. */
  function readKey(): Span & { readonly value: string | null } {
    const event = events[next];
    if (event?.type === EVENT_ID.SCALAR && event.valueStart >= 0) {
      refuseAnchorAndTag(text, take(), report);
      const span = spanOfScalar(event);
      cursor = span.end;
      return { ...span, value: getScalarValue(text, event) };
    }
    if (event?.type === EVENT_ID.SCALAR) {
      next += 1;
      const start = skipBlank(text, cursor);
      report('E_YAML', 'a key is missing before the colon', 'write key: value', { start, end: start + 1 });
      return { start, end: start + 1, value: null };
    }
    const { start, end } = readNode({ start: cursor, end: cursor, name: 'this key' });
    if (event?.type !== EVENT_ID.ALIAS) {
      report('E_YAML', 'a list or a mapping cannot be a key', 'put a text that starts with [ or { in quotes', {
        start,
        end,
      });
    }
    return { start, end, value: null };
  }

  function isNewKey(name: string, span: Span, node: YamlNode, entries: ReadonlyMap<string, YamlEntry>): boolean {
    const first = entries.get(name)?.key;
    if (first !== undefined) {
      const message = `the key "${name}" appears twice, first in line ${lineOf(first)}`;
      const asksBoth = node.kind === 'mapping' && [...node.entries.keys()].some((word) => MATCH_WORD.test(word));
      const hint = asksBoth
        ? `keep one of them; to ask both write all: [ { ${name}: \u2026 }, { ${name}: \u2026 } ], or any:`
        : 'keep one of them; several values of one key are a list';
      report('E_YAML_DUPLICATE_KEY', message, hint, span);
    } else if (name === '<<') {
      report('E_YAML_ALIAS', '<< is a YAML merge key; merge keys are not supported', 'write the keys out', span);
    } else if (name === '__proto__') {
      report('E_UNKNOWN_KEY', 'unknown key "__proto__"', null, span);
    } else {
      return true;
    }
    return false;
  }

  function closeBracket(): void {
    CLOSING_BRACKET.lastIndex = cursor;
    if (CLOSING_BRACKET.test(text)) cursor = CLOSING_BRACKET.lastIndex;
  }

  const start = skipBlank(text, 0);
  return readNode({ start, end: start, name: 'the file' });
}

/** The offset of the first character from `at` that is neither blank nor in a comment. */
function skipBlank(text: string, at: number): number {
  const blank = /\s*/y;
  for (let offset = at; ; ) {
    blank.lastIndex = offset;
    blank.test(text);
    offset = blank.lastIndex;
    if (text.charAt(offset) !== '#') return offset;
    const lineEnd = /[^\r\n]*/y;
    lineEnd.lastIndex = offset;
    lineEnd.test(text);
    offset = lineEnd.lastIndex;
  }
}
