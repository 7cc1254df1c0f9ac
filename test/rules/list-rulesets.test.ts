/**
 * Files of lists are compiled when they change, and only then.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ListRulesets, rememberLastGood, type RulesFiles } from '../../src/rules/list-rulesets.ts';
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

/** Files in memory that count what is asked of them. */
function counted(texts: Record<string, string>) {
  const asked = { version: 0, read: 0 };
  const files: RulesFiles = {
    async version(file) {
      asked.version += 1;
      const text = texts[file];
      if (text === undefined) throw Object.assign(new Error('none'), { code: 'ENOENT' });
      return text;
    },
    async read(file) {
      asked.read += 1;
      return Buffer.from(texts[file] ?? '');
    },
  };
  return { asked, files, texts };
}

const loadCounted = (_: string, text: string): LoadedRuleset =>
  text.startsWith('broken') ? { ...GOOD, ruleset: null } : GOOD;

test('nothing is touched at the start, and a file not again within two seconds', async () => {
  const { asked, files } = counted({ 'a.yaml': 'a', 'b.yaml': 'b' });
  let clock = 0;
  const rulesets = new ListRulesets({ load: loadCounted, log: memoryLog(), now: () => clock, files });
  assert.deepEqual(asked, { version: 0, read: 0 });
  await rulesets.find('a.yaml', 'a@example.org');
  assert.deepEqual(asked, { version: 1, read: 1 });
  for (clock of [0, 1, 1000, 1999]) {
    const found = rulesets.find('a.yaml', 'a@example.org');
    assert.ok(!(found instanceof Promise));
    assert.equal(found.ruleset, GOOD.ruleset);
  }
  assert.deepEqual(asked, { version: 1, read: 1 });
  clock = 2000;
  await rulesets.find('a.yaml', 'a@example.org');
  assert.deepEqual(asked, { version: 2, read: 1 });
  await rulesets.find('none.yaml', 'none@example.org');
  assert.ok(!(rulesets.find('none.yaml', 'none@example.org') instanceof Promise));
  assert.deepEqual(asked, { version: 3, read: 1 });
});

test('mail for more lists than are kept is served, and the oldest are read again', async () => {
  const names = Array.from({ length: 10 }, (_, index) => `${index}.yaml`);
  const { asked, files } = counted(Object.fromEntries(names.map((name) => [name, name])));
  const rulesets = new ListRulesets({ load: loadCounted, log: memoryLog(), now: () => 0, files, maxRulesets: 4 });
  for (const name of names) await rulesets.find(name, name);
  assert.equal(asked.read, 10);
  for (const name of names.slice(6)) assert.ok(!(rulesets.find(name, name) instanceof Promise));
  await rulesets.find('0.yaml', '0');
  assert.equal(asked.read, 11);
});

test('whoever keeps a ruleset is told when it leaves: for want of room, changed, or gone', async () => {
  const { files, texts } = counted({ 'a.yaml': 'a', 'b.yaml': 'b' });
  let [clock, told] = [0, 0];
  const left = (): void => {
    told += 1;
  };
  const options = { load: loadCounted, log: memoryLog(), now: () => clock, files, maxRulesets: 1, left };
  const rulesets = new ListRulesets(options);
  const ask = async (name: string): Promise<number> => {
    clock += 2000;
    await rulesets.find(name, name);
    return told;
  };
  assert.deepEqual([await ask('a.yaml'), await ask('a.yaml')], [0, 0]);
  assert.equal(await ask('b.yaml'), 1);
  texts['b.yaml'] = 'changed';
  assert.equal(await ask('b.yaml'), 2);
  texts['b.yaml'] = 'broken';
  assert.equal(await ask('b.yaml'), 2);
  delete texts['b.yaml'];
  assert.equal(await ask('b.yaml'), 3);
});

test('a large file leaves less room for others', async () => {
  const { asked, files } = counted({ 'a.yaml': 'a', 'b.yaml': 'b', 'large.yaml': '#'.repeat(6000) });
  const rulesets = new ListRulesets({ load: loadCounted, log: memoryLog(), now: () => 0, files, maxRulesets: 4 });
  for (const name of ['a.yaml', 'b.yaml', 'large.yaml', 'b.yaml']) await rulesets.find(name, name);
  assert.equal(asked.read, 3);
  await rulesets.find('a.yaml', 'a');
  assert.equal(asked.read, 4);
});

test('the last good ruleset leaves with the others, and then the list is unavailable', async () => {
  const { files, texts } = counted({ 'a.yaml': 'good', 'b.yaml': 'b' });
  let clock = 0;
  const rulesets = new ListRulesets({ load: loadCounted, log: memoryLog(), now: () => clock, files, maxRulesets: 1 });
  const ask = async (name: string) => {
    clock += 2000;
    const { ruleset, unavailable } = await rulesets.find(name, name);
    return [ruleset === GOOD.ruleset, unavailable === null];
  };
  assert.deepEqual(await ask('a.yaml'), [true, true]);
  texts['a.yaml'] = 'broken';
  assert.deepEqual(await ask('a.yaml'), [true, true]);
  assert.deepEqual(await ask('b.yaml'), [true, true]);
  assert.deepEqual(await ask('a.yaml'), [false, false]);
});

test('a last good text is loaded once after a reload, and a bug in that is no more than a list without rules', async () => {
  const { files, texts } = counted({ 'a.yaml': 'good', 'b.yaml': 'good' });
  const lastGood = rememberLastGood();
  const log = memoryLog();
  let clock = 0;
  let loads: string[] = [];
  const reload = (bug: boolean) =>
    new ListRulesets({
      load: (file, text) => {
        loads.push(text);
        if (bug && text === 'good') throw new TypeError('a bug');
        return loadCounted(file, text);
      },
      log,
      lastGood,
      now: () => clock,
      files,
    });
  const first = reload(false);
  for (const name of ['a.yaml', 'b.yaml']) await first.find(name, name);
  texts['a.yaml'] = 'broken';
  for (const bug of [false, true]) {
    loads = [];
    const rulesets = reload(bug);
    for (let look = 0; look < 3; look += 1, clock += 2000) {
      const { ruleset, unavailable } = await rulesets.find('a.yaml', 'a');
      assert.deepEqual([ruleset, unavailable], bug ? [null, ''] : [GOOD.ruleset, null]);
    }
    assert.deepEqual(loads, ['broken', 'good']);
  }
  assert.deepEqual(
    log.lines.map(({ event, detail }) => [event, detail['inForce']]),
    [
      ['list-rules-set-aside', 'the last good ones'],
      ['last-good-list-rules', undefined],
      ['list-rules-set-aside', 'none: mail is deferred'],
    ],
  );
});

test('last good texts are bounded, and leave as rulesets do', async () => {
  const { files, texts } = counted({ 'a.yaml': 'a', 'b.yaml': 'b', 'large.yaml': '#'.repeat(6000) });
  const lastGood = rememberLastGood(4);
  const reload = () => new ListRulesets({ load: loadCounted, log: memoryLog(), lastGood, now: () => 0, files });
  const before = reload();
  for (const name of ['a.yaml', 'b.yaml', 'large.yaml']) await before.find(name, name);
  for (const name of Object.keys(texts)) texts[name] = 'broken';
  const after = reload();
  const unavailable: (string | null)[] = [];
  for (const name of Object.keys(texts)) unavailable.push((await after.find(name, name)).unavailable);
  assert.deepEqual(unavailable, ['', null, null]);
});
