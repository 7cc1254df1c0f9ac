/**
 * Every YAML example of the documentation loads, and its cases hold; a mistake that is shown is told as shown.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseConfig } from '../../src/config/load.ts';
import type { Diagnostic } from '../../src/core/diagnostic.ts';
import { CaseRunner } from '../../src/rules/case-runner.ts';
import { type LoadedRuleset, loadPreset, loadRuleset } from '../../src/rules/load.ts';
import { PatternCache } from '../../src/rules/pattern.ts';
import { openPresets } from '../../src/rules/presets.ts';
import { formatDiagnostic } from '../../src/yaml/frame.ts';
import { type Example, examplesIn, FILE_NAMES } from './examples.ts';

const GENERATED = ['reference.md', 'configuration.md'];
const pages = [
  'README.md',
  ...readdirSync('docs')
    .filter((name) => name.endsWith('.md') && !GENERATED.includes(name))
    .map((name) => join('docs', name)),
  ...readdirSync('examples', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('examples', name)),
].sort();

const shared = { downstreams: ['archive', 'mailman'], maildirs: ['junk'], patterns: new PatternCache(), now: Date.now };
const { presets } = openPresets('rules/presets', shared);
const LIST = 'gardeners@lists.example.org';

function print(diagnostics: readonly Diagnostic[], text: string): string {
  return diagnostics.map((diagnostic) => `${formatDiagnostic(diagnostic, text)}\n`).join('');
}

function loadRules({ kind, text }: Example, system: LoadedRuleset | null): LoadedRuleset {
  const file = FILE_NAMES[kind];
  if (kind === 'system') return loadRuleset({ ...shared, file, text, scope: 'system', list: null });
  return loadRuleset({ ...shared, file, text, scope: 'list', list: LIST, presets, system: system?.ruleset ?? null });
}

/** What is said of the example, with what its cases come to. */
async function told(example: Example, system: Example | null): Promise<string> {
  const { kind, text } = example;
  if (kind === 'configuration') return print(parseConfig(FILE_NAMES[kind], text).diagnostics, text);
  if (kind === 'preset') {
    const [, name = 'preset'] = /^preset: (\S+)$/m.exec(text) ?? [];
    return print(loadPreset({ ...shared, file: `${name}.yaml`, text }).diagnostics, text);
  }
  const ofSystem = system === null ? null : loadRules(system, null);
  const loaded = loadRules(example, kind === 'list' ? ofSystem : null);
  const runner = new CaseRunner({
    system: kind === 'list' && system !== null ? { file: 'system.yaml', text: system.text } : null,
    lists: null,
    dialect: 'mailman',
    load: { ...shared, presets },
  });
  const list = kind === 'list' ? LIST : null;
  const results = await runner.run(runner.load({ file: FILE_NAMES[kind], text, scope: kind, list }), 'own');
  const failed = results.flatMap(({ name, failure }) =>
    failure === null ? [] : [`case "${name}": expected ${failure.expected}, got ${failure.got}\n`],
  );
  if (example.cases && loaded.ruleset !== null) assert.ok(results.length > 0, 'no case was run');
  return print(loaded.diagnostics, text) + failed.join('');
}

for (const page of pages) {
  const examples = examplesIn(page, readFileSync(page, 'utf8'));
  for (const [index, example] of examples.entries()) {
    test(example.place, async () => {
      const system = examples.slice(0, index).findLast(({ kind, told: wrong }) => kind === 'system' && wrong === null);
      assert.equal(await told(example, system ?? null), example.told ?? '', example.text);
    });
  }
}
