/**
 * Files of lists are compiled when they change, and only then.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ListRulesets } from '../../src/rules/list-rulesets.ts';
import type { LoadedRuleset } from '../../src/rules/load.ts';
import { memoryLog } from './facts.ts';

const GOOD: LoadedRuleset = {
  ruleset: { file: 'x.yaml', trustResultsFrom: [], layers: { before: [], rules: [], after: [] }, skip: new Set() },
  diagnostics: [],
  setFiles: [],
  cases: [],
};

test('a file is loaded once for each version of it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-lists-'));
  try {
    const file = join(folder, 'x.yaml');
    let clock = 0;
    const loads: string[] = [];
    const load = (_: string, text: string): LoadedRuleset => {
      loads.push(text);
      return text === 'broken' ? { ...GOOD, ruleset: null } : GOOD;
    };
    const rulesets = new ListRulesets({ load, log: memoryLog(), now: () => clock });
    const ask = async (): Promise<void> => {
      clock += 2000;
      await rulesets.find(file, 'x@example.org');
    };
    await ask();
    for (const text of ['one', 'broken', 'three']) {
      writeFileSync(file, text);
      await ask();
      await ask();
    }
    assert.deepEqual(loads, ['one', 'broken', 'three']);
    rulesets.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a bug while loading sets the file aside, and no more', async () => {
  const log = memoryLog();
  const load = (): LoadedRuleset => {
    throw new TypeError('a bug');
  };
  const rulesets = new ListRulesets({ load, log, now: () => 0 });
  const { ruleset, unavailable } = await rulesets.find('package.json', 'x@example.org');
  assert.deepEqual([ruleset, unavailable], [null, 'a bug']);
  assert.deepEqual(
    log.lines.map(({ event }) => event),
    ['list-rules-set-aside'],
  );
});
