/**
 * needles - many literals looked for in one pass over a text (Aho and Corasick, 1975), without regard to case.
 *
 * Characters fall into 32 classes, all cases of a letter into one, and of a long literal only the end is looked for: so the
 * automaton stays small, and what it finds may be there. What it does not find is not there: that answer is exact, and it
 * is the one that costs nothing. A pass takes some nanoseconds a character, whatever the number of literals.
 */

/** Position of a literal among those of its needles. */
export type NeedleId = number;

const NOTHING: ReadonlySet<NeedleId> = new Set();

/** Characters of a literal that are looked for; shorter where the automaton would grow too large. */
const ENDS = [12, 8, 6, 4, 3, 2, 1];
const CLASS_BITS = 5;
const CLASSES = 1 << CLASS_BITS;
/** What fits 16 bits. */
const MOST_STATES = 65_535;
/** Texts for which it is remembered what was found in them. */
const MOST_TEXTS = 8;

interface Automaton {
  /** By state and class. */
  readonly next: Uint16Array;
  /** States from here on end a literal. */
  readonly accepting: number;
  /** What each of these has found, the first that of `accepting`. */
  readonly found: readonly (readonly NeedleId[])[];
}

/** Texts that were gone through last, the newest first, for whichever needles. */
const recent: { readonly text: string; readonly found: WeakMap<Needles, ReadonlySet<NeedleId>> }[] = [];

export class Needles {
  readonly #ids = new Map<string, NeedleId>();
  #automaton: Automaton | null = null;

  /** The literal is not empty. */
  add(literal: string): NeedleId {
    const known = this.#ids.get(literal);
    if (known !== undefined) return known;
    const id = this.#ids.size;
    this.#ids.set(literal, id);
    this.#automaton = null;
    return id;
  }

  /** The literals that may stand in the text; all that do are among them. */
  find(text: string): ReadonlySet<NeedleId> {
    if (this.#ids.size === 0) return NOTHING;
    const known = recent.find((one) => one.text === text);
    const kept = known?.found.get(this);
    if (kept !== undefined) return kept;
    let found: Set<NeedleId> | null = null;
    this.search(text, (ids) => {
      found ??= new Set();
      for (const id of ids) found.add(id);
    });
    const result = found ?? NOTHING;
    if (known === undefined) {
      recent.unshift({ text, found: new WeakMap([[this, result]]) });
      recent.length = Math.min(recent.length, MOST_TEXTS);
    } else known.found.set(this, result);
    return result;
  }

  /** Whether one of these may stand in the text. */
  mayHold(text: string, ids: readonly NeedleId[]): boolean {
    const found = this.find(text);
    return found.size > 0 && ids.some((id) => found.has(id));
  }

  /** Tells of each place where literals may end, with the offset behind it. */
  search(text: string, take: (ids: readonly NeedleId[], end: number) => void): void {
    this.#automaton ??= build([...this.#ids.keys()]);
    const { next, accepting, found } = this.#automaton;
    const { length } = text;
    let state = 0;
    for (let at = 0; at < length; at += 1) {
      const code = text.charCodeAt(at);
      state = next[(state << CLASS_BITS) | (code < 128 ? (ASCII[code] as number) : classOf(code))] as number;
      if (state >= accepting) take(found[state - accepting] as readonly NeedleId[], at + 1);
    }
  }
}

/** Letters have classes of their own; class 0 is that of controls, and no literal is found across a line's end. */
const ASCII: Uint8Array = Uint8Array.from({ length: 128 }, (_, code) => {
  const character = String.fromCharCode(code).toLowerCase();
  if (/[a-z]/.test(character)) return character.charCodeAt(0) - 0x60;
  if (/[0-4]/.test(character)) return 27;
  if (/[5-9]/.test(character)) return 28;
  if (/[ _-]/.test(character)) return 29;
  if (/[./:@]/.test(character)) return 30;
  return code < 0x20 ? 0 : 31;
});

/** Made when the first character beyond ASCII comes. */
let classes: Uint8Array | null = null;

/** The class of a UTF-16 code unit; the same for all that differ in case alone. */
export function classOf(code: number): number {
  if (code < 128) return ASCII[code] ?? 0;
  classes ??= Uint8Array.from({ length: 0x10000 }, (_, unit) => {
    const folded = String.fromCharCode(unit).toLowerCase().toUpperCase().toLowerCase();
    const sum = [...folded].reduce((before, one) => before + (one.codePointAt(0) ?? 0), 0);
    return folded.length === 1 && sum < 128 ? (ASCII[sum] ?? 0) : 1 + (sum % (CLASSES - 1));
  });
  return classes[code] ?? 0;
}

function classesOf(literal: string, longest: number): readonly number[] {
  const end = literal.slice(-longest);
  return Array.from({ length: end.length }, (_, at) => classOf(end.charCodeAt(at)));
}

function build(literals: readonly string[]): Automaton {
  for (const longest of ENDS) {
    const trie = grow(literals, longest);
    if (trie !== null) return complete(trie);
  }
  throw new Error('there are more literals than an automaton can hold');
}

interface Trie {
  readonly children: Map<number, number>[];
  readonly ends: NeedleId[][];
}

/** null where it would have too many states. */
function grow(literals: readonly string[], longest: number): Trie | null {
  const children: Map<number, number>[] = [new Map()];
  const ends: NeedleId[][] = [[]];
  for (const [id, literal] of literals.entries()) {
    let state = 0;
    for (const one of classesOf(literal, longest)) {
      let child = children[state]?.get(one);
      if (child === undefined) {
        child = children.length;
        if (child >= MOST_STATES) return null;
        children[state]?.set(one, child);
        children.push(new Map());
        ends.push([]);
      }
      state = child;
    }
    ends[state]?.push(id);
  }
  return { children, ends };
}

/** The trie with its failure links folded into the transitions, states that end literals last. */
function complete({ children, ends }: Trie): Automaton {
  const order = [0];
  const fails = new Uint16Array(children.length);
  const next = new Uint16Array(children.length << CLASS_BITS);
  const found: (readonly NeedleId[])[] = ends.map((own) => own);
  for (let at = 0; at < order.length; at += 1) {
    const state = order[at] ?? 0;
    const fail = fails[state] ?? 0;
    if (state !== 0 && (found[fail]?.length ?? 0) > 0) found[state] = [...(found[state] ?? []), ...(found[fail] ?? [])];
    for (let one = 0; one < CLASSES; one += 1) {
      const behind = state === 0 ? 0 : (next[(fail << CLASS_BITS) | one] ?? 0);
      const child = children[state]?.get(one);
      next[(state << CLASS_BITS) | one] = child ?? behind;
      if (child === undefined) continue;
      fails[child] = behind;
      order.push(child);
    }
  }
  return renumber(next, found);
}

function renumber(next: Uint16Array, found: readonly (readonly NeedleId[])[]): Automaton {
  const states = found.map((_, state) => state);
  const sorted = [...states.filter((s) => found[s]?.length === 0), ...states.filter((s) => found[s]?.length !== 0)];
  const renamed = new Uint16Array(states.length);
  for (const [index, state] of sorted.entries()) renamed[state] = index;
  const moved = new Uint16Array(next.length);
  for (const state of states) {
    for (let one = 0; one < CLASSES; one += 1) {
      moved[((renamed[state] ?? 0) << CLASS_BITS) | one] = renamed[next[(state << CLASS_BITS) | one] ?? 0] ?? 0;
    }
  }
  const accepting = sorted.findIndex((state) => found[state]?.length !== 0);
  return { next: moved, accepting, found: sorted.slice(accepting).map((state) => found[state] ?? []) };
}
