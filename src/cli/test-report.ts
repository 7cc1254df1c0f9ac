/**
 * test-report - the results of rule cases: for people, as JSON, as TAP version 13, as JUnit XML.
 */
import type { CaseResult } from '../rules/case.ts';
import type { TraceStep } from '../rules/trace.ts';
import { printStep } from './print-trace.ts';
import { shownPath } from './shown-path.ts';

/** The cases of one file. */
export interface TestedFile {
  readonly file: string;
  readonly results: readonly CaseResult[];
}

export const REPORT_FORMATS = ['pretty', 'json', 'tap', 'junit'] as const;
export type ReportFormat = (typeof REPORT_FORMATS)[number];

const PRINTERS: Readonly<Record<ReportFormat, (files: readonly TestedFile[]) => string>> = { pretty, json, tap, junit };

/** The whole report, ending in a line feed. */
export function printReport(files: readonly TestedFile[], format: ReportFormat): string {
  return PRINTERS[format](files);
}

export function failuresIn(files: readonly TestedFile[]): number {
  return files.reduce((sum, { results }) => sum + results.filter(({ failure }) => failure !== null).length, 0);
}

function placeOf({ place, failure }: CaseResult): string {
  const { file, line } = failure?.place ?? place;
  return `${shownPath(file)}:${line}`;
}

function titleOf({ name, recipient }: CaseResult): string {
  return `${name} (${recipient})`;
}

function pretty(files: readonly TestedFile[]): string {
  const all = files.flatMap(({ results }) => results);
  const failed = failuresIn(files);
  const lines = files.map(({ file, results }) => `${shownPath(file)}\n${results.map(prettyResult).join('')}\n`);
  const counted = `${all.length - failed} passed, ${failed} failed\n`;
  return all.length === 0
    ? 'there are no cases; write some under "tests:" beside the rules\n'
    : lines.join('') + counted;
}

function prettyResult(result: CaseResult): string {
  const { failure } = result;
  if (failure === null) return `  ok    ${titleOf(result)}\n`;
  return [
    `  FAIL  ${titleOf(result)}  ${placeOf(result)}\n`,
    `        expected ${failure.expected}\n`,
    `        got      ${failure.got}\n`,
    failure.hint === null ? '' : `        fix      ${failure.hint}\n`,
    ...shownSteps(result.place.file, failure.trace).map((step) => printStep(step, 8)),
  ].join('');
}

/** Steps of the rules of a file that are shown, beside the one that decided. */
const MOST_STEPS = 10;

/** What decided, and before it what the file's own rules said last: a rule that was expected to apply is among them. */
function shownSteps(file: string, trace: readonly TraceStep[]): readonly TraceStep[] {
  const last = new Map(trace.map((step) => [step.rule, step]));
  const own = [...last.values()].filter(({ place }) => place.file === file).slice(-MOST_STEPS);
  const decided = trace.at(-1);
  return decided === undefined || own.includes(decided) ? own : [...own, decided];
}

function json(files: readonly TestedFile[]): string {
  const data = files.flatMap(({ file, results }) =>
    results.map((result) => ({ file, ...result, passed: result.failure === null })),
  );
  return `${JSON.stringify(data, null, 2)}\n`;
}

function tap(files: readonly TestedFile[]): string {
  const all = files.flatMap(({ results }) => results);
  const lines = all.map((result, index) => {
    const { failure } = result;
    // A # would begin a directive.
    const head = `${index + 1} - ${titleOf(result).replace(/[\\#]/g, '\\$&').replace(/\s+/g, ' ')}\n`;
    if (failure === null) return `ok ${head}`;
    const rows = { at: placeOf(result), expected: failure.expected, got: failure.got };
    const block = Object.entries(rows).map(([key, value]) => `  ${key}: ${JSON.stringify(value)}\n`);
    return `not ok ${head}  ---\n${block.join('')}  ...\n`;
  });
  return `TAP version 13\n1..${all.length}\n${lines.join('')}`;
}

function junit(files: readonly TestedFile[]): string {
  const suites = files.map((tested) => {
    const { file, results } = tested;
    const name = xml(shownPath(file));
    const cases = results.map((result) => {
      const { failure } = result;
      const head = `    <testcase classname="${name}" name="${xml(titleOf(result))}"`;
      if (failure === null) return `${head}/>\n`;
      const message = xml(`expected ${failure.expected}, got ${failure.got}`);
      return `${head}>\n      <failure message="${message}">${xml(placeOf(result))}</failure>\n    </testcase>\n`;
    });
    const counts = `tests="${results.length}" failures="${failuresIn([tested])}"`;
    return `  <testsuite name="${name}" ${counts}>\n${cases.join('')}  </testsuite>\n`;
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${suites.join('')}</testsuites>\n`;
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Control characters have no place in XML 1.0, not even as entities. */
function xml(text: string): string {
  return text.replace(/[\p{Cc}\p{Cs}\ufffe\uffff]/gu, '\ufffd').replace(/[&<>"]/g, (sign) => ENTITIES[sign] ?? sign);
}
