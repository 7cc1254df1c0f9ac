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
/** Forms of a part that are kept apart: `[i1]` has two, `v[i1]c[o0]d[i1]n` eight. */
const MOST_FORMS = 16;

/** null where nothing is certain. */
export function requiredLiterals(pattern: string): Required | null {
  const known = new Reader(pattern).read();
  if (known === null) return null;
  const literals = neededBy(known);
  return literals && { literals, whole: known.plain && literals.length === 1 };
}

/** What is known of a part. `forms`: the literals it can be, whatever their case; `best`: literals, one of which it needs. */
interface Known {
  readonly forms: readonly string[] | null;
  readonly best: readonly string[] | null;
  /** Whether it is written as characters alone. */
  readonly plain: boolean;
}

const UNKNOWN: Known = { forms: null, best: null, plain: false };
/** Stands for nothing, and does not part what is beside it: `^`, `\b`. */
const EMPTY: Known = { forms: [''], best: null, plain: false };

function neededBy({ forms, best }: Known): readonly string[] | null {
  if (forms === null) return best;
  return forms.includes('') ? null : forms;
}

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
    const forms = branches.flatMap((branch) => branch.forms ?? []);
    if (forms.length <= MOST_FORMS && branches.every((branch) => branch.forms !== null))
      return { forms, best: null, plain: false };
    const literals: string[] = [];
    for (const branch of branches) {
      const needed = neededBy(branch);
      if (needed === null) return UNKNOWN;
      literals.push(...needed);
    }
    return literals.length > MOST ? UNKNOWN : { forms: null, best: literals, plain: false };
  }

  #sequence(): Known | null {
    let run: readonly string[] = [''];
    let best: readonly string[] | null = null;
    let [all, plain] = [true, true];
    const endRun = (next: readonly string[]): void => {
      best = better(best, run.includes('') ? null : run);
      all = false;
      run = next;
    };
    while (this.#at < this.#pattern.length && !/[|)]/.test(this.#peek())) {
      const atom = this.#atom();
      if (atom === null) return null;
      const [least, most] = this.#quantifier() ?? [1, 1];
      if (!atom.plain || most !== 1) plain = false;
      const forms = least === 0 && most === 1 ? atom.forms && [...atom.forms, ''] : atom.forms;
      if (forms !== null && most === 1) {
        const longer = product(run, forms);
        if (longer === null) endRun(forms);
        else run = longer;
        continue;
      }
      // What may be left out proves nothing; what may be repeated stands there at least once.
      if (least > 0) {
        const longer = atom.forms && product(run, atom.forms);
        if (longer !== null) run = longer;
        else best = better(best, neededBy(atom));
      }
      endRun(['']);
    }
    if (all) return { forms: run, best: null, plain: plain && !run.includes('') };
    endRun(['']);
    return { forms: null, best, plain: false };
  }

  /** How often at least and at most the atom before must stand there; null where nothing is said. */
  #quantifier(): readonly [number, number] | null {
    const [whole = '', sign, least = '', comma] = QUANTIFIER.exec(this.#pattern.slice(this.#at, this.#at + 20)) ?? [];
    if (whole === '') return null;
    this.#at += whole.length;
    if (sign === '?') return [0, 1];
    if (sign !== undefined) return [sign === '+' ? 1 : 0, Number.POSITIVE_INFINITY];
    return [Number(least), comma === undefined ? Number(least) : Number.POSITIVE_INFINITY];
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

  /** Of a class with few letters and digits each is a form; of all others nothing is known. */
  #characterClass(): Known | null {
    const [whole = '', members = ''] = CLASS.exec(this.#pattern.slice(this.#at)) ?? [];
    if (whole === '') return null;
    this.#at += whole.length;
    if (!/^[a-z0-9]+$/i.test(members)) return UNKNOWN;
    const forms = [...new Set(members.toLowerCase())];
    return forms.length > MOST_FORMS ? UNKNOWN : { forms, best: null, plain: false };
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

const QUANTIFIER = /^(?:([*+?])|\{(\d+)(,\d*)?\})\??/;
/** Capturing, named, not capturing, with flags, or flags alone; look-around is not understood. */
const GROUP = /^\((?:\?P?<[A-Za-z_]\w*>|\?[imsU-]*[:)]|(?!\?))/;
/** A `]` that stands first is a member; `[:alpha:]` within a class. */
const CLASS = /^\[((?:\^?\])?(?:\[:\^?\w+:\]|\\.|[^\]\\])*)\]/su;
const ESCAPE =
  /^\\(?:[pP](?:\{\^?\w+\}|\w)|x(?:\{[0-9A-Fa-f]+\}|[0-9A-Fa-f]{2})|[0-7]{1,3}|[aftnrvdDsSwWbBAz]|[^a-zA-Z0-9])/u;

/** Of characters beyond the Basic Multilingual Plane nothing is known. */
function literal(character: string): Known {
  return character.length > 1 ? UNKNOWN : { forms: [character], best: null, plain: true };
}

/** Each form of one followed by each of the other; null where they are too many. */
function product(before: readonly string[], behind: readonly string[]): readonly string[] | null {
  if (before.length * behind.length > MOST_FORMS) return null;
  return before.flatMap((one) => behind.map((other) => one + other));
}

/** The longer the shortest literal, the rarer it is found for nothing. */
function better(one: readonly string[] | null, other: readonly string[] | null): readonly string[] | null {
  if (one === null || other === null) return one ?? other;
  return rarity(other) > rarity(one) ? other : one;
}

/** They stand in nearly every message, and so tell nothing. */
const FIELD_NAME =
  /^(?:received|return-path|from|to|subject|date|message-id|mime-version|content-type|content-transfer-encoding|x-mailer): ?$/i;

function rarity(literals: readonly string[]): number {
  const ofEach = literals.map((literal) => (FIELD_NAME.test(literal) ? 1 : literal.length));
  return ofEach.reduce((least, one) => Math.min(least, one), Number.POSITIVE_INFINITY);
}
