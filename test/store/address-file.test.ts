/**
 * A set in a file: read again when it is another file, and never taken by halves.
 */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { addressFile, parseAddressLines } from '../../src/store/address-file.ts';

const { signal } = new AbortController();
let folder = '';
let path = '';
let clock = 0;
const now = () => clock;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'postern-store-'));
  path = join(folder, 'members.txt');
  clock = 0;
});
afterEach(() => rmSync(folder, { recursive: true }));

function replace(text: string): void {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

test('lines', () => {
  const text =
    '\ufeff# members\r\nann@example.net\r\n\r\n  Bob <bob@example.org>  # since May\n*@staff.example\nnot one\na#b@example.net\rx@y@z';
  const { entries, bad } = parseAddressLines(text);
  assert.deepEqual(
    entries.map(({ key }) => key),
    ['ann@example.net', 'bob@example.org', 'staff.example', 'a#b@example.net'],
  );
  assert.deepEqual(bad, [6, 8]);
});

test('the first answer has to be fetched, the next ones not', async () => {
  replace('ann@example.net\n');
  const store = addressFile.open({ path, now });
  const first = store.has('ann@example.net', signal);
  assert.ok(first instanceof Promise);
  assert.equal(await first, true);
  assert.equal(store.has('ann@example.net', signal), true);
  assert.equal(store.has('bob@example.org', signal), false);
});

test('a changed file counts after two seconds', async () => {
  replace('ann@example.net\n');
  const store = addressFile.open({ path, now });
  await store.has('', signal);
  replace('bob@example.org\n');
  clock = 1999;
  assert.equal(await store.has('bob@example.org', signal), false);
  clock = 2000;
  assert.equal(await store.has('bob@example.org', signal), true);
  assert.equal(await store.has('ann@example.net', signal), false);
});

test('a clock that was set back does not keep an old file in use', async () => {
  clock = 1_000_000;
  replace('ann@example.net\n');
  const store = addressFile.open({ path, now });
  await store.has('', signal);
  replace('bob@example.org\n');
  clock = 0;
  assert.equal(await store.has('bob@example.org', signal), true);
});

const broken: readonly { name: string; make: () => void; expect: RegExp }[] = [
  { name: 'missing', make: () => {}, expect: /ENOENT/ },
  { name: 'a folder', make: () => mkdirSync(path), expect: /not a regular file/ },
  {
    name: 'with a line that is no address',
    make: () => replace('ann@example.net\n<html>\n'),
    expect: /members\.txt:2: not an address/,
  },
  { name: 'too large', make: () => replace('#'.repeat(17 * 1024 * 1024)), expect: /larger than/ },
];

for (const { name, make, expect } of broken) {
  test(`a file that is ${name} answers nothing until it is mended`, async () => {
    make();
    const store = addressFile.open({ path, now });
    await assert.rejects(async () => store.has('ann@example.net', signal), expect);
    assert.throws(() => store.has('ann@example.net', signal), expect);
    rmSync(path, { recursive: true, force: true });
    replace('ann@example.net\n');
    clock = 2000;
    assert.equal(await store.has('ann@example.net', signal), true);
    rmSync(path);
    make();
    clock = 4000;
    await assert.rejects(async () => store.has('ann@example.net', signal), expect);
  });
}

test('questions at the same time share one look at the file', async () => {
  replace('ann@example.net\n');
  const store = addressFile.open({ path, now });
  const answers = await Promise.all(['ann@example.net', 'bob@example.org'].map((key) => store.has(key, signal)));
  assert.deepEqual(answers, [true, false]);
});

test('a file that is back as it was is read again', async () => {
  replace('ann@example.net\n');
  const store = addressFile.open({ path, now });
  assert.equal(await store.has('ann@example.net', signal), true);
  renameSync(folder, `${folder}-away`);
  clock = 2000;
  await assert.rejects(async () => store.has('ann@example.net', signal), /ENOENT/);
  renameSync(`${folder}-away`, folder);
  clock = 4000;
  assert.equal(await store.has('ann@example.net', signal), true);
});
