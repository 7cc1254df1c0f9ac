/**
 * rulesets - the rules that Postern is measured with, written into the folder of the bench.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { type Layout, layoutFolders } from '../../src/core/layout.ts';
import type { Sandbox } from '../e2e/sandbox.ts';
import type { VariantName } from './scenarios.ts';

/** Where the system's rules are, and what the configuration says beside. */
interface Written {
  readonly system: string;
  readonly more: string;
}

const RULES = 990;
const LISTS = 100_000;
const DOMAIN = 'lists.example.org';
const LAYOUT: Layout = { scheme: 'md5', depth: 2 };
const TABOO = join('..', 'shared', 'corpus', 'tables', 'filters', 'vger-majordomo-taboo-2007.jsonl');

/** `large`: for messages that the shipped rules would refuse for their size. */
export function writeRules(sandbox: Sandbox, name: VariantName, large: boolean): Written {
  const folder = join(sandbox.folder, `${name}${large ? ' large' : ''}`.replaceAll(/\W+/g, '-'));
  mkdirSync(folder, { recursive: true });
  const system = join(folder, 'system.yaml');
  const shipped = readFileSync(resolve('rules', 'system.yaml'), 'utf8');
  const baseline = large ? withoutCases(shipped).replace('above: 20 MB', 'above: 40 MB') : shipped;
  let [text, more] = [baseline, ''];
  switch (name) {
    case 'postern, workers: cores':
      more = 'workers: cores\n';
      break;
    case 'postern, no rules':
      text = 'version: 1\nbefore:\n  - { name: never, when: { helo: { is: nobody } }, then: relay }\n';
      break;
    case 'postern, 1,000 rules more':
      text = withRules(baseline, Array.from({ length: RULES }, (_, index) => ruleOf(index)).join(''));
      break;
    case 'postern, 1,371 taboo patterns more':
      writeFileSync(join(folder, 'taboo.txt'), tabooPatterns());
      text = withRules(
        baseline,
        '  - { name: taboo, roles: [post], when: { taboo: taboo.txt }, then: { reject: Not here. } }\n',
      );
      break;
    case 'postern, one list':
      more = listsIn(join(sandbox.folder, 'one-list'), 1);
      break;
    case 'postern, 100,000 lists':
      more = listsIn(join(sandbox.folder, 'many-lists'), LISTS);
  }
  writeFileSync(system, text);
  return { system, more: large ? `${more}limits: { message: 50 MB }\n` : more };
}

/** The cases of the baseline need not be run for what follows. */
function withoutCases(baseline: string): string {
  return baseline.replace(/^tests:[\s\S]*/m, '');
}

/** Behind those that the baseline has before. */
function withRules(baseline: string, rules: string): string {
  return withoutCases(baseline).replace(/^after:/m, `${rules}\nafter:`);
}

/** What sites write by the hundred: subjects, programs, addresses, words of the text. */
function ruleOf(index: number): string {
  const conditions = [
    `subject: { contains: "offer no ${index}" }`,
    `subject: { regex: '\\bcheap (watch|pill)${index}\\b' }`,
    `header: { name: X-Mailer, contains: "bulk ${index}" }`,
    `author: { is: spammer${index}@example.net }`,
    `author: { domain: bulk${index}.example }`,
    `envelope_from: { like: "*@*.bulk${index}.example" }`,
    `body: { contains: "best of offers ${index}" }`,
  ];
  const when = conditions[index % conditions.length] ?? '';
  return `  - { name: more-${index}, roles: [post], when: { ${when} }, then: { reject: Not here. } }\n`;
}

/** Those of a list manager of long ago, or as many made up where they are not there. */
function tabooPatterns(): string {
  if (!existsSync(TABOO)) {
    return Array.from({ length: 1371 }, (_, index) => `body: m!www\\.offer-${index * 7919}\\.example!i\n`).join('');
  }
  const rows = readFileSync(TABOO, 'utf8').trim().split('\n');
  return rows
    .map((row): { scope: string; disabled: boolean; perl: string } => JSON.parse(row))
    .map(({ scope, disabled, perl }) => (disabled ? `${perl}\n` : `${scope}: ${perl}\n`))
    .join('');
}

/** Lines of the configuration for so many lists; their files are written where they are not there yet. */
function listsIn(folder: string, count: number): string {
  if (!existsSync(folder)) writeLists(folder, count);
  return `  lists: { folder: ${folder}, layout: ${LAYOUT.scheme}, depth: ${LAYOUT.depth} }\n`;
}

function writeLists(folder: string, count: number): void {
  const made = new Set<string>();
  for (let index = 0; index < count; index += 1) {
    const name = index === 0 ? 'gardeners' : `list-${index}`;
    const file = join(folder, DOMAIN, ...layoutFolders(LAYOUT, name), `${name}.yaml`);
    if (!made.has(dirname(file))) mkdirSync(dirname(file), { recursive: true });
    made.add(dirname(file));
    writeFileSync(
      file,
      `version: 1\nrules:\n  - { name: no-tests, when: { subject: { is: test } }, then: { reject: "No." } }\n`,
    );
  }
}
