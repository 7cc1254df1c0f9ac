/**
 * pattern - regular expressions of list owners, in linear time (re2js, the syntax of RE2).
 *
 * No look-around and no back-references: the price of an engine that cannot be made to hang. Linear still means characters
 * times size of the program, so both are bounded, and a budget bounds the sum. What a pattern needs of a text is looked for
 * first, for all patterns of a file in one pass (needles.ts): where it is missing the pattern is not run and costs nothing.
 */
import { RE2JS, RE2JSException } from 're2js';
import { Kept } from '../core/kept.ts';
import { BoundedCache } from '../store/memory.ts';
import { type NeedleId, Needles } from './needles.ts';
import { spend } from './pace.ts';
import { requiredLiterals } from './required-literals.ts';

/** In instructions; what people write has 10 to 60. */
const LARGEST_PROGRAM = 200;
/** Characters of a header field that a pattern sees. */
const LONGEST_FIELD = 8192;
/**
 * Instructions times characters of one question, some 0.15 s at worst: of a long text a large pattern sees less. Between two
 * questions other sessions have their turn (pace.ts).
 */
export const MOST_AT_ONCE = 5_000_000;
/** Compiled patterns kept, 10 to 25 KB each; one that had to leave is compiled again when it is asked. */
const KEPT = 2000;
/** Instructions times characters that all patterns may spend on one recipient of a message: some tenths of a second at worst. */
export const BUDGET = 20_000_000;
/** Compiling one takes up to 0.1 s where it is too large, so the patterns of a hostile file are not all tried. */
const MOST_TOO_LARGE = 5;

/** Characters that are searched for a literal in the time of one instruction. */
export const LITERAL_CHARACTERS = 64;

export interface PatternProblem {
  readonly message: string;
  readonly hint: string;
}

/** Thrown where the patterns have spent the budget of a recipient and message. */
export class TooCostly extends Error {
  constructor() {
    super('the patterns of the rules take too long on this message');
  }
}

/**
 * `folded`: case does not count, and texts are folded (mail/text.ts). `ignored`: it does not count, and they are as they
 * came. `exact`: it counts.
 */
export type CaseMode = 'folded' | 'ignored' | 'exact';

/** One pattern, ready to be asked. */
export interface Pattern {
  /** Needles, one of which stands in every text that matches; null where nothing is certain. */
  readonly needs: readonly NeedleId[] | null;
  /** The same as literals. */
  readonly literals: readonly string[] | null;
  /**
   * Whether it matches anywhere in the first characters of `text`. What it costs is charged to `account`, one for each
   * recipient and message; throws TooCostly when that has spent its budget.
   */
  test(text: string, account: object): boolean;
  /** The same, for who has looked for what it needs. */
  run(text: string, account: object): boolean;
}

/** The patterns of one file. */
export interface FilePatterns {
  /** What the patterns need. */
  readonly needles: Needles;
  /** What is wrong with a pattern, or null. */
  check(pattern: string, mode: CaseMode): PatternProblem | null;
  /** Of a pattern that has passed the check; it sees the first `longest` characters of a text, 8,192 where nothing is said. */
  pattern(pattern: string, mode: CaseMode, longest?: number): Pattern;
  /** Charges what a pattern costs that is no regular expression, in steps. */
  charge(steps: number, account: object): void;
  /** Steps that were charged so far. */
  spentBy(account: object): number;
  /** Charges steps that were taken for another account; false, and nothing charged, where there are not so many left. */
  share(steps: number, account: object): boolean;
}

export class PatternCache {
  readonly #compiled = new BoundedCache<RE2JS>({ maxEntries: KEPT });
  readonly #spent = new Kept<object, { steps: number }>();

  forFile(): FilePatterns {
    const needles = new Needles();
    let tooLarge = 0;
    const check = (pattern: string, mode: CaseMode): PatternProblem | null => {
      if (tooLarge >= MOST_TOO_LARGE)
        return { message: 'this pattern was not looked at', hint: 'mend those above first' };
      // Most patterns are characters alone: nothing can be wrong with them, so they need not be compiled.
      if (requiredLiterals(pattern)?.whole === true && pattern.length < LARGEST_PROGRAM / 2) return null;
      try {
        if (this.#get(sourceOf(pattern, mode)).programSize() <= LARGEST_PROGRAM) return null;
        tooLarge += 1;
        return { message: 'the pattern is too large', hint: 'write * or + in place of counted repetitions' };
      } catch (error) {
        if (!(error instanceof RE2JSException)) throw error;
        const reason = error.message.replace(/^error parsing regexp: /, '');
        const hint = 'the syntax is that of RE2: no look-around, no back-references';
        return { message: `the pattern cannot be read: ${reason}`, hint };
      }
    };
    return {
      needles,
      check,
      pattern: (pattern, mode, longest = LONGEST_FIELD) => this.#pattern(pattern, mode, needles, longest),
      charge: (steps, account) => this.#charge(steps, account),
      spentBy: (account) => this.#spent.get(account)?.steps ?? 0,
      share: (steps, account) => this.#share(steps, account),
    };
  }

  close(): void {
    this.#compiled.close();
  }

  #pattern(pattern: string, mode: CaseMode, needles: Needles, longest: number): Pattern {
    const source = sourceOf(pattern, mode);
    const required = requiredLiterals(pattern);
    const literal = required?.whole === true ? literalIn(mode, required.literals[0] ?? '') : null;
    const literals = required?.literals ?? null;
    const needs = literals?.map((one) => needles.add(one)) ?? null;
    let kept: WeakRef<RE2JS> | null = null;
    const compiled = (): RE2JS => {
      const known = kept?.deref();
      if (known !== undefined) return known;
      const fresh = this.#get(source);
      kept = new WeakRef(fresh);
      return fresh;
    };
    const run = (text: string, account: object): boolean => {
      if (literal === null) return this.#test(compiled(), text, account, longest);
      const seen = text.slice(0, longest);
      this.#charge(Math.ceil(seen.length / LITERAL_CHARACTERS), account);
      return seen.includes(literal);
    };
    if (needs === null) return { needs, literals, test: run, run };
    return { needs, literals, test: (text, account) => needles.mayHold(text, needs) && run(text, account), run };
  }

  #test(compiled: RE2JS, text: string, account: object, longest: number): boolean {
    const size = compiled.programSize();
    const seen = text.slice(0, Math.min(longest, Math.floor(MOST_AT_ONCE / size)));
    this.#charge(size * seen.length, account);
    return compiled.test(seen);
  }

  #charge(steps: number, account: object): void {
    if (!this.#share(steps, account)) throw new TooCostly();
    spend(steps);
  }

  #share(steps: number, account: object): boolean {
    const known = this.#spent.get(account);
    const spent = known ?? { steps: 0 };
    if (spent.steps + steps > BUDGET) return false;
    spent.steps += steps;
    if (known === undefined) this.#spent.set(account, spent);
    return true;
  }

  #get(pattern: string): RE2JS {
    const known = this.#compiled.get(pattern);
    if (known !== undefined) return known;
    const compiled = RE2JS.compile(pattern);
    this.#compiled.set(pattern, compiled);
    return compiled;
  }
}

function sourceOf(pattern: string, mode: CaseMode): string {
  return mode === 'exact' ? pattern : `(?i)${pattern}`;
}

/** What to look for without the engine; null where only the engine knows all forms of a letter. */
function literalIn(mode: CaseMode, literal: string): string | null {
  if (mode === 'exact') return literal;
  return mode === 'folded' && /^[\x20-\x7e]+$/.test(literal) ? literal.toLowerCase() : null;
}
