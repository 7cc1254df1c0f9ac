/**
 * Every folder here that holds a postern.yaml is a mistake that an operator makes; expected.txt is what they are told.
 * The files must not load. `UPDATE_EXPECTED=1` writes what is told now: read it before it is committed.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseConfig } from '../../src/config/load.ts';
import { formatDiagnostic } from '../../src/yaml/frame.ts';

const root = join('test', 'bad-rules');
const folders = readdirSync(root)
  .filter((name) => existsSync(join(root, name, 'postern.yaml')))
  .sort();

test('there are configurations to try', () => assert.ok(folders.length >= 20));

for (const name of folders) {
  test(name, () => {
    const text = readFileSync(join(root, name, 'postern.yaml'), 'utf8');
    const { config, diagnostics } = parseConfig('postern.yaml', text);
    assert.equal(config, null);
    const told = `${diagnostics.map((diagnostic) => formatDiagnostic(diagnostic, text)).join('\n')}\n`;
    const expected = join(root, name, 'expected.txt');
    if (process.env['UPDATE_EXPECTED'] === '1') writeFileSync(expected, told);
    assert.equal(told, readFileSync(expected, 'utf8'));
  });
}
