/**
 * part-name - the part that satisfied `attachment` last, for `{part_name}` in the texts of its rule.
 *
 * Kept beside the answers of the recipient; a rule fills its texts as soon as it matched.
 */
import type { Answers } from '../core/facts.ts';

const names = new WeakMap<Answers, string>();

export function rememberPart(answers: Answers, name: string): void {
  names.set(answers, name);
}

export function partNameOf(answers: Answers): string {
  return names.get(answers) ?? '(no part)';
}
