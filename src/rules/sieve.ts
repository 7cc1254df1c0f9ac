/**
 * sieve - of the rules of one file those that may match, found together: by the literals that they need, one pass over each
 * text whatever the number of rules, and by the header fields that there are.
 *
 * To pass a rule over is to ask it and hear `false`; that holds because of what needs.ts promises, and a test compares.
 */
import { type Facts, PHASES, type Phase } from '../core/facts.ts';
import { type NeedleId, Needles } from './needles.ts';
import { type Haystack, isKnown, type Need } from './needs.ts';
import type { Rule, Ruleset } from './ruleset.ts';

/** Where fewer rules need something, to ask them is as quick as to look for what they need. */
const FEWEST = 8;
/** The same for the texts of the body, which are long. */
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

class Sieve {
  readonly #groups: readonly Group[];
  /** By phase: 1 for the rules that must be asked, whatever the message; those that it may call for are added to a copy. */
  readonly #asked: Readonly<Record<Phase, Uint8Array>>;
  readonly #known: Readonly<Record<Phase, WeakMap<object, Uint8Array>>> = {
    envelope: new WeakMap(),
    header: new WeakMap(),
    content: new WeakMap(),
  };

  constructor(rules: readonly Rule[]) {
    const groups = new Map<string, Group>();
    const needing = rules.map(({ clause, shadow }) => (shadow ? null : clause.needs));
    for (const [position, needs] of needing.entries()) {
      for (const need of needs ?? []) enter(groups, need, position);
    }
    for (const { haystack, all } of [...groups.values()]) {
      if (all.size >= (haystack.phase === 'content' ? FEWEST_OF_BODY : 1)) continue;
      for (const position of all) needing[position] = null;
      groups.delete(haystack.name);
    }
    this.#groups = [...groups.values()];
    const asked = (phase: Phase): Uint8Array =>
      Uint8Array.from(needing, (needs) => {
        const sifted = needs?.every(({ haystack }) => PHASES.indexOf(haystack.phase) <= PHASES.indexOf(phase));
        return sifted === true ? 0 : 1;
      });
    this.#asked = { envelope: asked('envelope'), header: asked('header'), content: asked('content') };
  }

  get passesNothing(): boolean {
    return this.#groups.length === 0 || this.#asked.content.reduce((sum, one) => sum + 1 - one, 0) < FEWEST;
  }

  /** By position: 0 for the rules that cannot match. */
  open(facts: Facts): Uint8Array {
    const key = facts.phase === 'content' ? facts.message : facts.phase === 'header' ? facts.header : facts.transaction;
    const known = this.#known[facts.phase].get(key);
    if (known !== undefined) return known;
    const asked = this.#asked[facts.phase];
    let open: Uint8Array | null = null;
    const add = (positions: Iterable<number>): void => {
      open ??= asked.slice();
      for (const position of positions) open[position] = 1;
    };
    let complete = true;
    for (const { haystack, needles, byNeedle, any, all } of this.#groups) {
      if (!isKnown(haystack, facts)) continue;
      const texts = haystack.textsOf(facts);
      if (texts === null) {
        complete = false;
        add(all);
        continue;
      }
      if (texts.length > 0 && any.length > 0) add(any);
      for (const text of texts) for (const id of needles.find(text)) add(byNeedle.get(id) ?? []);
    }
    const result = open ?? asked;
    if (complete) this.#known[facts.phase].set(key, result);
    return result;
  }
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

/** The position of the next rule of a program that may match, from `position` on; the number of rules where none may. */
export type Sift = (position: number, facts: Facts) => number;

interface Segment {
  readonly sieve: Sieve;
  /** By the position in the program less `from`: the position in the file. */
  readonly positions: Int32Array;
  readonly from: number;
  readonly to: number;
}

/** null where every rule is to be asked. `rulesets`: the files that the rules of the program stand in. */
export function siftOf(rules: readonly Rule[], rulesets: readonly Ruleset[]): Sift | null {
  const segments: Segment[] = [];
  const sifted = rulesets.flatMap((ruleset) => {
    const sieve = sieveOf(ruleset);
    return sieve === null ? [] : [{ sieve, positions: new Map(rulesOf(ruleset).map((rule, index) => [rule, index])) }];
  });
  for (let from = 0; from < rules.length; ) {
    const owner = sifted.find(({ positions }) => positions.has(rules[from] as Rule));
    let to = from + 1;
    while (to < rules.length && owner?.positions.has(rules[to] as Rule)) to += 1;
    if (owner !== undefined) {
      const positions = Int32Array.from(rules.slice(from, to), (rule) => owner.positions.get(rule) ?? 0);
      segments.push({ sieve: owner.sieve, positions, from, to });
    }
    from = to;
  }
  return segments.length === 0 ? null : (position, facts) => nextOpen(segments, position, facts);
}

function nextOpen(segments: readonly Segment[], position: number, facts: Facts): number {
  let next = position;
  for (const { sieve, positions, from, to } of segments) {
    if (next < from) return next;
    if (next >= to) continue;
    const open = sieve.open(facts);
    while (next < to && open[positions[next - from] as number] === 0) next += 1;
    if (next < to) return next;
  }
  return next;
}
