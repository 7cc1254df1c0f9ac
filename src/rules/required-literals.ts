/**
 * required-literals - what must stand in a text for a pattern to match it, read off the pattern (syntax of RE2).
 *
 * Conservative: what is not understood proves nothing, and then the pattern is simply run. Case does not count, because who
 * looks for the literals (needles.ts) does not tell cases apart; so flags, which change nothing else about literals, are
 * passed over. Patterns have been compiled before, so what is no valid syntax does not come here.
 */

/** One of `literals` stands in every text that matches; `whole`: the pattern is that one literal and nothing else. */
export interface Required {
  readonly literals: readonly string[];
  readonly whole: boolean;
}

/** Literals of one pattern; more are too many to be worth looking for. */
const MOST = 64;

/** null where nothing is certain. */
export function requiredLiterals(pattern: string): Required | null {
  const found = new Reader(pattern).read();
  if (found === null) return null;
  if (found.exact !== null && found.exact !== '') return { literals: [found.exact], whole: found.plain };
  return found.best === null ? null : { literals: found.best, whole: false };
}

/** What is known of a part. `exact`: the literal that it is, whatever its case; `best`: literals, one of which it needs. */
interface Known {
  readonly exact: string | null;
  readonly best: readonly string[] | null;
  /** Whether it is written as characters alone. */
  readonly plain: boolean;
}

const UNKNOWN: Known = { exact: null, best: null, plain: false };
/** Stands for nothing, and does not part what is beside it: `^`, `\b`. */
const EMPTY: Known = { exact: '', best: null, plain: false };

class Reader {
  readonly #pattern: string;
  #at = 0;

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  /** null where something is not understood. */
  read(): Known | null {
    const known = this.#alternatives();
    return known === null || this.#at < this.#pattern.length ? null : known;
  }

  #alternatives(): Known | null {
    const branches: Known[] = [];
    do {
      const branch = this.#sequence();
      if (branch === null) return null;
      branches.push(branch);
    } while (this.#take('|'));
    const [only, ...more] = branches;
    if (only !== undefined && more.length === 0) return only;
    const literals: string[] = [];
    for (const { exact, best } of branches) {
      const needed = exact === null ? best : exact === '' ? null : [exact];
      if (needed === null) return UNKNOWN;
      literals.push(...needed);
    }
    return literals.length > MOST ? UNKNOWN : { exact: null, best: literals, plain: false };
  }

  #sequence(): Known | null {
    let run = '';
    let best: readonly string[] | null = null;
    let [exact, plain] = [true, true];
    const endRun = (): void => {
      if (run !== '') best = better(best, [run]);
      run = '';
    };
    while (this.#at < this.#pattern.length && !/[|)]/.test(this.#peek())) {
      const atom = this.#atom();
      if (atom === null) return null;
      const times = this.#quantifier();
      if (!atom.plain || times !== null) plain = false;
      if (times === null && atom.exact !== null) {
        run += atom.exact;
        continue;
      }
      // What may be left out proves nothing; what may be repeated stands there at least once.
      if (atom.exact === '') continue;
      if (times !== null && times > 0 && atom.exact !== null) run += atom.exact;
      exact = false;
      endRun();
      if (times !== 0) best = better(best, atom.exact === null ? atom.best : null);
    }
    if (exact) return { exact: run, best: null, plain: plain && run !== '' };
    endRun();
    return { exact: null, best, plain: false };
  }

  /** How often at least the atom before must stand there; null where nothing is said. */
  #quantifier(): number | null {
    const [whole = '', sign = '', least = ''] = QUANTIFIER.exec(this.#pattern.slice(this.#at, this.#at + 20)) ?? [];
    if (whole === '') return null;
    this.#at += whole.length;
    if (sign === '+') return 1;
    return least === '' ? 0 : Number(least);
  }

  #atom(): Known | null {
    const character = String.fromCodePoint(this.#pattern.codePointAt(this.#at) ?? 0);
    switch (character) {
      case '(':
        return this.#group();
      case '[':
        return this.#characterClass();
      case '\\':
        return this.#escape();
      case '.':
        this.#at += 1;
        return UNKNOWN;
      case '^':
      case '$':
        this.#at += 1;
        return EMPTY;
      default:
        this.#at += character.length;
        return literal(character);
    }
  }

  #group(): Known | null {
    const [opening = ''] = GROUP.exec(this.#pattern.slice(this.#at, this.#at + 200)) ?? [];
    if (opening === '') return null;
    this.#at += opening.length;
    // Flags for what follows: `(?i)`.
    if (opening.endsWith(')')) return EMPTY;
    const inner = this.#alternatives();
    return inner !== null && this.#take(')') ? { ...inner, plain: false } : null;
  }

  /** `[Vv]` is a literal where case does not count; of all other classes nothing is known. */
  #characterClass(): Known | null {
    const [whole = '', members = ''] = CLASS.exec(this.#pattern.slice(this.#at)) ?? [];
    if (whole === '') return null;
    this.#at += whole.length;
    const [first = ''] = members;
    const isOne = /^[a-z0-9]+$/i.test(members) && [...members].every((other) => sameLetter(other, first));
    return isOne ? { ...literal(first), plain: false } : UNKNOWN;
  }

  #escape(): Known | null {
    const [whole = ''] = ESCAPE.exec(this.#pattern.slice(this.#at, this.#at + 200)) ?? [];
    if (whole === '') return null;
    this.#at += whole.length;
    if (/^\\[bBAz]$/.test(whole)) return EMPTY;
    return /^\\[^a-zA-Z0-9]$/.test(whole) ? literal(whole.slice(1)) : UNKNOWN;
  }

  #peek(): string {
    return this.#pattern[this.#at] ?? '';
  }

  #take(character: string): boolean {
    if (this.#peek() !== character) return false;
    this.#at += 1;
    return true;
  }
}

const QUANTIFIER = /^(?:([*+?])|\{(\d+)(?:,\d*)?\})\??/;
/** Capturing, named, not capturing, with flags, or flags alone; look-around is not understood. */
const GROUP = /^\((?:\?P?<[A-Za-z_]\w*>|\?[imsU-]*[:)]|(?!\?))/;
/** A `]` that stands first is a member; `[:alpha:]` within a class. */
const CLASS = /^\[((?:\^?\])?(?:\[:\^?\w+:\]|\\.|[^\]\\])*)\]/su;
const ESCAPE =
  /^\\(?:[pP](?:\{\^?\w+\}|\w)|x(?:\{[0-9A-Fa-f]+\}|[0-9A-Fa-f]{2})|[0-7]{1,3}|[aftnrvdDsSwWbBAz]|[^a-zA-Z0-9])/u;

/** Of characters beyond the Basic Multilingual Plane nothing is known. */
function literal(character: string): Known {
  return character.length > 1 ? UNKNOWN : { exact: character, best: null, plain: true };
}

function sameLetter(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

/** The longer the shortest literal, the rarer it is found for nothing. */
function better(one: readonly string[] | null, other: readonly string[] | null): readonly string[] | null {
  if (one === null || other === null) return one ?? other;
  return shortest(other) > shortest(one) ? other : one;
}

function shortest(literals: readonly string[]): number {
  return literals.reduce((least, { length }) => Math.min(least, length), Number.POSITIVE_INFINITY);
}
