/**
 * suggest - "Did you mean ...?": the known word that is nearest to a mistyped one.
 *
 * A word may also be what another language calls one of ours. The distance counts inserted, lost, changed and swapped letters (Damerau, optimal string alignment).
 */

/** Longer words are not typing mistakes of anything we know. */
const LONGEST = 40;

/** Case and the choice between `-` and `_` are not counted as mistakes. */
function plain(word: string): string {
  return word.toLowerCase().replaceAll('-', '_');
}

function distance(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const current = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const changed = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let least = Math.min(changed, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, (before[j - 2] ?? 0) + 1);
      }
      current.push(least);
    }
    before = previous;
    previous = current;
  }
  return previous[b.length] ?? 0;
}

/** Words that other languages have for ours. They come first: `and` is nearer to `any` than to `all`. */
const SAID_ELSEWHERE: Readonly<Record<string, readonly string[]>> = {
  accept: ['relay'],
  allow: ['relay'],
  and: ['all'],
  bounce: ['reject'],
  cc: ['addressed_to_list'],
  code: ['status'],
  delete: ['discard'],
  deliver: ['relay'],
  deny: ['reject'],
  drop: ['discard'],
  equals: ['is'],
  forward: ['redirect'],
  from: ['author'],
  html: ['text_parts'],
  if: ['when'],
  include: ['extends'],
  includes: ['contains'],
  keep: ['relay'],
  larger: ['above'],
  match: ['like'],
  matches: ['like'],
  max: ['above'],
  min: ['at_least', 'below'],
  moderate: ['hold'],
  not: ['not_in'],
  or: ['any'],
  over: ['above'],
  refuse: ['reject'],
  smaller: ['below'],
  tempfail: ['defer'],
  to: ['addressed_to_list'],
  under: ['below'],
};

/** What is meant of `known`: the nearest, or null where none is near: more than about one letter in three is wrong. */
export function nearest(word: string, known: readonly string[]): string | null {
  if (word.length > LONGEST) return null;
  const elsewhere = Object.hasOwn(SAID_ELSEWHERE, word) ? SAID_ELSEWHERE[word] : undefined;
  const ours = elsewhere?.find((one) => known.includes(one));
  if (ours !== undefined) return ours;
  let best: string | null = null;
  let least = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of known) {
    const far = distance(plain(word), plain(candidate));
    if (far < least) [best, least] = [candidate, far];
  }
  return best;
}
