/**
 * load - rulesets from YAML in tests, and what they say of a message.
 */
import assert from 'node:assert/strict';
import { isWarning } from '../../src/core/diagnostic.ts';
import { type Facts, PHASES } from '../../src/core/facts.ts';
import type { HeaderEdit, Verdict } from '../../src/core/verdict.ts';
import { startEvaluation } from '../../src/rules/evaluate.ts';
import { type LoadedRuleset, type LoadOptions, loadRuleset } from '../../src/rules/load.ts';
import { PatternCache } from '../../src/rules/pattern.ts';
import type { Given } from '../../src/rules/part.ts';
import { programFor, type Ruleset } from '../../src/rules/ruleset.ts';
import { formatDiagnostic } from '../../src/yaml/frame.ts';
import { factsOf, memoryLog } from './facts.ts';

const patterns = new PatternCache();

export function load(scope: 'system' | 'list', text: string, options: Partial<LoadOptions> = {}): LoadedRuleset {
  const file = scope === 'system' ? 'rules/system.yaml' : 'lists/lists.example.org/gardeners.yaml';
  const list = scope === 'system' ? null : 'gardeners@lists.example.org';
  return loadRuleset({ file, text, scope, list, downstreams: ['archive'], patterns, now: () => 0, ...options });
}

export function rulesetOf(scope: 'system' | 'list', text: string): Ruleset {
  const { ruleset, diagnostics } = load(scope, text);
  const errors = diagnostics.filter((diagnostic) => !isWarning(diagnostic));
  assert.deepEqual(
    errors.map((diagnostic) => formatDiagnostic(diagnostic, text)),
    [],
  );
  assert.ok(ruleset !== null);
  return ruleset;
}

export interface Rulesets {
  readonly system?: Ruleset;
  readonly list?: Ruleset;
}

/** Asks at each phase, or only at the last one; `served`: a downstream takes what is relayed. */
export async function evaluate(
  { system, list }: Rulesets,
  given: Given,
  { phases = PHASES, log = memoryLog(), served = false } = {},
): Promise<Verdict> {
  const facts = factsOf(given);
  const program = programFor(system ?? null, list ?? null, facts.envelope.address.role);
  const evaluation = startEvaluation(program, log, false);
  for (const phase of phases) {
    const progress = await evaluation.advance(facts[phase] satisfies Facts);
    if (progress === 'later') continue;
    if (served && progress.kind === 'relay') await evaluation.accepted(facts.content);
    return progress;
  }
  throw new Error('still later at the end');
}

export function printEdit(edit: HeaderEdit): string {
  return edit.kind === 'add' ? `add ${edit.name}: ${edit.value}` : `remove ${edit.name}`;
}

/** What it comes to, on one line. */
export function printVerdict(verdict: Verdict): string {
  switch (verdict.kind) {
    case 'relay': {
      const to = verdict.downstream === null ? '' : ` to ${verdict.downstream}`;
      return [`relay${to}`, ...verdict.edits.map(printEdit)].join('; ');
    }
    case 'discard':
      return `discard: ${verdict.note}`;
    default:
      return `${verdict.reply.code} ${verdict.reply.status} ${verdict.reply.text}`;
  }
}
