/**
 * load - rulesets from YAML in tests, and what they say of a message.
 */
import assert from 'node:assert/strict';
import { isWarning } from '../../src/core/diagnostic.ts';
import { type Facts, PHASES, type Phase } from '../../src/core/facts.ts';
import type { Log } from '../../src/core/log.ts';
import { printMailbox } from '../../src/core/mailbox.ts';
import { copiesOf, type HeaderEdit, isServed, type Verdict } from '../../src/core/verdict.ts';
import { startEvaluation } from '../../src/rules/evaluate.ts';
import { type LoadedRuleset, type LoadOptions, loadRuleset } from '../../src/rules/load.ts';
import { PatternCache } from '../../src/rules/pattern.ts';
import type { Given } from '../../src/rules/part.ts';
import { RuledOut } from '../../src/rules/policy.ts';
import { programFor } from '../../src/rules/program.ts';
import type { Ruleset } from '../../src/rules/ruleset.ts';
import { formatDiagnostic } from '../../src/yaml/frame.ts';
import { factsOf, memoryLog } from './facts.ts';

const patterns = new PatternCache();

export function load(scope: 'system' | 'list', text: string, options: Partial<LoadOptions> = {}): LoadedRuleset {
  const file = scope === 'system' ? 'rules/system.yaml' : 'lists/lists.example.org/gardeners.yaml';
  const list = scope === 'system' ? null : 'gardeners@lists.example.org';
  return loadRuleset({
    file,
    text,
    scope,
    list,
    downstreams: ['archive', 'junk'],
    maildirs: ['junk'],
    patterns,
    now: () => 0,
    ...options,
  });
}

export function rulesetOf(scope: 'system' | 'list', text: string, options: Partial<LoadOptions> = {}): Ruleset {
  const { ruleset, diagnostics } = load(scope, text, options);
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

/**
 * Asks at each phase, or only at the last one. `served`: a downstream takes what is relayed. `content`: the octets of a
 * message, in the place of what `given` says of it.
 */
export async function evaluate(
  { system, list }: Rulesets,
  given: Given,
  {
    phases = PHASES,
    log = memoryLog(),
    served = false,
    content,
  }: { phases?: readonly Phase[]; log?: Log; served?: boolean; content?: Buffer } = {},
): Promise<Verdict> {
  const facts = factsOf(given, content);
  const program = programFor(system ?? null, list ?? null, facts.envelope.address.role);
  const evaluation = startEvaluation(program, log, { trace: false });
  for (const phase of phases) {
    const progress = await evaluation.advance(facts[phase] satisfies Facts);
    if (progress === 'later') continue;
    if (served && isServed(progress)) await evaluation.accepted(facts.content);
    return progress;
  }
  throw new Error('still later at the end');
}

type Unphased<V> = V extends Verdict ? Omit<V, 'phase'> : never;

export interface AllSaid {
  /** When the verdict was reached. */
  readonly phase: Phase;
  readonly said: Unphased<Verdict>;
  readonly shadows: readonly string[];
}

/**
 * The verdict and what the shadow rules say, asked on to the last of the phases; a downstream takes what is relayed.
 * `ruledOut`: by those who were asked before of the same message.
 */
export async function evaluateAll(
  { system, list }: Rulesets,
  given: Given,
  phases = PHASES,
  ruledOut = new RuledOut(),
): Promise<AllSaid> {
  const facts = factsOf(given);
  const program = programFor(system ?? null, list ?? null, facts.envelope.address.role);
  const evaluation = startEvaluation(program, memoryLog(), { trace: false, ruledOut });
  let verdict: Verdict | null = null;
  for (const phase of phases) {
    if (verdict !== null && !evaluation.pending) break;
    const progress = await evaluation.advance(facts[phase]);
    if (progress !== 'later') verdict ??= progress;
  }
  assert.ok(verdict !== null && !evaluation.pending);
  if (isServed(verdict)) await evaluation.accepted(facts.content);
  const { phase, ...said } = verdict;
  return { phase, said, shadows: [...evaluation.shadows].sort() };
}

export function printEdit(edit: HeaderEdit): string {
  if (edit.kind === 'add') return `add ${edit.name}: ${edit.value}`;
  return edit.kind === 'remove' ? `remove ${edit.name}` : `prefix ${edit.name}: ${edit.text}`;
}

/** What it comes to, on one line. */
export function printVerdict(verdict: Verdict): string {
  const notes = (verdict.notes ?? []).map((note) => `note: ${note}`);
  const copies = copiesOf(verdict).map(({ to, edits }) =>
    [`copy: ${printMailbox(to)}`, ...edits.map(printEdit)].join(' with '),
  );
  return [
    printRuling(verdict),
    ...copies,
    ...notes,
    ...(verdict.score === undefined ? [] : [`score ${verdict.score}`]),
  ].join('; ');
}

function printRuling(verdict: Verdict): string {
  switch (verdict.kind) {
    case 'relay': {
      const to = verdict.downstream === null ? '' : ` to ${verdict.downstream}`;
      return [`relay${to}`, ...verdict.edits.map(printEdit)].join('; ');
    }
    case 'redirect': {
      const to = verdict.downstream === null ? '' : ` to ${verdict.downstream}`;
      return [`redirect: ${printMailbox(verdict.to)}${to}`, ...verdict.edits.map(printEdit)].join('; ');
    }
    case 'quarantine':
      return [`quarantine: ${verdict.downstream}`, ...verdict.edits.map(printEdit)].join('; ');
    case 'discard':
      return `discard: ${verdict.note}`;
    default:
      return `${verdict.reply.code} ${verdict.reply.status} ${verdict.reply.text}`;
  }
}
