/**
 * rule-clock - how long rules take to be asked, from a sample: one evaluation of many is measured, the others run as if
 * nobody looked.
 *
 * What a rule waits for (a set in another process) counts, and so does what it is the first to need (the parts of a body).
 * Since the rules were read, in memory only, bounded.
 */
import type { Facts, Truth } from '../core/facts.ts';
import type { Rule } from './ruleset.ts';

/** The clock of one evaluation; null: it is not measured. */
export type Timing = ((rule: Rule, facts: Facts) => Truth | Promise<Truth>) | null;

export interface RuleTime {
  /** The file of the rule. */
  readonly ruleset: string;
  readonly rule: string;
  /** How often it was measured; milliseconds over all of that, and the longest one. */
  readonly measured: number;
  readonly total: number;
  readonly longest: number;
}

type Tally = { -readonly [K in keyof RuleTime]: RuleTime[K] };

/** Evaluations to one that is measured: a prime, so that it keeps step with no pattern of the traffic. */
const SAMPLE = 61;
/** Rules of which times are kept; those that come later are not. */
const MOST_KEPT = 10_000;

export class RuleClock {
  readonly #now: () => number;
  readonly #sample: number;
  /** By file and name, which a rule keeps when its file is read again. */
  readonly #tallies = new Map<string, Tally>();
  /** The same, so that no name has to be made of them each time. */
  readonly #known = new WeakMap<Rule, Tally>();
  #started = 0;

  /** `now`: milliseconds, of a clock that nobody sets. */
  constructor(now: () => number = () => performance.now(), sample: number = SAMPLE) {
    this.#now = now;
    this.#sample = sample;
  }

  /** For the evaluation that begins. */
  next(): Timing {
    this.#started = (this.#started + 1) % this.#sample;
    return this.#started === 0 ? this.#ask : null;
  }

  /** In the order in which they were first measured. */
  times(): readonly RuleTime[] {
    return [...this.#tallies.values()].map((tally) => ({ ...tally }));
  }

  readonly #ask = (rule: Rule, facts: Facts): Truth | Promise<Truth> => {
    const began = this.#now();
    const truth = rule.clause.test(facts);
    if (typeof truth !== 'object') {
      this.#keep(rule, this.#now() - began);
      return truth;
    }
    return truth.finally(() => this.#keep(rule, this.#now() - began));
  };

  #keep(rule: Rule, ms: number): void {
    const tally = this.#known.get(rule) ?? this.#tallyOf(rule);
    if (tally === null) return;
    tally.measured += 1;
    tally.total += ms;
    tally.longest = Math.max(tally.longest, ms);
  }

  /** null where there are too many. */
  #tallyOf(rule: Rule): Tally | null {
    const { name, place } = rule;
    const key = `${place.file}\n${name}`;
    const before = this.#tallies.get(key);
    if (before === undefined && this.#tallies.size >= MOST_KEPT) return null;
    const tally = before ?? { ruleset: place.file, rule: name, measured: 0, total: 0, longest: 0 };
    this.#tallies.set(key, tally);
    this.#known.set(rule, tally);
    return tally;
  }
}
