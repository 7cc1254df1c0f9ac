/**
 * What Majordomo 2 and SmartList look for in every post, said in YAML by translators, and asked of all messages of the
 * corpus. What a pattern should find is told by JavaScript's own engine, over the lines that those programs see.
 */
import assert from 'node:assert/strict';
import type { Message } from '../../src/core/message.ts';
import { textsOf } from '../../src/mail/body.ts';
import { evaluate, rulesetOf } from '../rules/load.ts';
import { corpusMessages, messageOf, octetsOnTheWire, truthOf } from '../support/wire-corpus.ts';
import { rulesText, type When } from './ask.ts';
import { scored } from './score.ts';

interface Pattern {
  readonly id: number;
  readonly when: When;
  /** Whether it stands in a text; a header section is one too, a field on a line. */
  readonly isIn: (lines: Lines) => boolean;
}

interface Lines {
  readonly size: number;
  readonly header: string;
  readonly texts: readonly string[];
}

async function linesOf(message: Message): Promise<Lines> {
  const header = message.header.fields.map(({ name, value }) => `${name}: ${value}`).join('\n');
  return { size: message.content.size, header, texts: (await textsOf(message)).map(({ text }) => text) };
}

interface Found {
  readonly ours: string[];
  readonly theirs: string[];
}

/** Patterns that one recipient's budget is enough for, whatever the message. */
const AT_ONCE = 5;

/** Which messages each pattern matches, by ours and by theirs: rules that tag what they match. */
async function matches(patterns: readonly Pattern[]): Promise<ReadonlyMap<number, Found>> {
  const found = new Map(patterns.map(({ id }): [number, Found] => [id, { ours: [], theirs: [] }]));
  const rulesets = Array.from({ length: Math.ceil(patterns.length / AT_ONCE) }, (_, index) => {
    const some = patterns.slice(index * AT_ONCE, (index + 1) * AT_ONCE);
    const rules = some.map(({ id, when }) => ({ name: `pattern-${id}`, when, action: `{ tag: p${id} }` }));
    return rulesetOf('system', rulesText(rules));
  });
  for (const file of corpusMessages()) {
    const content = octetsOnTheWire(file);
    for (const system of rulesets) {
      const verdict = await evaluate({ system }, {}, { content, phases: ['content'] });
      assert.ok(verdict.kind === 'relay', file);
      for (const edit of verdict.edits) {
        if (edit.kind === 'add') found.get(Number(edit.value.slice(1)))?.ours.push(file);
      }
    }
    const lines = await linesOf(messageOf(content));
    for (const { id, isIn } of patterns) if (isIn(lines)) found.get(id)?.theirs.push(file);
  }
  return found;
}

/** `/source/flags` of Perl. White space there is that of one line. */
function perl(pattern: string): readonly [source: string, flags: string] {
  const [, source = '', flags = ''] = /^\/(.*)\/(\w*)$/.exec(pattern) ?? [];
  return [source.replaceAll('\\s', '[ \\t]'), flags];
}

function header(name: string | readonly string[], pattern: string, flags: string): When {
  return { header: { name, regex: `(?${flags}:${pattern})`, raw: true } };
}

/** A pattern for header lines that begins with the name of its field. */
const ANCHORED = /^\^([\w-]+):(?:\[ \\t\]\*?)?(.*)$/;

interface Setting {
  readonly setting: string;
  readonly perl?: string;
  readonly value?: number;
}

scored('majordomo2', async (score) => {
  const patterns: Pattern[] = [];
  for (const [id, { setting, perl: given, value }] of truthOf<Setting>(
    'tables/filters/majordomo2-defaults.jsonl',
  ).entries()) {
    if (score.isOutside(id)) continue;
    if (given === undefined) {
      const isIn = ({ size }: Lines) => size > (value ?? 0);
      patterns.push({ id, when: { size: { above: `${value} B` } }, isIn });
      continue;
    }
    const [source, flags] = perl(given);
    const theirs = new RegExp(source, `${flags}m`);
    if (setting === 'admin_body') {
      const when = { body: { regex: `(?m${flags})${source}`, raw: true } };
      patterns.push({ id, when, isIn: ({ texts }) => texts.some((text) => theirs.test(text)) });
    } else {
      const [, name = '', rest = ''] = ANCHORED.exec(source) ?? [];
      const when = header(name, rest.startsWith('.*') ? rest.slice(2) : `^${rest}`, flags || 's');
      patterns.push({ id, when, isIn: (lines) => theirs.test(lines.header) });
    }
  }
  const found = await matches(patterns);
  for (const [id, { ours, theirs }] of found) score.compare(id, ours, theirs);
});

/** A regex of procmail: continued lines joined, the ends of words said as RE2 says them. */
function procmail(condition: string): string {
  return condition
    .replace(/\\\n\s*/g, '')
    .replace(/\\[<>]/g, '\\b')
    .replaceAll('\t', '\\t');
}

scored('smartlist', async (score) => {
  const patterns: Pattern[] = [];
  for (const [id, { condition }] of truthOf<{ condition: string }>(
    'tables/filters/smartlist-conditions.jsonl',
  ).entries()) {
    if (score.isOutside(id)) continue;
    const [, not, source = ''] = /^\s*(?:-?\d+\^\d+ +)?(! *)?(.*)$/s.exec(procmail(condition)) ?? [];
    const [, prefix = '', names = '', rest = ''] = /^\^(X-)?\(?([\w|-]+)\)?: ?(.*)$/.exec(source) ?? [];
    const fields = names.split('|').map((name) => prefix + name);
    const when = header(fields, `^${rest}`, 'i');
    const theirs = new RegExp(source, 'im');
    const isIn = (lines: Lines) => theirs.test(lines.header) === (not === undefined);
    patterns.push({ id, when: not === undefined ? when : { not: when }, isIn });
  }
  const found = await matches(patterns);
  for (const [id, { ours, theirs }] of found) score.compare(id, ours, theirs);
});
