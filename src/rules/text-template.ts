/**
 * text-template - texts of rules with `{list}`, `{author}`, `{envelope_from}`, `{id}`, `{rule}`, `{score}`, `{part_name}` in
 * them.
 *
 * What comes from outside is cut and made printable ASCII before it enters a reply or a header field. A text that names
 * the author can only be filled once the header section is known, and one that names a part at the end, so its rule waits.
 */
import { isReached, type Facts, type Phase } from '../core/facts.ts';
import { printMailbox } from '../core/mailbox.ts';
import { nearest } from '../yaml/suggest.ts';
import type { YamlPath } from '../yaml/tree.ts';
import type { CompileEnv } from './env.ts';
import { foreignPlaceholders, reportTextMarks } from './marks.ts';
import { partNameOf } from './part-name.ts';

export interface Template {
  /** The phase from which on the text can be filled. */
  readonly phase: Phase;
  fill(facts: Facts): string;
}

/** Characters of one value that comes from outside. */
const LONGEST_VALUE = 100;
const PLACEHOLDER = /\{([A-Za-z_]+)\}/g;

type Value = (facts: Facts, env: CompileEnv) => string;

const VALUES: Readonly<Record<string, Value>> = {
  list: ({ address }) => printable(address.list),
  author: (facts) => {
    const [author] = facts.phase === 'envelope' ? [] : facts.header.authors;
    return author === undefined ? '(no author)' : printable(printMailbox(author));
  },
  envelope_from: ({ transaction: { reversePath } }) =>
    reversePath === null ? '<>' : printable(printMailbox(reversePath)),
  id: ({ transaction }) => transaction.id,
  rule: (_, { rule }) => rule,
  score: ({ score }) => String(score.sum ?? 0),
  part_name: ({ answers }, env) => printable(partNameOf(answers, env)),
};

const FOREIGN = foreignPlaceholders(Object.keys(VALUES));

/** The template, or null after an unknown name in it was reported. */
export function compileTemplate(text: string, env: CompileEnv, at: YamlPath): Template | null {
  const names = [...text.matchAll(PLACEHOLDER)].map((match) => match[1] ?? '');
  const unknown = names.filter((name) => !Object.hasOwn(VALUES, name));
  for (const name of unknown) {
    const near = nearest(name, Object.keys(VALUES));
    const known = Object.keys(VALUES).map((word) => `{${word}}`);
    const hint =
      name === 'sender' || name === 'from'
        ? 'write {author} (From:) or {envelope_from} (MAIL FROM)'
        : near === null
          ? `known here: ${known.join(', ')}`
          : `write {${near}}`;
    env.report('E_PLACEHOLDER', `nothing is called {${name}}`, hint, at);
  }
  reportTextMarks(text, FOREIGN, env, at);
  if (unknown.length > 0) return null;
  return {
    phase: names.includes('part_name') ? 'content' : names.includes('author') ? 'header' : 'envelope',
    fill: (facts) => text.replace(PLACEHOLDER, (written, name: string) => VALUES[name]?.(facts, env) ?? written),
  };
}

/** The later one of two phases. */
export function laterPhase(a: Phase, b: Phase): Phase {
  return isReached(a, b) ? b : a;
}

/** One line of printable ASCII; what is not is shown as `?`. */
export function printable(value: string): string {
  const shown = value.length > LONGEST_VALUE ? `${value.slice(0, LONGEST_VALUE)}...` : value;
  return shown.replace(/[^\x20-\x7e]/g, '?');
}
