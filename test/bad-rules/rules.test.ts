/**
 * Mistakes in rules: each folder r??-* or b??-* holds a file that must not load, or loads with a warning, and exactly what is said
 * about it. `system.yaml` is the system's file, `gardeners.yaml` and `_default.yaml` are files of lists.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isWarning } from '../../src/core/diagnostic.ts';
import { loadRuleset } from '../../src/rules/load.ts';
import { PatternCache } from '../../src/rules/pattern.ts';
import { formatDiagnostic } from '../../src/yaml/frame.ts';

const ROOT = 'test/bad-rules';
const folders = readdirSync(ROOT)
  .filter((name) => /^[br]\d\d-/.test(name))
  .sort();

test('there are mistakes to look at', () => assert.ok(folders.length >= 30));

for (const folder of folders) {
  test(folder, () => {
    const file = readdirSync(join(ROOT, folder)).find((name) => name.endsWith('.yaml')) ?? '';
    const text = readFileSync(join(ROOT, folder, file), 'utf8');
    const { ruleset, diagnostics } = loadRuleset({
      file,
      text,
      scope: file === 'system.yaml' ? 'system' : 'list',
      list: file === 'gardeners.yaml' ? 'gardeners@lists.example.org' : null,
      downstreams: ['mailman', 'archive'],
      patterns: new PatternCache(),
      now: () => 0,
    });
    const said = diagnostics.map((diagnostic) => `${formatDiagnostic(diagnostic, text)}\n`).join('');
    assert.equal(said, readFileSync(join(ROOT, folder, 'expected.txt'), 'utf8'));
    assert.equal(
      ruleset === null,
      diagnostics.some((diagnostic) => !isWarning(diagnostic)),
    );
  });
}
