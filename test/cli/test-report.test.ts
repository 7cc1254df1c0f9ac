/**
 * What `postern test` shows of a case that fails: what to mend, what the file's own rules said, and what decided.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { printReport } from '../../src/cli/test-report.ts';
import type { TraceStep } from '../../src/rules/trace.ts';

const place = (file: string, line: number) => ({ file, line, column: 1, length: 1 });
const step = (file: string, rule: string, phase: TraceStep['phase'], truth: TraceStep['truth']): TraceStep => ({
  phase,
  layer: file === 'a.yaml' ? 'rules' : 'after',
  rule,
  place: place(file, 2),
  truth,
  shadow: false,
  waitsForText: false,
  clauses: [],
});

test('each of the own rules once, as it was asked last, then the one that decided', () => {
  const failure = {
    code: 'E_TEST' as const,
    place: place('a.yaml', 9),
    expected: 'reject',
    got: 'relay',
    hint: 'write given',
    trace: [
      step('a.yaml', 'programs', 'header', 'later'),
      step('a.yaml', 'programs', 'content', false),
      step('a.yaml', 'large', 'content', false),
      step('system.yaml', 'archive', 'content', false),
      step('system.yaml', 'too-large', 'content', false),
    ],
  };
  const report = printReport(
    [{ file: 'a.yaml', results: [{ name: 'exe', recipient: 'a@example.org', place: place('a.yaml', 8), failure }] }],
    'pretty',
  );
  assert.equal(
    report,
    `a.yaml
  FAIL  exe (a@example.org)  a.yaml:9
        expected reject
        got      relay
        fix      write given
        content  rules "programs" false  a.yaml:2
        content  rules "large" false  a.yaml:2
        content  after "too-large" false  system.yaml:2

0 passed, 1 failed
`,
  );
});
