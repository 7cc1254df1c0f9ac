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
  action: ['then'],
  actions: ['then'],
  allow: ['relay'],
  and: ['all'],
  archive: ['attachment'],
  at_least: ['above'],
  at_most: ['below'],
  block: ['reject'],
  bounce: ['reject'],
  cc: ['addressed_to_list'],
  code: ['status'],
  delete: ['discard'],
  deliver: ['relay'],
  count: ['times'],
  deny: ['reject'],
  do: ['then'],
  drop: ['discard'],
  equals: ['is'],
  except: ['unless'],
  extension: ['name'],
  file: ['attachment', 'name'],
  filename: ['name'],
  forward: ['redirect'],
  from: ['author'],
  greater: ['above'],
  greater_than: ['above'],
  hops: ['received_count'],
  html: ['text_parts'],
  if: ['when'],
  ignore: ['discard'],
  include: ['extends'],
  includes: ['contains'],
  keep: ['relay'],
  larger: ['above'],
  less: ['below'],
  less_than: ['below'],
  list: ['values'],
  longer: ['above'],
  match: ['like'],
  matches: ['like'],
  max: ['above'],
  members: ['values'],
  min: ['at_least', 'below'],
  moderate: ['hold'],
  more: ['above'],
  more_than: ['above'],
  none: ['not'],
  not: ['not_in'],
  or: ['any'],
  over: ['above'],
  pass: ['relay'],
  received: ['received_count'],
  repeat: ['times'],
  refuse: ['reject'],
  sender: ['author'],
  smaller: ['below'],
  tempfail: ['defer'],
  to: ['addressed_to_list', 'recipients'],
  under: ['below'],
  wait: ['defer'],
  where: ['when'],
  zip: ['attachment'],
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
  return best ?? containing(word, known);
}

/** The only known word that has this one among its parts: `storm` is in `storm-brake`. */
function containing(word: string, known: readonly string[]): string | null {
  if (word.length < 4) return null;
  const [only, ...more] = known.filter((one) => plain(one).split('_').includes(plain(word)));
  return only !== undefined && more.length === 0 ? only : null;
}

/** Words for the opposite, which has no word of its own; null for any other. */
function opposite(word: string, known: readonly string[]): string | null {
  const asked = /^not_?(.*)$/.exec(word)?.[1];
  if (asked === undefined || known.includes('not_in')) return null;
  if (asked !== '' && !known.includes(asked)) return null;
  const inner = asked === '' ? 'is' : asked;
  return known.includes(inner) ? `write not: around the condition, as in not: { subject: { ${inner}: \u2026 } }` : null;
}

/** What to write in place of a word that is not `known`. `lead` goes before the list of them; null where it is too long. */
export function instead(word: string, known: readonly string[], lead: string): string | null {
  const turned = opposite(word, known);
  if (turned !== null) return turned;
  if (/^(?:contains|starts_with|ends_with|regex|matches)$/.test(word) && known.includes('domain')) {
    return 'write domain: example.net, or like: with * for any characters';
  }
  if (word === 'in' && known.includes('is') && known.includes('like')) {
    return 'write is: for several texts, [a, b], or like: where * stands for any characters';
  }
  const near = nearest(word, known);
  if (near !== null) return `did you mean "${near}"?`;
  if (/^[A-Z]/.test(word) && known.includes('name') && known.includes('exists')) {
    return `write name: ${word} and, behind a comma, what to ask of it, such as exists: true`;
  }
  if (known.length === 0 || known.length > MOST_WORDS_TOLD) return null;
  const all = `${lead}: ${known.join(', ')}`;
  return /\s/.test(word) ? `${all}; if it belongs to the text in front of it, put that in quotes` : all;
}

const MOST_WORDS_TOLD = 20;
