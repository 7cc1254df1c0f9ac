/**
 * Files of patterns: what a line may be, what is said of a broken one, and what thousands of them cost.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { RE2JS } from 're2js';
import { checkSetFiles } from '../../src/rules/check-files.ts';
import { BUDGET, PatternCache } from '../../src/rules/pattern.ts';
import { openPatternFile } from '../../src/rules/pattern-file.ts';
import { parsePatternLines } from '../../src/rules/pattern-lines.ts';
import { openPresets } from '../../src/rules/presets.ts';
import { formatDiagnostic } from '../../src/yaml/frame.ts';
import { missingCorpus, octetsOnTheWire, truthOf } from '../support/wire-corpus.ts';
import { memoryLog } from './facts.ts';
import { evaluate, load } from './load.ts';

const folder = mkdtempSync(join(tmpdir(), 'postern-taboo-'));
after(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

for (const [line, expected] of [
  ['/lottery/', { asks: ['header', 'body'], pattern: 'lottery', mode: 'exact' }],
  ['/lottery/i', { asks: ['header', 'body'], pattern: 'lottery', mode: 'ignored' }],
  ['header: m!^X-Mailer:.*eMerge!io', { asks: ['header'], pattern: '^X-Mailer:.*eMerge', mode: 'ignored' }],
  ['body: m{a/b}', { asks: ['body'], pattern: 'a/b', mode: 'exact' }],
  ['  body:m%100\\%%  ', { asks: ['body'], pattern: '100\\%', mode: 'exact' }],
  ['body: m!\\e\\[B!o', { asks: ['body'], pattern: '\\x1b\\[B', mode: 'exact' }],
  ['body: /\\\\e/', { asks: ['body'], pattern: '\\\\e', mode: 'exact' }],
  ['\\bviagra\\b', { asks: ['header', 'body'], pattern: '\\bviagra\\b', mode: 'ignored' }],
  ['more money', { asks: ['header', 'body'], pattern: 'more money', mode: 'ignored' }],
] as const) {
  test(`a line of patterns: ${line}`, () => {
    const { patterns, problems } = parsePatternLines(`# comment\n\n${line}\n`);
    assert.deepEqual(problems, []);
    const found = patterns.map(({ asks, pattern, mode, line: at }) => ({ asks, pattern, mode, at }));
    assert.deepEqual(found, [{ ...expected, at: 3 }]);
  });
}

test('each broken line is told with its place', () => {
  const lines = [
    '/ok/',
    'body: /open',
    '//',
    'header:',
    'm!a!x',
    '/(?=a)/',
    `/${'a'.repeat(501)}/`,
    '[',
    '/([ab]{1,30}){1,30}z/',
  ];
  const path = write('broken.txt', lines.join('\n'));
  const place = { file: 'gardeners.yaml', line: 1, column: 1, length: 1 };
  const told = checkSetFiles([{ path, place, holds: 'patterns' }]).map((one) =>
    formatDiagnostic(one, readFileSync(path, 'utf8')).replaceAll(folder, ''),
  );
  assert.deepEqual(
    told.map((text) => text.split('\n')[0]?.replace('; nothing of the file is used while it stands there', '')),
    [
      '/broken.txt:2:7  E_PATTERN  the pattern does not end: / is missing',
      '/broken.txt:3:1  E_PATTERN  there is no pattern here',
      '/broken.txt:4:8  E_PATTERN  there is no pattern here',
      '/broken.txt:5:5  E_PATTERN  "x" is no flag of a pattern',
      '/broken.txt:6:2  E_PATTERN  the pattern cannot be read: invalid or unsupported Perl syntax: `(?=`',
      '/broken.txt:7:2  E_PATTERN  the pattern is longer than 500 characters',
      '/broken.txt:8:1  E_PATTERN  the pattern cannot be read: missing closing ]: `[`',
      '/broken.txt:9:2  E_PATTERN  the pattern is too large',
    ],
  );
  // Told again, though the file is not read again; and a file that is mended is.
  assert.equal(checkSetFiles([{ path, place, holds: 'patterns' }]).length, 8);
  writeFileSync(path, '/ok/');
  assert.deepEqual(checkSetFiles([{ path, place, holds: 'patterns' }]), []);
  assert.equal(checkSetFiles([{ path: join(folder, 'none.txt'), place, holds: 'patterns' }])[0]?.code, 'E_FILE');
});

test('a file that changes is read again, and while it is broken or gone every question rejects', async () => {
  const path = write('changing.txt', 'tulips');
  let clock = 0;
  const cache = new PatternCache();
  const file = openPatternFile(cache, path, () => clock);
  assert.equal(
    openPatternFile(cache, path, () => clock),
    file,
  );
  const ask = async () => file.find({ header: 'Subject: tulips', body: 'some\nroses' }, {});
  assert.equal(await ask(), 'changing.txt:1');
  writeFileSync(path, '\n\nbody: /^roses$/');
  utimesSync(path, 1, 1);
  assert.equal(await ask(), 'changing.txt:1');
  clock += 3000;
  assert.equal(await ask(), 'changing.txt:3');
  writeFileSync(path, 'body: /roses');
  clock += 3000;
  await assert.rejects(ask(), /changing\.txt:1: the pattern does not end/);
  rmSync(path);
  clock += 3000;
  await assert.rejects(ask());
  writeFileSync(path, 'nothing');
  clock += 3000;
  assert.equal(await ask(), null);
  cache.close();
});

test('what is found for one recipient is known for the next, who pays as much', async () => {
  const cache = new PatternCache();
  const patterns = cache.forFile();
  const file = openPatternFile(cache, write('shared.txt', 'body: /^tul.*ps$/\nbody: /^ro.*es$/'), () => 0);
  const lines = { header: 'Subject: none', body: 'some tulips\nroses' };
  const [first, second, nearlySpent, alone] = [{}, {}, {}, {}];
  assert.equal(await file.find(lines, first), 'shared.txt:2');
  assert.equal(await file.find(lines, second), 'shared.txt:2');
  assert.ok(patterns.spentBy(first) > 0);
  assert.equal(patterns.spentBy(second), patterns.spentBy(first));
  // Where so much is not left it ends as it would alone.
  for (const account of [nearlySpent, alone]) patterns.charge(BUDGET - patterns.spentBy(first) + 1, account);
  const tooCostly = { message: /take too long/ };
  await assert.rejects(async () => file.find(lines, nearlySpent), tooCostly);
  await assert.rejects(async () => file.find({ ...lines }, alone), tooCostly);
  assert.equal(patterns.spentBy(nearlySpent), patterns.spentBy(alone));
  cache.close();
});

test('a list reads only files of its own folder, a preset only what a parameter of the kind names', () => {
  const codes = (text: string): readonly string[] => load('list', text).diagnostics.map(({ code }) => code);
  const rule = (file: string): string =>
    `version: 1\nrules: [ { name: a, when: { taboo: "${file}" }, then: { reject: "no" } } ]`;
  assert.deepEqual(codes(rule('words.txt')), []);
  assert.deepEqual(codes(rule('../words.txt')), ['E_NOT_ALLOWED']);
  assert.deepEqual(codes(rule('/etc/passwd')), ['E_NOT_ALLOWED']);
  const { presets } = openPresets('rules/presets', { downstreams: [], patterns: new PatternCache(), now: () => 0 });
  for (const value of ['/etc/passwd', '{ file: ../../words.txt }']) {
    const found = load('list', `version: 1\nextends: taboo\nwith: { patterns: ${value} }`, { presets });
    assert.deepEqual(
      found.diagnostics.map(({ code, place }) => [code, place.line]),
      [['E_NOT_ALLOWED', 3]],
    );
  }
});

/** As if each pattern were asked of each line. */
function plainly(patterns: readonly string[], ...texts: readonly string[]): string | null {
  for (const text of texts) {
    for (const [index, pattern] of patterns.entries()) {
      const compiled = RE2JS.compile(`(?i)${pattern}`);
      if (text.split('\n').some((line) => compiled.test(line))) return `${index}`;
    }
  }
  return null;
}

test('it finds something where asking each pattern of each line does', async () => {
  const cache = new PatternCache();
  const word = fc.constantFrom('tulips', 'roses', 'BULBS', 'x', 'ſale', 'größe', '.', ' ', 'Subject: ');
  const pattern = fc.constantFrom(
    'tulips',
    '^tulips',
    'roses$',
    'tul.*ros',
    'b(u|a)lbs',
    '\\bsale',
    '[^ ]x',
    'GRÖSSE|größe',
    '^Subject:.*x',
    '^\\S+$',
    's s',
  );
  const line = fc.array(word, { maxLength: 4 }).map((some) => some.join(''));
  const lines = fc.array(line, { maxLength: 5 }).map((some) => some.join('\n'));
  let [found, index] = [0, 0];
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(pattern, { minLength: 1, maxLength: 5 }),
      lines,
      lines,
      async (some, header, body) => {
        index += 1;
        const file = openPatternFile(cache, write(`some-${index}.txt`, some.join('\n')), () => 0);
        const match = await file.find({ header, body }, {});
        const octets = { text: body, octets: Buffer.from(body.replaceAll('\n', '\r\n')) };
        assert.equal(await file.find({ header, body: octets }, {}), match);
        const plain = plainly(some, header, body);
        // An empty text has no line.
        assert.equal(match !== null, plain !== null, JSON.stringify({ some, header, body, match, plain }));
        if (match !== null) found += 1;
      },
    ),
    { numRuns: 300, seed: 1 },
  );
  assert.ok(found > 50);
  cache.close();
});

interface Taboo {
  readonly scope: 'header' | 'body';
  readonly disabled: boolean;
  readonly perl: string;
}

for (const [year, count] of [
  ['2007', 1371],
  ['2023', 107],
] as const) {
  test(`vger's patterns of ${year} load by the preset, and run within the budget on every message of the corpus`, async (t) => {
    if (missingCorpus !== null) {
      t.skip(missingCorpus);
      return;
    }
    const rows = truthOf<Taboo>(`tables/filters/vger-majordomo-taboo-${year}.jsonl`);
    assert.equal(rows.length, count);
    // What is switched off begins with #, which is a comment here too.
    const text = rows.map(({ scope, disabled, perl }) => (disabled ? perl : `${scope}: ${perl}`)).join('\n');
    const path = write(`vger-${year}.txt`, text);
    const patterns = new PatternCache();
    const { presets } = openPresets('rules/presets', { downstreams: [], patterns, now: () => 0 });
    const loaded = load('list', `version: 1\nextends: taboo\nwith: { patterns: vger-${year}.txt }`, {
      file: join(folder, 'gardeners.yaml'),
      presets,
      patterns,
    });
    assert.deepEqual([loaded.diagnostics, checkSetFiles(loaded.setFiles)], [[], []]);
    assert.deepEqual(
      loaded.setFiles.map((file) => file.path),
      [path],
    );
    const list = loaded.ruleset;
    assert.ok(list !== null);
    const log = memoryLog();
    const [, ...messages] = readFileSync(resolve('..', 'shared', 'corpus', 'MANIFEST.tsv'), 'utf8')
      .trim()
      .split('\n');
    let refused = 0;
    for (const row of messages) {
      const [file = ''] = row.split('\t');
      const verdict = await evaluate({ list }, {}, { content: octetsOnTheWire(file), log });
      assert.notEqual(verdict.kind, 'defer', file);
      if (verdict.kind === 'reject') refused += 1;
    }
    assert.deepEqual(log.lines, []);
    t.diagnostic(`${refused} of ${messages.length} messages are refused; the budget of each is ${BUDGET} steps`);
    patterns.close();
  });
}
