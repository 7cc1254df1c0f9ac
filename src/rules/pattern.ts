/**
 * pattern - regular expressions of list owners, in linear time (re2js, the syntax of RE2).
 *
 * No look-around and no back-references: the price of an engine that cannot be made to hang. Linear still means characters
 * times size of the program, so both are bounded.
 */
import { RE2JS, RE2JSException } from 're2js';
import { BoundedCache } from '../store/memory.ts';

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

export interface PatternProblem {
  readonly message: string;
  readonly hint: string;
}

/** The patterns of one file. */
export interface FilePatterns {
  /** What is wrong with a pattern, or null. */
  check(pattern: string): PatternProblem | null;
  /**
   * Whether the pattern, which has passed the check, matches anywhere in the first `longest` characters of `text`, 8,192
   * where nothing is said. What it costs is charged to `account`, one for each recipient and message; throws when that has
   * spent its budget.
   */
  test(pattern: string, text: string, account: object, longest?: number): boolean;
  /** Charges what a pattern costs that is no regular expression, in steps. */
  charge(steps: number, account: object): void;
}

export class PatternCache {
  readonly #compiled = new BoundedCache<RE2JS>({ maxEntries: KEPT });
  readonly #spent = new WeakMap<object, number>();

  forFile(): FilePatterns {
    let tooLarge = 0;
    const check = (pattern: string): PatternProblem | null => {
      if (tooLarge >= MOST_TOO_LARGE)
        return { message: 'this pattern was not looked at', hint: 'mend those above first' };
      try {
        if (this.#get(pattern).programSize() <= LARGEST_PROGRAM) return null;
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
      check,
      test: (pattern, text, account, longest = LONGEST_FIELD) => this.#test(this.#get(pattern), text, account, longest),
      charge: (steps, account) => this.#charge(steps, account),
    };
  }

  close(): void {
    this.#compiled.close();
  }

  #test(compiled: RE2JS, text: string, account: object, longest: number): boolean {
    const size = compiled.programSize();
    const seen = text.slice(0, Math.min(longest, Math.floor(MOST_AT_ONCE / size)));
    this.#charge(size * seen.length, account);
    return compiled.test(seen);
  }

  #charge(steps: number, account: object): void {
    const spent = (this.#spent.get(account) ?? 0) + steps;
    if (spent > BUDGET) throw new Error('the patterns of the rules take too long on this message');
    this.#spent.set(account, spent);
  }

  #get(pattern: string): RE2JS {
    const known = this.#compiled.get(pattern);
    if (known !== undefined) return known;
    const compiled = RE2JS.compile(pattern);
    this.#compiled.set(pattern, compiled);
    return compiled;
  }
}
