/**
 * ask - a condition said in YAML, through the loader and the evaluator, of a message of others.
 */
import assert from 'node:assert/strict';
import { isWarning } from '../../src/core/diagnostic.ts';
import type { Given } from '../../src/rules/part.ts';
import { evaluate, load } from '../rules/load.ts';

/** What stands under `when:`, as data: JSON is YAML. */
export type When = Readonly<Record<string, unknown>>;

/** The text of a system's ruleset; `action` is what stands under `then:`. */
export function rulesText(
  rules: readonly { readonly name: string; readonly when: When; readonly action: string }[],
): string {
  const lines = rules.map(
    ({ name, when, action }) => `  - { name: ${name}, when: ${JSON.stringify(when)}, then: ${action} }\n`,
  );
  return `version: 1\ntrust_results_from: [mx.example.org]\nbefore:\n${lines.join('')}`;
}

/** Whether the condition holds; where the ruleset does not load, the codes of its errors. */
export async function ask(when: When, content: Buffer, given: Given = {}): Promise<boolean | string> {
  const { ruleset, diagnostics } = load(
    'system',
    rulesText([{ name: 'asked', when, action: '{ reject: It holds. }' }]),
  );
  const errors = diagnostics.filter((diagnostic) => !isWarning(diagnostic));
  if (ruleset === null) return errors.map(({ code }) => code).join(' ');
  assert.deepEqual(errors, []);
  const { kind } = await evaluate({ system: ruleset }, given, { content });
  return kind === 'reject';
}

/** A message of a table, with the line ends that it has on the wire. */
export function onTheWire(text: string): Buffer {
  return Buffer.from(text.replaceAll('\n', '\r\n'));
}

/** A text as a regex that matches it and nothing else. */
export function literally(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
