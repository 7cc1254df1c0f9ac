/**
 * needs - what a message must hold for a condition to be true: a field, or one of some literals in a text.
 *
 * Conservative: a condition that names no needs may always be true. Where it names some and none is met, it is false, and to
 * ask it would neither fail nor cost nor count; so rules that cannot match are passed over together (sieve.ts).
 */
import type { Facts, Phase } from '../core/facts.ts';
import { foldForMatch } from '../mail/text.ts';
import { literalOfLike } from './like.ts';
import type { TextWords } from './match.ts';
import type { TextOfOctets } from './needles.ts';
import { requiredLiterals } from './required-literals.ts';

/** Where literals are looked for. Two of the same name are the same. */
export interface Haystack {
  readonly name: string;
  /** From which on its texts are known. */
  readonly phase: Phase;
  /** null where they are not known yet, though the phase is reached. */
  textsOf(facts: Facts): readonly (string | TextOfOctets)[] | null;
}

/** `literals`: one of them stands in a text of the haystack; null where any text will do. */
export interface Need {
  readonly haystack: Haystack;
  readonly literals: readonly string[] | null;
}

/** One of them is met where the condition is true; null where nothing is certain. */
export type Needs = readonly Need[] | null;

/** Of conditions that must hold together: those of one of them, the earliest known, then the hardest to meet. */
export function needsOfAll(children: readonly Needs[]): Needs {
  return children.reduce((best, needs) => (rank(needs) > rank(best) ? needs : best), null);
}

/** Of conditions of which one must hold: those of all. */
export function needsOfAny(children: readonly Needs[]): Needs {
  const all: Need[] = [];
  for (const needs of children) {
    if (needs === null) return null;
    all.push(...needs);
  }
  return all.length > MOST || all.length === 0 ? null : all;
}

/** Needs of one rule; more are not worth looking for. */
const MOST = 200;
const EARLY: Readonly<Record<Phase, number>> = { envelope: 3000, header: 2000, content: 1000 };

function rank(needs: Needs): number {
  if (needs === null) return 0;
  return Math.min(...needs.map(({ haystack, literals }) => EARLY[haystack.phase] + shortest(literals)));
}

function shortest(literals: readonly string[] | null): number {
  return literals === null ? 0 : Math.min(100, ...literals.map(({ length }) => length));
}

/** Literals, one of which a text must hold to satisfy the words; null where nothing is certain. */
export function literalsOf(words: TextWords): readonly string[] | null {
  const fold = words.raw === true ? (value: string) => value : foldForMatch;
  const plain = ['is', 'contains', 'starts_with', 'ends_with'] as const;
  const ofWords = [
    ...plain.map((word) => literalsOfEach(words[word], (value) => (value.includes('{list}') ? [] : [fold(value)]))),
    literalsOfEach(words.like, (value) => [literalOfLike(fold(value))]),
    literalsOfEach(words.regex, (value) => requiredLiterals(value)?.literals ?? []),
  ];
  return ofWords.reduce((best, some) => (some !== null && shortest(some) > shortest(best) ? some : best), null);
}

/** Of a list of values one of which must fit; null where one of them needs nothing. */
export function literalsOfEach(
  values: readonly string[] | undefined,
  literalsOfValue: (value: string) => readonly string[],
): readonly string[] | null {
  if (values === undefined || values.length > MOST) return null;
  const found = values.map(literalsOfValue);
  return found.every((some) => some.length > 0 && !some.includes('')) ? found.flat() : null;
}
