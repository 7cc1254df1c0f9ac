/**
 * What patterns may cost on long texts: hostile patterns on the bodies that they were made for, counted in instructions
 * times characters, never in time.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RE2JS } from 're2js';
import { TEXT_WINDOW } from '../../src/mail/body.ts';
import { BUDGET, MOST_AT_ONCE, PatternCache } from '../../src/rules/pattern.ts';
import { missingCorpus, truthOf } from '../support/wire-corpus.ts';
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

test('783 hostile patterns cost no more than is charged for them, and that is bounded', (t) => {
  if (missingCorpus !== null) {
    t.skip(missingCorpus);
    return;
  }
  const rows = FILES.flatMap((name) => truthOf<Hostile>(`tables/redos/${name}.jsonl`));
  const cache = new PatternCache();
  let asked = 0;
  let largest = 0;
  for (const row of rows) {
    const pattern = row.pattern ?? row.pattern_python ?? '';
    const source = `(?i)${pattern}`;
    const patterns = cache.forFile();
    if (pattern.length > 500 || patterns.check(source) !== null) continue;
    const size = RE2JS.compile(source).programSize();
    const steps = size * Math.min(TEXT_WINDOW, Math.floor(MOST_AT_ONCE / size));
    const account = {};
    patterns.test(source, bodyFor(row), account, TEXT_WINDOW);
    asked += 1;
    largest = Math.max(largest, steps);
    // Exactly so much of the budget is gone.
    patterns.charge(BUDGET - steps, account);
    assert.throws(() => patterns.charge(1, account), /too long/, pattern);
  }
  cache.close();
  t.diagnostic(`${asked} of ${rows.length} patterns can be loaded; the dearest question took ${largest} steps`);
  assert.equal(rows.length, 783);
  assert.ok(asked > 400);
  assert.ok(largest <= MOST_AT_ONCE);
});

function rules(words: string): string {
  return `version: 1\nrules:\n  - { name: a, when: { body: { ${words} } }, then: { reject: "no" } }`;
}

test('a body on which the patterns of a rule take too long is deferred, and logged', async () => {
  const some = Array.from({ length: 20 }, (_, index) => `"(a|b)*a(a|b){20}${index}c"`);
  const log = memoryLog();
  const list = rulesetOf('list', rules(`regex: [${some.join(', ')}]`));
  const verdict = await evaluate({ list }, { body: 'ab'.repeat(50_000) }, { log });
  assert.equal(verdict.kind, 'defer');
  assert.equal(log.lines.length, 1);
});

test('patterns with marks are charged too', async () => {
  const some = Array.from({ length: 20 }, (_, index) => `"*${'?a'.repeat(100)}${index}*"`);
  const list = rulesetOf('list', rules(`like: [${some.join(', ')}]`));
  assert.equal((await evaluate({ list }, { body: 'a'.repeat(100_000) })).kind, 'defer');
});

test('a pattern sees the whole window of a body, unless it is very large', async () => {
  const body = `${'x '.repeat(TEXT_WINDOW / 2 - 10)}tulips`;
  assert.equal((await evaluate({ list: rulesetOf('list', rules('regex: "tulips?"')) }, { body })).kind, 'reject');
  assert.equal((await evaluate({ list: rulesetOf('list', rules('contains: tulips')) }, { body })).kind, 'reject');
  assert.equal((await evaluate({ list: rulesetOf('list', rules('like: "*t?lips"')) }, { body })).kind, 'reject');
});

test('others have their turn while a body is searched', async () => {
  const values = Array.from({ length: 3000 }, (_, index) => `word${index}`);
  const list = rulesetOf('list', rules(`contains: [${values.join(', ')}]`));
  let searching = true;
  let turns = 0;
  const count = (): void => {
    turns += 1;
    if (searching) setImmediate(count);
  };
  setImmediate(count);
  assert.equal((await evaluate({ list }, { body: 'word '.repeat(20_000) })).kind, 'relay');
  searching = false;
  assert.ok(turns > 0);
});
