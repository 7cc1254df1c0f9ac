/**
 * `postern check` over many files: on a terminal it shows how far it is, elsewhere it does not.
 */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkCommand } from '../../src/cli/check.ts';
import { configuration, folderWith, RULES } from './running.ts';

test('on a terminal one line tells how many files were looked at', async (t) => {
  const folder = folderWith(t, { ...RULES, 'postern.yaml': configuration('127.0.0.1:0') });
  const lists = join(folder, 'lists', 'many.example.org');
  mkdirSync(lists, { recursive: true });
  for (let index = 0; index < 60; index += 1) {
    const rule = '{ name: a, when: { size: { above: 1 MB } }, then: { reject: "Too large." } }';
    writeFileSync(join(lists, `list-${index}.yaml`), `version: 1\nrules: [ ${rule} ]\n`);
  }
  for (const isTerminal of [true, false]) {
    let [out, err] = ['', ''];
    const status = await checkCommand.run(['--config', join(folder, 'postern.yaml')], {
      out: (text) => {
        out += text;
      },
      err: (text) => {
        err += text;
      },
      isTerminal,
    });
    assert.deepEqual([status, out], [0, ''], err);
    const shown = err.split('\r').filter((line) => /^\d+ of \d+ list files$/.test(line));
    assert.equal(shown.length, isTerminal ? 3 : 0, err);
    assert.equal(err.includes('\r'), isTerminal);
    assert.match(err, /loads: 0 errors/);
  }
});
