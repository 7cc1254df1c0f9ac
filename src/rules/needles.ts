/**
 * needles - many literals looked for in one pass over a text (Aho and Corasick, 1975), without regard to case.
 *
 * Characters fall into 64 classes, all cases of a letter into one, a run of white space counts as one blank, and of a long
 * literal only the end is looked for: so the automaton stays small, and what it finds may be there. What it does not find is
 * not there: that answer is exact, and it is the one that costs nothing. A pass takes some nanoseconds a character, whatever
 * the number of literals.
 *
 * A text that is ASCII need not be made for that: to decode it, fold it and make one blank of its white space would change
 * nothing about what is found, so its octets are gone through as they came.
 */
import { endianness } from 'node:os';

/** Position of a literal among those of its needles. */
export type NeedleId = number;

const NOTHING: ReadonlySet<NeedleId> = new Set();

/** Characters of a literal that are looked for; shorter where the automaton would grow too large. */
const ENDS = [24, 12, 8, 6, 4, 3, 2, 1];
const CLASS_BITS = 6;
const CLASSES = 1 << CLASS_BITS;
/** So many end a literal or do not, at most, and either fits 15 bits. */
const MOST_STATES = 32_767;
/** Texts for which it is remembered what was found in them. */
const MOST_TEXTS = 8;

interface Automaton {
  /** By state and class. */
  readonly next: Uint16Array;
  /** States from here on end a literal, but the last; a power of two, so that one bit tells them from all others. */
  readonly accepting: number;
  /** The last state, which is kept: nothing is known behind an octet that may be no character. */
  readonly lost: number;
  /** What each of these has found, the first that of `accepting`. */
  readonly found: readonly (readonly NeedleId[])[];
  /** By state: how many characters of a literal were found. */
  readonly depths: Uint8Array;
}

/** A text, and the octets that it is made from where each of them is its character if it is one of ASCII. */
export interface TextOfOctets {
  readonly text: string;
  readonly octets: Buffer | null;
}

/** Another form of such a text, made only where the octets do not do. A class, because getters of an object are slow to make. */
export class OtherForm<T extends TextOfOctets> implements TextOfOctets {
  readonly octets: Buffer | null;
  readonly #given: T;
  readonly #make: (given: T) => string;

  constructor(given: T, make: (given: T) => string) {
    this.octets = given.octets;
    this.#given = given;
    this.#make = make;
  }

  get text(): string {
    return this.#make(this.#given);
  }
}

export interface Found {
  /** What was gone through: the text, or the octets as one, in which lines may end in CRLF. */
  readonly text: string;
  /** `end`: the offset behind what was found. */
  readonly places: readonly { readonly ids: readonly NeedleId[]; readonly end: number }[];
}

/** Texts that were gone through last, the newest first, for whichever needles. */
const recent: { readonly text: string; readonly found: Map<Needles, ReadonlySet<NeedleId>> }[] = [];

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

  /** The literals that may stand in the text; all that do are among them. For who asks of the same text again and again. */
  find(text: string): ReadonlySet<NeedleId> {
    if (this.#ids.size === 0) return NOTHING;
    const known = recent.find((one) => one.text === text);
    const kept = known?.found.get(this);
    if (kept !== undefined) return kept;
    const found = this.findOnce(text);
    if (known === undefined) {
      recent.unshift({ text, found: new Map([[this, found]]) });
      recent.length = Math.min(recent.length, MOST_TEXTS);
    } else known.found.set(this, found);
    return found;
  }

  /** The same, for who keeps the answer. */
  findOnce(text: string): ReadonlySet<NeedleId> {
    return idsOf(this.search(text));
  }

  /** The same in octets that a text is made from; null where only the text can tell. */
  findInOctets(octets: Buffer): ReadonlySet<NeedleId> | null {
    this.#automaton ??= build([...this.#ids.keys()]);
    const hits = hitsOfOctets(octets, this.#automaton);
    return hits && idsOf(foundAt(hits, this.#automaton, () => ''));
  }

  /** Whether one of these may stand in the text. */
  mayHold(text: string, ids: readonly NeedleId[]): boolean {
    const found = this.find(text);
    return found.size > 0 && ids.some((id) => found.has(id));
  }

  /** The places where literals may end, in order; null where there is none. */
  search(given: string | TextOfOctets): Found | null {
    this.#automaton ??= build([...this.#ids.keys()]);
    const octets = typeof given === 'string' ? null : given.octets;
    const ofOctets = octets && hitsOfOctets(octets, this.#automaton);
    if (octets !== null && ofOctets !== null)
      return foundAt(ofOctets, this.#automaton, () => octets.toString('latin1'));
    const text = typeof given === 'string' ? given : given.text;
    return foundAt(hitsOf(text, this.#automaton), this.#automaton, () => text);
  }
}

function idsOf(found: Found | null): ReadonlySet<NeedleId> {
  if (found === null) return NOTHING;
  // A state is reached again and again, and may end very many literals.
  const ofStates = new Set(found.places.map(({ ids }) => ids));
  return new Set([...ofStates].flat());
}

/** An end and the state reached there, which has 16 bits, as one number. */
type Hit = number;
const STATES = 0x10000;

function foundAt(hits: readonly Hit[], { accepting, found }: Automaton, textOf: () => string): Found | null {
  if (hits.length === 0) return null;
  const places = hits.map((hit) => ({
    ids: found[(hit % STATES) - accepting] ?? NO_ID,
    end: Math.floor(hit / STATES),
  }));
  return { text: textOf(), places };
}

function hitsOf(text: string, { next, accepting }: Automaton): readonly Hit[] {
  const hits: Hit[] = [];
  const { length } = text;
  let state = 0;
  for (let at = 0; at < length; at += 1) {
    const code = text.charCodeAt(at);
    state = next[(state << CLASS_BITS) | (code < 128 ? (ASCII[code] as number) : classOf(code))] as number;
    if (state >= accepting) hits.push((at + 1) * STATES + state);
  }
  return hits;
}

/** Whether the first octet of a word is its lowest; where it is not, octets are read one by one. */
const LOWEST_FIRST = endianness() === 'LE';

/**
 * null where only the text can tell. The octets are gone through in four places at a time: each step has to wait for the one
 * before, and a processor has time for three others meanwhile. They are read in words of four, and what four steps passed is
 * compared once, because to read or to compare takes about as long as a step.
 */
function hitsOfOctets(octets: Buffer, automaton: Automaton): readonly Hit[] | null {
  const { next, accepting, lost } = automaton;
  const hits: Hit[] = [];
  const first = Math.min(-octets.byteOffset & 3, octets.length);
  const quarter = LOWEST_FIRST ? (octets.length - first) >> 4 : 0;
  if (quarter === 0) return walk(octets, automaton, 0, octets.length, 0, hits) === lost ? null : hits;
  const words = new Int32Array(octets.buffer, octets.byteOffset + first, 4 * quarter);
  let a = walk(octets, automaton, 0, first, 0, hits);
  let b = 0;
  let c = 0;
  let d = 0;
  for (let at = 0; at < quarter; at += 1) {
    const ofA = words[at] as number;
    const ofB = words[at + quarter] as number;
    const ofC = words[at + 2 * quarter] as number;
    const ofD = words[at + 3 * quarter] as number;
    const a1 = step(next, a, ofA & 0xff);
    const b1 = step(next, b, ofB & 0xff);
    const c1 = step(next, c, ofC & 0xff);
    const d1 = step(next, d, ofD & 0xff);
    const a2 = step(next, a1, (ofA >>> 8) & 0xff);
    const b2 = step(next, b1, (ofB >>> 8) & 0xff);
    const c2 = step(next, c1, (ofC >>> 8) & 0xff);
    const d2 = step(next, d1, (ofD >>> 8) & 0xff);
    const a3 = step(next, a2, (ofA >>> 16) & 0xff);
    const b3 = step(next, b2, (ofB >>> 16) & 0xff);
    const c3 = step(next, c2, (ofC >>> 16) & 0xff);
    const d3 = step(next, d2, (ofD >>> 16) & 0xff);
    const a4 = step(next, a3, ofA >>> 24);
    const b4 = step(next, b3, ofB >>> 24);
    const c4 = step(next, c3, ofC >>> 24);
    const d4 = step(next, d3, ofD >>> 24);
    const inA = a1 | a2 | a3 | a4;
    const inB = b1 | b2 | b3 | b4;
    const inC = c1 | c2 | c3 | c4;
    const inD = d1 | d2 | d3 | d4;
    if (((inA | inB | inC | inD) & accepting) !== 0) {
      const from = first + 4 * at;
      const place = 4 * quarter;
      if (inA >= accepting && walk(octets, automaton, from, from + 4, a, hits) === lost) return null;
      if (inB >= accepting && walk(octets, automaton, from + place, from + place + 4, b, hits) === lost) return null;
      if (inC >= accepting && walk(octets, automaton, from + 2 * place, from + 2 * place + 4, c, hits) === lost)
        return null;
      if (inD >= accepting && walk(octets, automaton, from + 3 * place, from + 3 * place + 4, d, hits) === lost)
        return null;
    }
    a = a4;
    b = b4;
    c = c4;
    d = d4;
  }
  for (const [place, state] of [a, b, c].entries()) {
    if (goOn(octets, automaton, first + 4 * (place + 1) * quarter, state, hits) === lost) return null;
  }
  // The last octets are too few for a word in each place.
  if (walk(octets, automaton, first + 16 * quarter, octets.length, d, hits) === lost) return null;
  return hits.length < 2 ? hits : hits.sort((one, other) => one - other);
}

function step(next: Uint16Array, state: number, octet: number): number {
  return next[(state << CLASS_BITS) | (OCTETS[octet] as number)] as number;
}

/** The state that is reached; `hits` gets those on the way. */
function walk(
  octets: Buffer,
  { next, accepting, lost }: Automaton,
  from: number,
  to: number,
  before: number,
  hits: Hit[],
): number {
  let state = before;
  for (let at = from; at < to && state !== lost; at += 1) {
    state = step(next, state, octets[at] as number);
    if (state >= accepting) hits.push((at + 1) * STATES + state);
  }
  return state;
}

/** Adds the hits behind `border` of literals that begin in front of it; the state that is reached. */
function goOn(octets: Buffer, automaton: Automaton, border: number, before: number, hits: Hit[]): number {
  const { depths } = automaton;
  let state = before;
  // Runs of white space are longer than what counts of them, so what was passed is counted and not the distance.
  let passed = 0;
  for (let at = border; at < octets.length && (depths[state] as number) > passed; at += 1) {
    const last = state;
    state = walk(octets, automaton, at, at + 1, last, hits);
    if (OCTETS[octets[at] as number] !== BLANK || state !== last) passed += 1;
  }
  return state;
}

/**
 * 37 is the class of white space, 44 to 51 are those of rarer marks, 52 that of controls, and all others hold one character
 * in all its cases. 0 is that of octets which may be no character, or one that is not looked at.
 */
const ALONE = ' -_./:@';
const BLANK = 37;
const NO_CHARACTER = 0;
const ASCII: Uint8Array = Uint8Array.from({ length: 128 }, (_, code) => {
  const character = String.fromCharCode(code).toLowerCase();
  if (/[a-z]/.test(character)) return 1 + character.charCodeAt(0) - 0x61;
  if (/[0-9]/.test(character)) return 27 + Number(character);
  if (/[\t-\r]/.test(character)) return BLANK;
  if (ALONE.includes(character)) return BLANK + ALONE.indexOf(character);
  return code < 0x20 ? 52 : 44 + (code % 8);
});
const OCTETS: Uint8Array = Uint8Array.from({ length: 256 }, (_, octet) =>
  /[\t-\r -~]/.test(String.fromCharCode(octet)) ? (ASCII[octet] ?? 0) : NO_CHARACTER,
);

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

function build(literals: readonly string[]): Automaton {
  for (const longest of ENDS) {
    const trie = grow(literals, longest);
    if (trie !== null) return renumber(complete(trie));
  }
  throw new Error('there are more literals than an automaton can hold');
}

/** By state and class the next state, 0 for none: that is the root, which is nobody's child. */
interface Trie {
  readonly next: Uint16Array;
  readonly found: (readonly NeedleId[])[];
  readonly depths: Uint8Array;
}

const NO_ID: readonly NeedleId[] = [];

/** null where it would have too many states. */
function grow(literals: readonly string[], longest: number): Trie | null {
  const most = literals.reduce((sum, { length }) => sum + Math.min(length, longest), 1);
  const next = new Uint16Array(Math.min(most, MOST_STATES) << CLASS_BITS);
  const depths = new Uint8Array(Math.min(most, MOST_STATES));
  const found: (readonly NeedleId[])[] = [NO_ID];
  for (const [id, literal] of literals.entries()) {
    let state = 0;
    for (const [depth, one] of classesOf(literal).slice(-longest).entries()) {
      const edge = (state << CLASS_BITS) | one;
      state = next[edge] ?? 0;
      if (state !== 0) continue;
      state = found.length;
      if (state >= MOST_STATES) return null;
      next[edge] = state;
      depths[state] = depth + 1;
      found.push(NO_ID);
    }
    found[state] = [...(found[state] ?? NO_ID), id];
  }
  return { next: next.subarray(0, found.length << CLASS_BITS), found, depths };
}

/** A run of white space is one blank. */
function classesOf(literal: string): readonly number[] {
  const classes = Array.from({ length: literal.length }, (_, at) => classOf(literal.charCodeAt(at)));
  return classes.filter((one, at) => one !== BLANK || classes[at - 1] !== BLANK);
}

/** Folds the failure links into the transitions; behind a blank other blanks change nothing. */
function complete({ next, found, depths }: Trie): Trie {
  const order = new Uint16Array(found.length);
  const fails = new Uint16Array(found.length);
  const blank = new Uint8Array(found.length);
  let known = 1;
  for (let at = 0; at < known; at += 1) {
    const state = order[at] ?? 0;
    const fail = fails[state] ?? 0;
    const inherited = found[fail] ?? NO_ID;
    if (state !== 0 && inherited.length > 0) found[state] = [...(found[state] ?? NO_ID), ...inherited];
    for (let one = 0; one < CLASSES; one += 1) {
      const edge = (state << CLASS_BITS) | one;
      const behind = state === 0 ? 0 : (next[(fail << CLASS_BITS) | one] ?? 0);
      const child = next[edge] ?? 0;
      if (child === 0) {
        next[edge] = one === BLANK && blank[state] === 1 ? state : behind;
        continue;
      }
      fails[child] = behind;
      blank[child] = one === BLANK ? 1 : 0;
      order[known] = child;
      known += 1;
    }
  }
  return { next, found, depths };
}

/** States that end literals last, and behind them the one that knows nothing. */
function renumber({ next, found, depths }: Trie): Automaton {
  const ending = found.reduce((sum, { length }) => sum + (length === 0 ? 0 : 1), 0);
  const accepting = 2 ** Math.ceil(Math.log2(Math.max(found.length - ending, ending + 1)));
  const lost = accepting + ending;
  const renamed = new Uint16Array(found.length);
  const moved: (readonly NeedleId[])[] = [];
  let passing = 0;
  for (const [state, ids] of found.entries()) {
    renamed[state] = ids.length === 0 ? passing : accepting + moved.length;
    if (ids.length === 0) passing += 1;
    else moved.push(ids);
  }
  const result = new Uint16Array((lost + 1) << CLASS_BITS).fill(lost);
  const sorted = new Uint8Array(lost + 1);
  for (let state = 0; state < found.length; state += 1) {
    const named = renamed[state] ?? 0;
    sorted[named] = depths[state] ?? 0;
    const [from, to] = [state << CLASS_BITS, named << CLASS_BITS];
    for (let one = 1; one < CLASSES; one += 1) result[to | one] = renamed[next[from | one] ?? 0] ?? 0;
  }
  return { next: result, accepting, lost, found: moved, depths: sorted };
}
