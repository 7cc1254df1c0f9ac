/**
 * print-trace - one rule of a trace as lines for people.
 */
import type { TracedClause, TraceStep } from '../rules/trace.ts';
import { shownPath } from './shown-path.ts';

/** The rule, its answer and its place, and below it each condition with what it saw. */
export function printStep(step: TraceStep, indent: number): string {
  const waits = step.waitsForText ? ', waits for what its text names' : '';
  const kind = step.shadow ? 'shadow rule ' : '';
  const place = `${shownPath(step.place.file)}:${step.place.line}`;
  const head = `${' '.repeat(indent)}${step.phase.padEnd(8)} ${step.layer} ${kind}"${step.rule}" ${wordOf(step.truth)}${waits}  ${place}\n`;
  return head + step.clauses.map((clause) => printClause(clause, indent + 2)).join('');
}

function printClause(clause: TracedClause, indent: number): string {
  // What stands in a message must not move a cursor.
  const saw = clause.saw === null ? '' : `  saw ${clause.saw.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '?')}`;
  const line = `${' '.repeat(indent)}${clause.label}: ${wordOf(clause.truth)}${saw}\n`;
  return line + clause.children.map((child) => printClause(child, indent + 2)).join('');
}

function wordOf(truth: TracedClause['truth']): string {
  return truth === 'later' ? 'not yet' : String(truth);
}
