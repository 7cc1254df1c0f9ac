/**
 * The base language of Sieve (RFC 5228) by the tests of Pigeonhole, said in YAML by a translator.
 *
 * Sieve asks the addresses of any field, the rule language those of From: (`author`) and those of To: and Cc: that are the
 * list's own (`addressed_to_list`). Addresses in other fields are asked as text, in which they stand between blanks, angle
 * brackets and commas.
 */
import { truthOf } from '../support/wire-corpus.ts';
import { ask, literally, onTheWire, type When } from './ask.ts';
import { scored } from './score.ts';

type Argument = string | number | readonly string[] | { readonly tag: string };

interface SieveTest {
  readonly test: string;
  readonly args: readonly Argument[];
}

/** The arguments of a test: its tags, its comparator, and what stands behind them, as lists. */
function readArguments(args: readonly Argument[]) {
  const tags: string[] = [];
  const lists: (readonly string[])[] = [];
  let comparator = 'i;ascii-casemap';
  for (const [index, argument] of args.entries()) {
    const before = args[index - 1];
    if (typeof argument === 'object' && 'tag' in argument) tags.push(argument.tag);
    else if (typeof before === 'object' && 'tag' in before && before.tag === 'comparator')
      comparator = String(argument);
    else lists.push(typeof argument === 'object' ? argument : [String(argument)]);
  }
  const [first = [], second = []] = lists;
  return { tags, first, second, raw: comparator === 'i;octet' };
}

/** `*` and `?` with their backslashes (RFC 5228 section 2.7.1) as a regex, because `like` knows no backslash. */
function glob(pattern: string): string {
  return pattern.replace(/\\(.)|[*?]|[^*?\\]+|\\/g, (piece, escaped: string | undefined) => {
    if (escaped !== undefined) return literally(escaped);
    if (piece === '*') return '.*';
    return piece === '?' ? '.' : literally(piece);
  });
}

/** Match words for a text. */
function textWords(tags: readonly string[], values: readonly string[]): When {
  if (tags.includes('contains')) return { contains: values };
  if (!tags.includes('matches')) return { is: values };
  if (!values.some((value) => value.includes('\\'))) return { like: values };
  return { regex: values.map((value) => `^${glob(value)}$`) };
}

function header({ tags, first, second, raw }: ReturnType<typeof readArguments>): When {
  const name = first;
  // An empty key is in every field that there is, and is the whole of an empty one.
  if (second.includes(''))
    return { header: { name, exists: true, ...(tags.includes('contains') ? {} : { empty: true }) } };
  return { header: { name, ...textWords(tags, second), ...(raw ? { raw } : {}) } };
}

function address(args: ReturnType<typeof readArguments>): When {
  const { tags, first, second, raw } = args;
  const [field = ''] = first;
  const part = tags.includes('localpart') ? 'localpart' : tags.includes('domain') ? 'domain' : 'all';
  if (second.includes('')) return header({ ...args, tags: ['is'] });
  if (first.length === 1 && field.toLowerCase() === 'from' && !raw) return { author: addressWords(tags, part, second) };
  const inside = tags.includes('contains') ? '[^\\s<>,]*' : '';
  const values = second.map((value) => {
    const pattern =
      inside + (tags.includes('matches') ? glob(value).replaceAll('.*', '[^\\s<>,]*') : literally(value)) + inside;
    if (part === 'localpart') return `(^|[\\s<,])${pattern}@`;
    return part === 'domain' ? `@${pattern}($|[\\s>,;])` : `(^|[\\s<,])${pattern}($|[\\s>,;(])`;
  });
  return { header: { name: first, regex: values, ...(raw ? { raw } : {}) } };
}

function addressWords(tags: readonly string[], part: string, values: readonly string[]): When {
  const around = (value: string): string => (tags.includes('contains') ? `*${value}*` : value);
  if (part === 'domain') return { domain: values.map(around) };
  if (part === 'localpart') return { like: values.map((value) => `${around(value)}@*`) };
  return { like: values.map(around) };
}

function translate({ test, args }: SieveTest): When {
  const read = readArguments(args);
  switch (test) {
    case 'header':
      return header(read);
    case 'address':
      return address(read);
    case 'exists':
      return { all: read.first.map((name) => ({ header: { name, exists: true } })) };
    default:
      return { size: { [read.tags.includes('over') ? 'above' : 'below']: `${read.first[0]} B` } };
  }
}

scored('pigeonhole', async (score) => {
  interface Text {
    readonly message_id: number;
    readonly lf_text: string;
  }
  interface Row {
    readonly sieve_test: SieveTest;
    readonly message_id: number;
    readonly expected: boolean;
  }
  const texts = new Map(
    truthOf<Text>('tables/sieve/pigeonhole-base-messages.jsonl').map(({ message_id: id, lf_text: text }) => [id, text]),
  );
  for (const [index, row] of truthOf<Row>('tables/sieve/pigeonhole-base.jsonl').entries()) {
    const content = onTheWire(texts.get(row.message_id) ?? '');
    score.compare(index, await ask(translate(row.sieve_test), content), row.expected);
  }
});
