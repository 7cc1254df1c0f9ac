/**
 * shadow-counts - how often each shadow rule was asked and would have had its way, since the rules were read.
 *
 * In memory only. A rule of a preset is counted over all lists that extend it.
 */
import type { Rule } from './ruleset.ts';

export interface ShadowCount {
  /** The file of the rule. */
  readonly ruleset: string;
  readonly rule: string;
  /** Answers so far, for recipients. */
  readonly asked: number;
  readonly matched: number;
}

export interface ShadowCounter {
  count(rule: Pick<Rule, 'name' | 'place'>, matched: boolean): void;
  /** In the order in which they were first asked. */
  counts(): readonly ShadowCount[];
}

/** Rules that are counted; those that come later are not, so that memory stays bounded whatever lists do. */
const MOST_COUNTED = 10_000;

export function shadowCounter(): ShadowCounter {
  const counts = new Map<string, ShadowCount>();
  return {
    count({ name, place }, matched) {
      const key = JSON.stringify([place.file, name]);
      const known = counts.get(key);
      if (known === undefined && counts.size >= MOST_COUNTED) return;
      const { asked, matched: before } = known ?? { asked: 0, matched: 0 };
      counts.set(key, { ruleset: place.file, rule: name, asked: asked + 1, matched: before + (matched ? 1 : 0) });
    },
    counts: () => [...counts.values()],
  };
}
