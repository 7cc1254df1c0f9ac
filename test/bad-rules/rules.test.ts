/**
 * Mistakes in rules: each folder without a postern.yaml holds a file that must not load, or loads with a warning, and
 * exactly what is said about it. `gardeners.yaml` and `_default.yaml` are files of lists; `system.yaml` is the system's
 * file, or beside one of them what is in force. Any other file is a preset; those that lists extend are in presets/.
 * `may.json` holds what lists may do there.
 * `UPDATE_EXPECTED=1` writes what is told now: read it before it is committed.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isWarning } from '../../src/core/diagnostic.ts';
import { loadPreset, loadRuleset } from '../../src/rules/load.ts';
import { type ListsMay, TIGHTEN_ONLY } from '../../src/rules/may.ts';
import { PatternCache } from '../../src/rules/pattern.ts';
import { openPresets } from '../../src/rules/presets.ts';
import { formatDiagnostic } from '../../src/yaml/frame.ts';

const ROOT = 'test/bad-rules';
const NOW = Date.UTC(2026, 10, 23);
const SUBJECTS = ['gardeners.yaml', '_default.yaml', 'system.yaml'];
const folders = readdirSync(ROOT)
  .filter((name) => /^[a-z]\d\d-/.test(name) && !existsSync(join(ROOT, name, 'postern.yaml')))
  .sort();

test('there are mistakes to look at', () => assert.ok(folders.length >= 30));

function mayOf(folder: string): ListsMay {
  return { ...TIGHTEN_ONLY, ...(JSON.parse(read(folder, 'may.json') ?? '{}') as Partial<ListsMay>) };
}

function isPreset(file: string): boolean {
  return !SUBJECTS.includes(file);
}

function presetIn(folder: string): string {
  return readdirSync(join(ROOT, folder)).find((name) => name.endsWith('.yaml')) ?? '';
}

function read(folder: string, file: string): string | null {
  const path = join(ROOT, folder, file);
  return existsSync(path) ? readFileSync(path, 'utf8') : null;
}

for (const folder of folders) {
  test(folder, () => {
    const shared = {
      downstreams: ['mailman', 'archive', 'junk'],
      maildirs: ['junk'],
      patterns: new PatternCache(),
      now: () => NOW,
    };
    const asSystem = (text: string) =>
      loadRuleset({ ...shared, file: 'system.yaml', text, scope: 'system', list: null });
    const presets = openPresets(join(ROOT, 'presets'), shared).presets;
    const file = SUBJECTS.find((name) => read(folder, name) !== null) ?? presetIn(folder);
    const text = read(folder, file) ?? '';
    const ofSystem = read(folder, 'system.yaml');
    const list = file === 'gardeners.yaml' ? 'gardeners@lists.example.org' : null;
    const system = ofSystem === null ? null : asSystem(ofSystem).ruleset;
    const { diagnostics, ...loaded } = isPreset(file)
      ? loadPreset({ ...shared, file, text })
      : file === 'system.yaml'
        ? asSystem(text)
        : loadRuleset({ ...shared, file, text, scope: 'list', list, system, presets, may: mayOf(folder) });
    const said = diagnostics.map((diagnostic) => `${formatDiagnostic(diagnostic, text)}\n`).join('');
    const expected = join(ROOT, folder, 'expected.txt');
    if (process.env['UPDATE_EXPECTED'] === '1') writeFileSync(expected, said);
    assert.equal(said, readFileSync(expected, 'utf8'));
    assert.equal(
      Object.values(loaded).includes(null),
      diagnostics.some((diagnostic) => !isWarning(diagnostic)),
    );
  });
}
