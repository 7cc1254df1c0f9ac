/**
 * phases - when the rules of each file decide, for people and as data.
 */
import type { Phase } from '../core/facts.ts';
import type { RulePhases } from '../rules/phases.ts';
import type { Rule } from '../rules/ruleset.ts';
import { shownPath } from './shown-path.ts';

export const PHASE_WORDS: Readonly<Record<Phase, string>> = {
  envelope: 'at RCPT',
  header: 'at the end of the header section',
  content: 'after the final dot',
};

/** The rules of one file. */
export interface FilePhases {
  readonly file: string;
  readonly rules: readonly RulePhases[];
}

export function printPhases(files: readonly FilePhases[]): string {
  return files.map(({ file, rules }) => `${shownPath(file)}\n${rules.map(printRule).join('')}\n`).join('');
}

function printRule({ rule, earliest, actual, heldBy, moveAbove }: RulePhases): string {
  const could = earliest === actual ? '' : `, could ${PHASE_WORDS[earliest]}`;
  const lines = [`  ${rule.layer} "${rule.name}" decides ${PHASE_WORDS[actual]}${could}\n`];
  if (heldBy !== null) lines.push(`    held back by ${named(heldBy)}\n`);
  if (moveAbove !== null) lines.push(`    would decide ${PHASE_WORDS[earliest]} if moved above "${moveAbove.name}"\n`);
  return lines.join('');
}

function named({ name, layer, place }: Rule): string {
  return `${layer} "${name}"  ${shownPath(place.file)}:${place.line}`;
}

/** For `--format json`. */
export function phasesAsData(files: readonly FilePhases[]): readonly object[] {
  return files.flatMap(({ file, rules }) =>
    rules.map(({ rule, earliest, actual, heldBy, moveAbove }) => ({
      file,
      line: rule.place.line,
      layer: rule.layer,
      rule: rule.name,
      earliest,
      actual,
      heldBy: heldBy && { rule: heldBy.name, file: heldBy.place.file, line: heldBy.place.line },
      moveAbove: moveAbove?.name ?? null,
    })),
  );
}
