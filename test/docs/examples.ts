/**
 * examples - the YAML of the documentation as files that can be loaded and whose cases can be run.
 *
 * A block that begins with `version:` is a whole file; others are parts of one: what belongs into a rule, rules, or what
 * stands beside them. `tests:` alone continue the block before. A block of text behind, which begins with the name of a
 * file and a line, is what is said of a mistake in it.
 */
import { combinations, fileSchemas, ruleKeys } from '../../src/rules/file-schema.ts';
import { conditions } from '../../src/rules/registry.ts';

export type Kind = 'list' | 'system' | 'preset' | 'configuration';

export interface Example {
  /** `docs/rules.md:12`. */
  readonly place: string;
  readonly kind: Kind;
  readonly text: string;
  /** The cases that a page has in a block of their own. */
  readonly cases: boolean;
  /** What is said of the mistake in it; null where it is to load. */
  readonly told: string | null;
}

interface Block {
  readonly line: number;
  readonly language: string;
  readonly text: string;
}

const BLOCK = /^```(\w*)\n([\s\S]*?)^```$/gm;
const SAID = /^\S+\.yaml:\d+:\d+ {2}[EW]_/;
/** The name under which the documentation shows a mistake of each kind of file. */
export const FILE_NAMES: Readonly<Record<Kind, string>> = {
  list: 'gardeners.yaml',
  system: 'system.yaml',
  preset: 'preset.yaml',
  configuration: 'postern.yaml',
};

/** `page` is Markdown. */
export function examplesIn(name: string, page: string): readonly Example[] {
  const blocks: Block[] = [...page.matchAll(BLOCK)].map(({ index, 1: language = '', 2: text = '' }) => ({
    line: page.slice(0, index).split('\n').length + 1,
    language,
    text,
  }));
  let before = '';
  return blocks.flatMap((block, index): Example[] => {
    if (block.language !== 'yaml') return [];
    const place = `${name}:${block.line}`;
    const next = blocks[index + 1];
    const told = next !== undefined && SAID.test(next.text) ? next.text : null;
    if (told !== null) return [{ place, kind: kindOf(block.text), text: block.text, cases: false, told }];
    if (/^# yaml-language-server/.test(block.text)) return [];
    if (/^tests:/m.test(block.text) && keysOf(block.text).join() === 'tests') {
      return [{ place, kind: kindOf(before), text: `${before}${block.text}`, cases: true, told }];
    }
    before = whole(block.text);
    return [{ place, kind: kindOf(before), text: before, cases: /^tests:/m.test(before), told }];
  });
}

/** The keys of the outermost mapping, also of a text that is no YAML by a mistake. */
function keysOf(text: string): readonly string[] {
  return [...text.matchAll(/^([\w-]+):/gm)].map(([, key = '']) => key);
}

function kindOf(text: string): Kind {
  const keys = keysOf(text);
  if (keys.includes('listen') || keys.includes('downstreams') || keys.includes('limits')) return 'configuration';
  if (keys.includes('preset')) return 'preset';
  return keys.some((key) => ['before', 'after', 'trust_results_from'].includes(key)) ? 'system' : 'list';
}

/** The least file around a part; throws where nothing has its keys. */
function whole(text: string): string {
  const keys = keysOf(text);
  const all = (known: object): boolean => keys.every((key) => key in known);
  if (keys.includes('version')) return text;
  const indented = (by: number, lines: string): string => lines.replace(/^(?=.)/gm, ' '.repeat(by));
  if (/^- name:/m.test(text)) return `version: 1\nrules:\n${indented(2, text)}`;
  if ([fileSchemas.list, fileSchemas.system].some(({ shape }) => all(shape))) return `version: 1\n${text}`;
  if (all(ruleKeys)) {
    const rest = [
      ...(keys.includes('name') ? [] : ['name: example']),
      ...(keys.includes('when') ? [] : ['when: { always: true }']),
      ...(keys.includes('then') ? [] : ['then: relay']),
    ];
    return `version: 1\nrules:\n  -\n${indented(4, `${rest.join('\n')}\n${text}`)}`;
  }
  if (all({ ...combinations, ...Object.fromEntries(conditions) })) {
    return `version: 1\nrules:\n  - name: example\n    when:\n${indented(6, text)}    then: relay\n`;
  }
  throw new Error(`no file has these keys: ${keys.join(', ')}`);
}
