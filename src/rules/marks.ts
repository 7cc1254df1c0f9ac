/**
 * marks - signs that were meant for YAML, a word processor or another language, and stand here for themselves.
 *
 * Warnings only: such a text may be what somebody wants to find or to say.
 */
import type { YamlPath } from '../yaml/tree.ts';
import type { MatchEnv } from './env.ts';

const CURLY = /^[\u2018\u201a\u201c\u201e\u00ab](.*)[\u2018\u2019\u201c\u201d\u00bb]$/;
/** `*.exe`, `*casino*`; not `***SPAM***`, which is a text. */
const STARRED = /^\*[^*\s][^*]*\*?$|^[^*]*[^*\s]\*$/;
/** What only a regular expression knows: an alternative, `.*` in front, an escape, an anchor. `*[list]*` is a text. */
const REGEX_SIGNS = /\w\|\*?[\w.]|^\.\*|\[\.\]|\\[.dswb]|^\^|\.\w+\)?\$$/;
/** `*.exe, *.bat` as one text. */
const SEVERAL = /^\s*\*?\.?[\w*]+(?:\s*[,;]\s*\*?\.[\w*]+)+\s*$/;

export type MatchWord = 'is' | 'contains' | 'starts_with' | 'ends_with' | 'like' | 'regex';

/** Warns of marks in a value that a match word compares with. */
export function reportMarks(word: MatchWord, value: string, env: MatchEnv, at: YamlPath): void {
  const report = (message: string, hint: string): void => env.report('W_MARKS', message, hint, at);
  const inside = CURLY.exec(value)?.[1];
  if (inside !== undefined) {
    report(`the quotes of ${value} are compared too`, `use straight ones: "${inside}"`);
    return;
  }
  if (word === 'regex') {
    const sought = /^\/(.+)\/[a-z]*$/.exec(value)?.[1];
    if (sought !== undefined) report('the slashes belong to the pattern', `take them away: '${sought}'`);
    return;
  }
  if (SEVERAL.test(value) && /[,;]/.test(value)) {
    const all = value.split(/[,;]/).map((one) => `"${one.trim()}"`);
    report(`"${value}" is one text`, `for several write a list: [${all.join(', ')}]`);
    return;
  }
  if (word === 'like') {
    const regex = REGEX_SIGNS.test(value) || /\([^)]*\|/.test(value);
    if (regex) report(`\`like\` knows the signs * and ? alone, not those of "${value}"`, alternatives(value));
    return;
  }
  if (STARRED.test(value)) {
    report(`\`${word}\` looks for the * of "${value}" too`, `for a pattern write like: "${value}"`);
  } else if (/\w\|\w/.test(value)) {
    report(`\`${word}\` looks for the | of "${value}" too`, alternatives(value));
  }
}

/** Warns of `like` with no sign in any of its values, of which this is the first. */
export function reportPlain(value: string, env: MatchEnv): void {
  if (value.trim() === '' || CURLY.test(value) || REGEX_SIGNS.test(value)) return;
  const hint = /^\.\w+$/.test(value)
    ? `put a * in front: "*${value}"`
    : `write "*${value}*" to find it anywhere, or say is`;
  env.report('W_MARKS', `without * or ? \`like\` asks whether the whole text is "${value}"`, hint, ['like', 0]);
}

function alternatives(value: string): string {
  const [, before = '', inner, behind = ''] = /^(.*)\(([^()]*\|[^()]*)\)(.*)$/.exec(value) ?? [];
  const several = inner === undefined ? value.split('|') : inner.split('|').map((one) => `${before}${one}${behind}`);
  const clean = several.every((one) => /^[\w*. @-]+$/.test(one));
  if (several.length > 1 && clean) return `for several write a list: [${several.map((one) => `"${one}"`).join(', ')}]`;
  return 'for a regular expression write regex:';
}

/** How other languages fill in a value of one of these names. */
export function foreignPlaceholders(names: readonly string[]): RegExp {
  const all = names.join('|');
  return new RegExp(`\\$\\{(${all})\\}|\\{\\{ *(${all}) *\\}\\}|\\$(${all})\\b|%\\{?(${all})\\}?%?|<(${all})>`);
}

/** Warns of marks in a text that is sent or logged; `foreign` is what `foreignPlaceholders` made. */
export function reportTextMarks(text: string, foreign: RegExp, env: MatchEnv, at: YamlPath): void {
  const report = (message: string, hint: string): void => env.report('W_MARKS', message, hint, at);
  const inside = CURLY.exec(text)?.[1];
  if (inside !== undefined) report(`the quotes of ${text} belong to the text`, `use straight ones: "${inside}"`);
  const [written, ...found] = foreign.exec(text) ?? [];
  const name = found.find((one) => one !== undefined);
  if (written !== undefined && name !== undefined) {
    report(`"${written}" is not how a value is filled in`, `write {${name}}`);
  }
}

/** Warns of a refusal whose text begins with a reply code. */
export function reportCode(kind: 'reject' | 'defer', text: string, env: MatchEnv): void {
  const report = (message: string, hint: string): void => env.report('W_MARKS', message, hint, [kind]);
  const [code, status] = /^[45]\d\d(?:[ -]([45]\.\d{1,3}\.\d{1,3}))? /.exec(text) ?? [];
  if (code !== undefined) {
    const beside = status === undefined ? '' : `, and beside it status: ${status}`;
    report(
      `the reply has a code already; the text says "${code.trim()}" once more`,
      `take it out of the text${beside}`,
    );
  }
  if (/^(?:true|false|yes|on|off)$/i.test(text)) {
    report(`authors are told "${text}" and nothing else`, `say why, as in { ${kind}: "Only subscribers may post." }`);
  }
}
