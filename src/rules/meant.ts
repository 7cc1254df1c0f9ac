/**
 * meant - how that is written which somebody tried to say otherwise, for the hints of messages.
 *
 * Shows the value that is there in the shape that it should have. Nothing here decides whether a file is right.
 */
import { quoted } from '../yaml/guards.ts';
import type { YamlValue } from '../yaml/tree.ts';
import { actions, conditions } from './registry.ts';
import { isList, isMapping } from './source.ts';

/** In characters: longer values are not shown. */
const LONGEST = 60;
const WORD_AND_VALUE =
  /^(is|contains|starts_with|ends_with|like|regex|domain|in|not_in|above|below|at_least)\s+(\S.*)$/;
/** Above, in the words and signs of other languages. */
const ABOVE = /^(?:>=?|over|more than|max\.?)\s*(\S.*)$/i;
const RATE = /(\d+)[a-z ]*?(?:\/|\bper\b|\ban?\b)\s*(second|minute|hour|day|week)/i;

/** The text as a YAML scalar between brackets. */
function written(text: string): string {
  return /^[\w.@+-][\w .@+/-]*$/.test(text) && !/\s$/.test(text) ? text : quoted(text);
}

/** A condition with the value that is there as its argument; `example` is an argument of it, shown where nothing fits. */
export function conditionMeant(name: string, value: YamlValue, example: string, sets: readonly string[]): string {
  if (name === 'attachment' && typeof value === 'string' && /^(?:none|no|false)$/.test(value)) {
    return 'not: { attachment: { type: { like: "*" } } }';
  }
  return `${name}: ${argumentMeant(name, value, sets) ?? example}`;
}

/** What stands for a condition that there is under no name like it. */
export function noConditionMeant(name: string): string | null {
  return /^(?:first|new|unknown|stranger|newcomer|member|subscriber|roster)/.test(name)
    ? 'who is new, and who a member, is asked with a set: author: { not_in: members }'
    : null;
}

function argumentMeant(name: string, value: YamlValue, sets: readonly string[]): string | null {
  const items = isList(value) ? value : [value];
  const texts = items.filter((one): one is string => typeof one === 'string');
  const [first = ''] = texts;
  if (texts.length !== items.length || texts.length === 0 || texts.join('').length > LONGEST) return null;
  const all = isList(value) ? `[${texts.map(written).join(', ')}]` : written(first);
  switch (name) {
    case 'subject':
    case 'body':
    case 'author':
    case 'envelope_from':
    case 'poster': {
      const [, word, rest] = WORD_AND_VALUE.exec(first) ?? [];
      if (word !== undefined && rest !== undefined && !isList(value)) return `{ ${word}: ${written(rest)} }`;
      if (name === 'subject' || name === 'body') return `{ ${first.includes('*') ? 'like' : 'contains'}: ${all} }`;
      if (sets.includes(first)) return `{ in: ${all} }`;
      if (first.includes('*')) return `{ like: ${all} }`;
      return first.includes('@') && !/\s/.test(first) ? `{ is: ${all} }` : null;
    }
    case 'size': {
      const amount = ABOVE.exec(first)?.[1] ?? WORD_AND_VALUE.exec(first)?.[2] ?? first;
      const word = /^(?:<|below|under|less)/.test(first) ? 'below' : 'above';
      return /^\d/.test(amount) ? `{ ${word}: ${amount} }` : null;
    }
    case 'rate': {
      const [, count, period = ''] = RATE.exec(first) ?? [];
      return count === undefined ? null : `{ per: author, above: ${count} per ${period.toLowerCase()} }`;
    }
    case 'header':
      return /^[A-Za-z][\w-]*:?$/.test(first) ? `{ name: ${first.replace(/:$/, '')}, exists: true }` : null;
    case 'attachment':
      return first === 'true' || first === 'yes' || first === 'any'
        ? '{ type: { like: "*" } }'
        : texts.every((one) => /^\*?\.?[a-z\d]{1,5}$/i.test(one)) && !/^(?:none|no|false|yes|any)$/i.test(first)
          ? `{ name: { like: [${texts.map((one) => `"*.${one.replace(/^\*?\.?/, '')}"`).join(', ')}] } }`
          : null;
    default:
      return null;
  }
}

const EVERYTHING = /^(?:all|always|any|anything|everybody|everyone|everything|true|yes)$/i;

/** What stands in place of conditions that are only a text. */
export function whenMeant(value: YamlValue): string {
  if (isList(value)) return 'put the list under all: or any:';
  const text = String(value);
  if (EVERYTHING.test(text)) return 'for a rule without a condition write { always: true }';
  const [, name = '', word, rest] = /^([a-z_]+) ([a-z_]+) (\S.*)$/.exec(text) ?? [];
  return conditions.has(name) && text.length <= LONGEST
    ? `write { ${name}: { ${word}: ${written(rest ?? '')} } }`
    : 'write a condition and its value, like { subject: { contains: tulips } }';
}

/** A list of conditions that is written as one mapping, or as something else. */
export function listMeant(kind: string, value: YamlValue): string {
  const keys = isMapping(value) ? Object.keys(value) : [];
  return keys.length === 0
    ? 'begin each one with "- "'
    : `begin each one with "- ", or write ${kind}: [ ${keys.map((key) => `{ ${key}: \u2026 }`).join(', ')} ]`;
}

/** What becomes of a message, written as one text: `reject Only members`. */
export function actionMeant(text: string): string | null {
  const [word = ''] = text.split(/\s/);
  const rest = text
    .slice(word.length)
    .replace(/^[\s:,-]+/, '')
    .replace(/^"(.*)"$/, '$1');
  const action = actions.get(word);
  if (action === undefined || rest === '') return null;
  return rest.length > LONGEST ? `write ${action.examples[0]?.yaml}` : `write { ${word}: ${written(rest)} }`;
}

interface Said {
  readonly message: string;
  readonly hint: string;
  /** The key under which it belongs; it is not missed then. */
  readonly under: 'when' | 'then' | null;
}

/** A key of a rule that belongs somewhere else; null for any other. */
export function ruleKeyMeant(key: string): Said | null {
  const under = (place: 'when' | 'then', example: string): Said => ({
    message: `\`${key}\` does not stand beside \`name\``,
    hint: `write it under ${place}: ${place}: ${example}`,
    under: place,
  });
  switch (key) {
    case 'else': {
      const hint = 'add a rule behind this one; it is asked where this one does not apply';
      return { message: 'a rule has no `else`', hint, under: null };
    }
    case 'test':
    case 'tests':
      return {
        message: `a rule has no \`${key}\``,
        hint: 'put the cases at the end of the file, under tests:, which begins at the margin',
        under: null,
      };
    case 'status': {
      const hint = 'write it beside the text: then: { reject: Too large., status: 5.3.4 }';
      return { message: '`status` does not stand beside `name`', hint, under: null };
    }
    case 'overridable':
      return { message: '`overridable` is for rules of the system', hint: 'take it out', under: null };
    case 'enabled':
      return { message: '`enabled` is for rules of presets', hint: 'take it out', under: null };
    default:
      if (actions.has(key)) return under('then', actions.get(key)?.examples[0]?.yaml ?? `{ ${key}: \u2026 }`);
      if (conditions.has(key)) return under('when', `{ ${key}: \u2026 }`);
      return null;
  }
}
