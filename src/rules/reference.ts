/**
 * reference - the conditions and actions as Markdown, made from the registry: what they say of themselves is what is run.
 */
import type { Condition } from './condition.ts';
import { actions, conditions } from './registry.ts';

const PHASE_WORDS = {
  envelope: 'at RCPT',
  header: 'at the end of the header section',
  content: 'after the final dot',
} as const;

function phaseWords(condition: Condition): string {
  const words = PHASE_WORDS[condition.phase];
  return condition.mayBeEarly ? `${words}, where it is not certain before` : words;
}

function heading(name: string, summary: string, reference: string | null, notes: readonly string[]): string {
  const source = reference === null ? [] : [reference];
  return `### \`${name}\`\n\n${summary}\n\n${[...notes, ...source].map((note) => `- ${note}`).join('\n')}\n`;
}

/** The whole page. */
export function rulesReference(): string {
  const ofConditions = [...conditions.values()].map((condition) => {
    const rows = condition.examples.map(({ argument, given, after, expect }) => {
      const where = Object.entries(given).map(
        ([key, value]) => `${key} \`${String(value).replaceAll('\n', ' / ') || '<>'}\``,
      );
      const copy = after === undefined ? '' : ', after one was accepted';
      return `| \`${condition.name}: ${argument}\` | ${where.join(', ') || 'an ordinary message'}${copy} | ${expect} |`;
    });
    const notes = [condition.phaseNote ?? `known ${phaseWords(condition)}`];
    const table = ['| condition | asked of | answer |', '|---|---|---|', ...rows].join('\n');
    return `${heading(condition.name, condition.summary, condition.reference, notes)}\n${escapePipes(table)}\n`;
  });
  const ofActions = [...actions.values()].map((action) => {
    const notes = [
      action.decides ? 'decides' : 'goes on',
      ...(action.systemOnly ? ["only in the system's file, or where `rules.may.actions` names it"] : []),
    ];
    const rows = action.examples.map(({ yaml, expect }) => `| \`then: ${yaml}\` | \`${expect}\` |`);
    const table = ['| action | gives |', '|---|---|', ...rows].join('\n');
    return `${heading(action.name, action.summary, action.reference, notes)}\n${escapePipes(table)}\n`;
  });
  return [
    '# Reference of the rule language\n',
    'Made by `npm run generate` from the parts themselves; every example below is run by `npm test`.\n',
    '## Conditions\n',
    ...ofConditions,
    '## Actions\n',
    ...ofActions,
  ].join('\n');
}

/** A bar inside a code span would end the cell. */
function escapePipes(table: string): string {
  return table.replace(/`[^`\n]*`/g, (code) => code.replaceAll('|', '\\|'));
}
