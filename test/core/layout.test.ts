/**
 * Folders of a layout: those of sendmail's mail.local, and never a way out.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { DEEPEST_LAYOUT, LAYOUT_SCHEMES, type Layout, layoutFolders, PLAIN } from '../../src/core/layout.ts';

const vectors: readonly { name: string; layout: Layout; expect: string }[] = [
  { name: 'user', layout: PLAIN, expect: '' },
  { name: 'user', layout: { scheme: 'user', depth: 3 }, expect: 'u/s/e' },
  { name: 'x', layout: { scheme: 'user', depth: 3 }, expect: 'x/_/_' },
  { name: 'mixedCase', layout: { scheme: 'user', depth: 6 }, expect: 'm/i/x/e/d/C' },
  { name: 'user', layout: { scheme: 'md5', depth: 3 }, expect: '7/h/H' },
  { name: 'u69', layout: { scheme: 'md5', depth: 3 }, expect: '4/_/8' },
  { name: 'u98', layout: { scheme: 'md5', depth: 2 }, expect: '+/3' },
  { name: 'mixedCase', layout: { scheme: 'md5', depth: 1 }, expect: '8' },
  { name: '..a', layout: { scheme: 'user', depth: 3 }, expect: '_/_/a' },
  { name: 'a/\0', layout: { scheme: 'user', depth: 3 }, expect: 'a/_/_' },
  { name: 'gärtner', layout: { scheme: 'user', depth: 2 }, expect: 'g/ä' },
];

for (const { name, layout, expect } of vectors) {
  test(`${JSON.stringify(name)} in ${layout.scheme} ${layout.depth}`, () => {
    assert.equal(layoutFolders(layout, name).join('/'), expect);
  });
}

test('the vectors of the real mail.local', (t) => {
  const file = resolve('..', 'shared', 'mta', 'transcripts', 'C-maillocal-hash-vectors.txt');
  if (!existsSync(file)) {
    t.skip(`NOT RUN: ${file} is missing`);
    return;
  }
  const lines = [...readFileSync(file, 'utf8').matchAll(/^(\S+)\s+-H ([um])(\d+)\s+\/var\/mail\/(\S+)$/gm)];
  assert.ok(lines.length >= 48, `${lines.length} vectors`);
  for (const [line, name = '', scheme, depth, path] of lines) {
    const layout: Layout = { scheme: scheme === 'u' ? 'user' : 'md5', depth: Number(depth) };
    assert.equal([...layoutFolders(layout, name), name].join('/'), path, line);
  }
});

test('each level is one folder below the one before, whatever the name', () => {
  const nasty = fc.array(fc.constantFrom('.', '/', '\\', '\0', '-', '~', '_', 'a', 'Ä', '\u2215', '\ud800', '😀'));
  const name = fc.oneof(
    nasty.map((parts) => parts.join('')),
    fc.string({ unit: 'binary', maxLength: 300 }),
  );
  const depth = fc.integer({ min: 1, max: DEEPEST_LAYOUT });
  fc.assert(
    fc.property(name, fc.constantFrom(...LAYOUT_SCHEMES), depth, (given, scheme, levels) => {
      const folders = layoutFolders({ scheme, depth: levels }, given);
      assert.equal(folders.length, scheme === 'plain' ? 0 : levels);
      assert.equal(join('/spool', ...folders).split('/').length, folders.length + 2);
      for (const folder of folders) assert.ok([...folder].length === 1 && !/[./\0]/.test(folder));
    }),
    { numRuns: 1000, seed: 1 },
  );
});
