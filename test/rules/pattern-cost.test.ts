/**
 * What patterns may cost on long texts: hostile patterns on the bodies that they were made for, counted in instructions
 * times characters, never in time.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RE2JS } from 're2js';
import { TEXT_WINDOW } from '../../src/mail/body.ts';
import { foldForMatch } from '../../src/mail/text.ts';
import { LONGEST_TURN, spentThisTurn } from '../../src/rules/pace.ts';
import { BUDGET, MOST_AT_ONCE, PatternCache, TooCostly } from '../../src/rules/pattern.ts';
import { missingCorpus, truthOf } from '../support/wire-corpus.ts';
import { requiredLiterals } from '../../src/rules/required-literals.ts';
import { memoryLog } from './facts.ts';
import { evaluate, rulesetOf } from './load.ts';

interface Hostile {
  readonly pattern?: string;
  readonly pattern_python?: string;
  readonly attack?: { readonly prefix: string; readonly pump: string; readonly suffix: string };
}

const FILES = [
  'recheck-suite',
  'redos-detector-cases',
  'regexlib-attacks-a',
  'regexploit-cases',
  'vuln-regex-detector',
];
const BODY = 100 * 1024;

/** 100 KB that the pattern was made to suffer from, or of letters that such patterns repeat. */
function bodyFor({ attack }: Hostile): string {
  const { prefix, pump, suffix } = attack ?? { prefix: '', pump: 'a', suffix: '!' };
  const room = BODY - prefix.length - suffix.length;
  const pumps = pump === '' ? '' : pump.repeat(Math.ceil(room / pump.length)).slice(0, room);
  return `${prefix}${pumps}${suffix}`;
}

/** The rows that can be loaded as patterns, with a body of 100 KB that each was made to suffer from. */
function hostile(): { readonly rows: number; readonly asked: readonly (readonly [string, string])[] } {
  const rows = FILES.flatMap((name) => truthOf<Hostile>(`tables/redos/${name}.jsonl`));
  const cache = new PatternCache();
  const asked = rows.flatMap((row) => {
    const pattern = row.pattern ?? row.pattern_python ?? '';
    const problem = pattern.length > 500 || pattern === '' || cache.forFile().check(pattern, 'folded') !== null;
    return problem ? [] : [[pattern, foldForMatch(bodyFor(row))] as const];
  });
  cache.close();
  return { rows: rows.length, asked };
}

test('783 hostile patterns cost no more than is charged for them, and that is bounded', (t) => {
  if (missingCorpus !== null) {
    t.skip(missingCorpus);
    return;
  }
  const { rows, asked } = hostile();
  const cache = new PatternCache();
  const patterns = cache.forFile();
  let [largest, free] = [0, 0];
  for (const [pattern, body] of asked) {
    const size = RE2JS.compile(`(?i)${pattern}`).programSize();
    const steps = size * Math.min(body.length, TEXT_WINDOW, Math.floor(MOST_AT_ONCE / size));
    const account = {};
    const found = patterns.pattern(pattern, 'folded', TEXT_WINDOW).test(body, account);
    largest = Math.max(largest, steps);
    // What lacks a literal of the pattern is not gone through; else exactly so much of the budget is gone, or less.
    assert.doesNotThrow(() => patterns.charge(BUDGET - steps, account), pattern);
    if (found || requiredLiterals(pattern) === null) {
      assert.throws(() => patterns.charge(steps, account), TooCostly, pattern);
    } else free += 1;
  }
  cache.close();
  t.diagnostic(`${asked.length} of ${rows} patterns can be loaded; the dearest question took ${largest} steps`);
  assert.equal(rows, 783);
  assert.ok(asked.length > 400);
  assert.ok(free < asked.length / 2);
  assert.ok(largest <= MOST_AT_ONCE);
});

test('with hostile patterns one turn of the process is never long', async (t) => {
  if (missingCorpus !== null) {
    t.skip(missingCorpus);
    return;
  }
  const { asked } = hostile();
  await new Promise((resolve) => void setImmediate(resolve));
  let [longest, deferred] = [0, 0];
  for (let at = 0; at < asked.length; at += 20) {
    const some = asked.slice(at, at + 20);
    const list = rulesetOf('list', rules(`regex: [${some.map(([pattern]) => JSON.stringify(pattern)).join(', ')}]`));
    const [, body = ''] = some[0] ?? [];
    const watch = (): void => {
      longest = Math.max(longest, spentThisTurn());
    };
    const verdict = evaluate({ list }, { header: `Subject: ${body.slice(0, 8000)}`, body });
    watch();
    let open = true;
    const settled = verdict.finally(() => {
      open = false;
    });
    // A turn ends where the promise is not settled by it.
    while (open) {
      await Promise.resolve();
      watch();
      await new Promise((resolve) => void setImmediate(resolve));
    }
    if ((await settled).kind === 'defer') deferred += 1;
  }
  t.diagnostic(`the longest turn took ${longest} steps; ${deferred} bodies were deferred`);
  assert.ok(longest > 0);
  assert.ok(longest <= LONGEST_TURN + MOST_AT_ONCE, `${longest}`);
});

function rules(words: string): string {
  return `version: 1\nrules:\n  - { name: a, when: { body: { ${words} } }, then: { reject: "no" } }`;
}

test('a body on which the patterns of a rule take too long is deferred, and logged', async () => {
  const some = Array.from({ length: 20 }, () => '"(a|b)*a(a|b){20}[c-z]"');
  const log = memoryLog();
  const list = rulesetOf('list', rules(`regex: [${some.join(', ')}]`));
  const verdict = await evaluate({ list }, { body: 'ab'.repeat(50_000) }, { log });
  assert.equal(verdict.kind, 'defer');
  assert.equal(log.lines.length, 1);
});

test('patterns with marks are charged too', async () => {
  const some = Array.from({ length: 20 }, (_, index) => `"*${'?a'.repeat(100)}?${'?'.repeat(index)}*"`);
  const list = rulesetOf('list', rules(`like: [${some.join(', ')}]`));
  assert.equal((await evaluate({ list }, { body: 'aab'.repeat(33_000) })).kind, 'defer');
});

test('a pattern sees the whole window of a body, unless it is very large', async () => {
  const body = `${'x '.repeat(TEXT_WINDOW / 2 - 10)}tulips`;
  assert.equal((await evaluate({ list: rulesetOf('list', rules('regex: "tulips?"')) }, { body })).kind, 'reject');
  assert.equal((await evaluate({ list: rulesetOf('list', rules('contains: tulips')) }, { body })).kind, 'reject');
  assert.equal((await evaluate({ list: rulesetOf('list', rules('like: "*t?lips"')) }, { body })).kind, 'reject');
});

test('others have their turn while a body is searched', async () => {
  // Of long literals the ends are looked for, and these are all alike.
  const values = Array.from({ length: 3000 }, (_, index) => `${index} tulips that all stand in a row`);
  const list = rulesetOf('list', rules(`contains: [${values.join(', ')}]`));
  let searching = true;
  let turns = 0;
  const count = (): void => {
    turns += 1;
    if (searching) setImmediate(count);
  };
  setImmediate(count);
  assert.equal((await evaluate({ list }, { body: 'tulips that all stand in a row '.repeat(3000) })).kind, 'relay');
  searching = false;
  assert.ok(turns > 1);
});

test('patterns and words whose literals are missing cost nothing, however many they are', async () => {
  const some = Array.from({ length: 900 }, (_, index) => `"(a|b)*word${index}(a|b){20}c"`);
  const list = rulesetOf('list', rules(`regex: [${some.join(', ')}]`));
  const log = memoryLog();
  assert.equal((await evaluate({ list }, { body: 'ab'.repeat(50_000) }, { log })).kind, 'relay');
  assert.deepEqual(log.lines, []);
});

test('a file may say that rules are set aside where they take too long; the rules behind them are asked', async () => {
  const some = Array.from({ length: 20 }, () => '"(a|b)*a(a|b){20}[c-z]"');
  const text = [
    'version: 1',
    'if_too_costly: skip',
    'rules:',
    `  - { name: dear, when: { body: { regex: [${some.join(', ')}] } }, then: { reject: dear } }`,
    `  - { name: cheap, when: { body: { contains: abab } }, then: { reject: cheap } }`,
  ].join('\n');
  for (const [ending, kind, lines] of [
    ['', 'reject', 1],
    ['if_too_costly: defer', 'defer', 1],
  ] as const) {
    const log = memoryLog();
    const list = rulesetOf('list', ending === '' ? text : text.replace('if_too_costly: skip', ending));
    const verdict = await evaluate({ list }, { body: `${'ab'.repeat(50_000)}` }, { log });
    assert.equal(verdict.kind, kind);
    assert.equal(log.lines.length, lines);
    assert.equal(verdict.rule, kind === 'reject' ? 'cheap' : 'dear');
  }
});
