/**
 * docs/dialogue-tests.md: every rule has its line, every test that is named exists, every override of the library is there.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const page = readFileSync(join('docs', 'dialogue-tests.md'), 'utf8');

/** The lines of the table below the heading, cell by cell, without its head. */
function tableOf(heading: string): readonly (readonly string[])[] {
  const section = page.split(/^## /m).find((part) => part.startsWith(heading)) ?? '';
  const lines = section.split('\n').filter((line) => line.startsWith('| '));
  return lines.slice(1).map((line) => line.slice(2, -2).split(' | '));
}

const law = tableOf('The law');
const rules = tableOf('What other servers');
const corrections = tableOf('The library');

test('every law and every rule has its line', () => {
  const numbers = (rows: typeof law): string[] => rows.map(([what = '']) => what.split(' ')[0] ?? '');
  assert.deepEqual(
    numbers(law),
    Array.from({ length: 11 }, (_, index) => `${index + 1}`),
  );
  assert.deepEqual(
    numbers(rules),
    Array.from({ length: 34 }, (_, index) => `${index + 1}`),
  );
  const [, laws = ''] = readFileSync(join('docs', 'dialogue.md'), 'utf8').split(/^## .*$/m);
  assert.equal(laws.match(/^\d+\. /gm)?.length, law.length, 'docs/dialogue.md has as many');
});

test('every method of the library that is overridden has its line', () => {
  const folder = join('src', 'server');
  const overridden = readdirSync(folder).flatMap((name) =>
    [...readFileSync(join(folder, name), 'utf8').matchAll(/^ {2}override (\w+)\(/gm)].map((match) => match[1] ?? ''),
  );
  const told = corrections.flatMap(([methods = '']) => methods.replaceAll('`', '').split(', '));
  assert.deepEqual([...told].sort(), [...new Set(overridden)].sort());
});

/** Whether a test of the file has those words in its name: in the call itself, or in the row of a table of tests. */
function isTestOf(text: string, words: string): boolean {
  return text.split('\n').some((line) => line.includes(words) && /\btest\(|\bname: ['`]/.test(line));
}

for (const row of [...law, ...rules, ...corrections]) {
  const [what = ''] = row;
  test(`the tests exist: ${what}`, () => {
    const named = (row.at(-1) ?? '').split('; ');
    for (const one of named) {
      const [, file = '', words] = /^`([^`]+)`(?:: (.+))?$/.exec(one) ?? assert.fail(`cannot be read: ${one}`);
      assert.ok(existsSync(file), file);
      assert.ok(words !== undefined || file.endsWith('.txt'), `which test of ${file}?`);
      if (words !== undefined) assert.ok(isTestOf(readFileSync(file, 'utf8'), words), one);
    }
  });
}
