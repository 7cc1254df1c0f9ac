/**
 * sieve - of the rules of one file those that may match, found together: by the literals that they need, one pass over each
 * text whatever the number of rules, and by the header fields that there are.
 *
 * To pass a rule over is to ask it and hear `false`; that holds because of what needs.ts promises, and a test compares.
 */
import { type Facts, isReached, type Phase } from '../core/facts.ts';
import { Kept } from '../core/kept.ts';
import { type NeedleId, Needles, type TextOfOctets } from './needles.ts';
import type { Haystack, Need } from './needs.ts';
import type { Rule, Ruleset } from './ruleset.ts';

/** Where fewer rules need something, to ask them is as quick as to look for what they need; but of the body. */
const FEWEST = 8;
/** The same for texts of the body that have to be made, and are long. Octets are gone through sooner than a text is made. */
const FEWEST_OF_BODY = 32;

/** The rules that need something of one haystack, by their position. */
interface Group {
  readonly haystack: Haystack;
  readonly needles: Needles;
  readonly byNeedle: Map<NeedleId, number[]>;
  /** Those that any text will do for. */
  readonly any: number[];
  /** All of them. */
  readonly all: Set<number>;
}

const NOWHERE = new Int32Array(0);
const BEFORE: Readonly<Record<Phase, Phase | null>> = { envelope: null, header: 'envelope', content: 'header' };

class Sieve {
  /** By phase: the positions of the rules that must be asked, whatever the message. */
  readonly asked: Readonly<Record<Phase, Int32Array>>;
  readonly #groups: Readonly<Record<Phase, readonly Group[]>>;
  /** By phase, and by what becomes known at it: the rules that what is known calls for. */
  readonly #called: Readonly<Record<Phase, Kept<object, Int32Array>>> = {
    envelope: new Kept(),
    header: new Kept(),
    content: new Kept(),
  };
  readonly #size: number;

  constructor(rules: readonly Rule[]) {
    const groups = new Map<string, Group>();
    const needing = rules.map(({ clause, shadow }) => (shadow ? null : clause.needs));
    for (const [position, needs] of needing.entries()) {
      for (const need of needs ?? []) enter(groups, need, position);
    }
    const knownAt = (phase: Phase): readonly Group[] =>
      [...groups.values()].filter(({ haystack }) => haystack.phase === phase);
    this.#groups = { envelope: knownAt('envelope'), header: knownAt('header'), content: knownAt('content') };
    const asked = (phase: Phase): Int32Array =>
      Int32Array.from(
        needing.flatMap((needs, position) =>
          needs?.every(({ haystack }) => isReached(haystack.phase, phase)) === true ? [] : position,
        ),
      );
    this.asked = { envelope: asked('envelope'), header: asked('header'), content: asked('content') };
    this.#size = rules.length;
  }

  get passesNothing(): boolean {
    return this.#groups.content.length === 0 && this.#size - this.asked.content.length < FEWEST;
  }

  /** The positions of those that what is known calls for, in order. */
  called(phase: Phase, facts: Facts): Int32Array {
    const key = learnedAt(phase, facts);
    const known = this.#called[phase].get(key);
    if (known !== undefined) return known;
    const before = BEFORE[phase] === null ? NOWHERE : this.called(BEFORE[phase], facts);
    const added: number[] = [];
    let complete = true;
    for (const group of this.#groups[phase]) complete = search(group, facts, added) && complete;
    const called = added.length === 0 ? before : Int32Array.from(new Set([...before, ...added])).sort();
    if (complete) this.#called[phase].set(key, called);
    return called;
  }
}

/** Adds the positions of the rules whose needs may be met; false where the texts are not known yet. */
function search(group: Group, facts: Facts, found: number[]): boolean {
  const { haystack, byNeedle, any, all } = group;
  const texts = haystack.textsOf(facts);
  if (texts === null) found.push(...all);
  else if (texts.length > 0) found.push(...any);
  for (const text of texts ?? []) {
    const ids = idsIn(text, group);
    if (ids === null) found.push(...all);
    else for (const id of ids) found.push(...(byNeedle.get(id) ?? []));
  }
  return texts !== null;
}

/** null where to look for what the rules need is not worth it. */
function idsIn(text: string | TextOfOctets, { needles, all }: Group): ReadonlySet<NeedleId> | null {
  if (typeof text === 'string') return needles.findOnce(text);
  const ids = text.octets === null ? null : needles.findInOctets(text.octets);
  return ids === null && all.size >= FEWEST_OF_BODY ? needles.findOnce(text.text) : ids;
}

/** What is known from a phase on. */
function learnedAt(phase: Phase, facts: Facts): object {
  if (phase === 'content' && facts.phase === 'content') return facts.message;
  return phase === 'envelope' || facts.phase === 'envelope' ? facts.transaction : facts.header;
}

function enter(groups: Map<string, Group>, { haystack, literals }: Need, position: number): void {
  const fresh = { haystack, needles: new Needles(), byNeedle: new Map(), any: [], all: new Set<number>() };
  const group: Group = groups.get(haystack.name) ?? fresh;
  groups.set(haystack.name, group);
  group.all.add(position);
  if (literals === null) group.any.push(position);
  for (const literal of literals ?? []) {
    const id = group.needles.add(literal);
    const positions = group.byNeedle.get(id) ?? [];
    group.byNeedle.set(id, [...positions, position]);
  }
}

const sieves = new WeakMap<Ruleset, Sieve | null>();

/** Made once for each file, when the first message comes; null where nothing would be passed over. */
function sieveOf(ruleset: Ruleset): Sieve | null {
  const known = sieves.get(ruleset);
  if (known !== undefined) return known;
  const sieve = new Sieve(rulesOf(ruleset));
  const useful = sieve.passesNothing ? null : sieve;
  sieves.set(ruleset, useful);
  return useful;
}

function rulesOf({ layers }: Ruleset): readonly Rule[] {
  return [...layers.before, ...layers.rules, ...layers.after];
}

/** The positions of the rules of a program that may match, in order; it stays as it is. */
export type Sift = (facts: Facts) => Int32Array;

/** The rules of one file in a program. */
interface Part {
  readonly sieve: Sieve;
  /** By the position in the file: that in the program; -1 for a rule of another role. */
  readonly places: Int32Array;
}

/** null where every rule is to be asked. `rulesets`: the files that the rules of the program stand in. */
export function siftOf(rules: readonly Rule[], rulesets: readonly Ruleset[]): Sift | null {
  const places = new Map(rules.map((rule, place) => [rule, place]));
  const parts = rulesets.flatMap((ruleset): Part | [] => {
    const sieve = sieveOf(ruleset);
    return sieve === null ? [] : { sieve, places: Int32Array.from(rulesOf(ruleset), (rule) => places.get(rule) ?? -1) };
  });
  if (parts.length === 0) return null;
  const sifted = new Set(parts.flatMap(({ places }) => [...places]));
  const others = Int32Array.from(rules.keys()).filter((place) => !sifted.has(place));
  const asked = (phase: Phase): Int32Array =>
    parts.reduce<Int32Array>((all, { sieve, places }) => merge(all, sieve.asked[phase], places), others);
  const always = { envelope: asked('envelope'), header: asked('header'), content: asked('content') };
  return (facts) => {
    let open = always[facts.phase];
    for (const { sieve, places } of parts) open = merge(open, sieve.called(facts.phase, facts), places);
    return open;
  };
}

/** Sorted places, and those of the positions, which are sorted too; each once. */
function merge(sorted: Int32Array, positions: Int32Array, places: Int32Array): Int32Array {
  if (positions.length === 0) return sorted;
  const merged = new Set([...sorted, ...Array.from(positions, (position) => places[position] ?? -1)]);
  merged.delete(-1);
  return Int32Array.from(merged).sort();
}
