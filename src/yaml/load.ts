/**
 * load - the text of one YAML file as a value with places, or everything that is wrong with it.
 *
 * YAML's failsafe schema: every scalar stays text, the schema of its field decides what it is. Nothing is guessed, nothing
 * is thrown; a file with any error has no document. At most 256 KiB and 64 levels; the first 100 problems are told.
 */
import { EVENT_ID, type Event, parseEvents, YAMLException } from 'js-yaml';
import type { Diagnostic, Place } from '../core/diagnostic.ts';
import { compose } from './compose.ts';
import type { Report } from './guards.ts';
import { inOrder, placesIn, type Span, wholeFile, withoutMark } from './place.ts';
import { explainSyntax } from './syntax.ts';
import { spanOf, type YamlNode, type YamlPath, type YamlValue } from './tree.ts';

export type { YamlPath, YamlValue } from './tree.ts';

/** In octets. */
export const LARGEST_FILE = 256 * 1024;
const DEEPEST = 64;
/** Nobody reads more, and each costs a look at its line. */
export const MOST_TOLD = 100;

export interface YamlDocument {
  readonly file: string;
  readonly text: string;
  readonly value: YamlValue;
  /** The place of the value at `path`, or of its key; where there is none, that of the nearest value around it. */
  placeOf(path: YamlPath, part?: 'key' | 'value'): Place;
}

export interface Loaded {
  /** null if there is any error. */
  readonly document: YamlDocument | null;
  readonly diagnostics: readonly Diagnostic[];
}

/** Reads the one document of `text`; `file` only stands in places. */
export function loadYaml(file: string, text: string): Loaded {
  if (Buffer.byteLength(text) > LARGEST_FILE) return { document: null, diagnostics: [tooLarge(file)] };
  const source = withoutMark(text);
  const place = placesIn(file, source);
  const diagnostics: Diagnostic[] = [];
  const report: Report = (code, message, hint, span) => {
    if (diagnostics.length < MOST_TOLD) diagnostics.push({ code, message, hint, place: place(span) });
  };
  const root = read(source, place, report);
  if (root === null && diagnostics.length === 0) {
    const hint = 'a file begins with version: 1';
    diagnostics.push({ code: 'E_EMPTY', message: 'the file is empty', hint, place: wholeFile(file) });
  }
  if (root === null || diagnostics.length > 0) return { document: null, diagnostics: inOrder(diagnostics) };
  const placeOf = (path: YamlPath, part: 'key' | 'value' = 'value') => place(spanOf(root, path, part));
  return { document: { file, text, value: root.value, placeOf }, diagnostics: [] };
}

export function tooLarge(file: string): Diagnostic {
  const message = `the file is larger than ${LARGEST_FILE / 1024} KiB`;
  return {
    code: 'E_FILE_TOO_LARGE',
    message,
    hint: 'keep long lists of values in a file of their own',
    place: wholeFile(file),
  };
}

function read(source: string, place: (span: Span) => Place, report: Report): YamlNode | null {
  try {
    const events = parseEvents(source, { maxDepth: DEEPEST });
    refuseMoreDocuments(source, events, report);
    return events.length === 0 ? null : compose(events, source, (span) => place(span).line, report);
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    const { code, message, hint, span } = explainSyntax(source, error.reason, error.mark?.position ?? 0);
    report(code, message, hint, span);
    return null;
  }
}

function refuseMoreDocuments(source: string, events: readonly Event[], report: Report): void {
  const documents = events.filter((event) => event.type === EVENT_ID.DOCUMENT);
  const second = documents[1];
  if (second === undefined) return;
  const marks = [...source.matchAll(/^---(?=\s|$)|^\.\.\.(?=\s|$)/gm)];
  // Either the second `---`, or the first one where the first document has none, or what follows its `...`.
  const mark = marks[documents[0]?.explicitStart === true ? 1 : 0] ?? { index: 0 };
  const hint = 'write a file for each; take the line with --- or ... away';
  report('E_YAML_DOCUMENTS', 'a second YAML document begins here', hint, { start: mark.index, end: mark.index + 3 });
}
