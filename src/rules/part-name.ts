/**
 * part-name - the part that satisfied `attachment` in a rule, for `{part_name}` in its texts.
 *
 * A rule fills its texts as soon as it matched, so the last one is enough. It counts for that rule only: whether a rule in
 * front was asked for its attachments or failed before must not show.
 */
import type { Answers } from '../core/facts.ts';
import type { CompileEnv } from './env.ts';

interface Found {
  /** What all rules of a file have in common. */
  readonly file: object;
  readonly rule: string;
  readonly name: string;
}

const found = new WeakMap<Answers, Found>();

export function rememberPart(answers: Answers, { patterns, rule }: CompileEnv, name: string): void {
  found.set(answers, { file: patterns, rule, name });
}

export function partNameOf(answers: Answers, { patterns, rule }: CompileEnv): string {
  const last = found.get(answers);
  return last?.file === patterns && last.rule === rule ? last.name : '(no part)';
}
