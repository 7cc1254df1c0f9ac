/**
 * Names in zip archives: encrypted, broken, nested, and made to cost much.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MOST_ENTRIES, namesInArchive, openArchiveBudget } from '../../src/mail/archive.ts';
import { archivesOf, LARGEST_ARCHIVE } from '../../src/mail/body.ts';
import { messageOf, messageOnDisk } from '../support/wire-corpus.ts';
import { type ZipEntry, zipOf } from '../support/zip.ts';

const PROGRAM: ZipEntry = { name: 'setup.exe', content: Buffer.from('MZ') };

function inside(name: string, entries: readonly ZipEntry[], more: Partial<ZipEntry> = {}): ZipEntry {
  return { name, content: zipOf(entries), ...more };
}

const archives: readonly { name: string; archive: Buffer; expect: readonly string[]; unread?: boolean }[] = [
  { name: 'empty', archive: zipOf([]), expect: [] },
  { name: 'folders are no files', archive: zipOf([{ name: 'a/' }, { name: 'a/b.txt' }]), expect: ['a/b.txt'] },
  { name: 'names in UTF-8', archive: zipOf([{ name: 'grüße.txt' }]), expect: ['grüße.txt'] },
  {
    name: 'names that lead out of a folder',
    archive: zipOf([{ name: '../../etc/passwd' }, { name: '/b' }, { name: 'c:\\d.exe' }]),
    expect: ['../../etc/passwd', '/b', 'c:/d.exe'],
  },
  { name: 'encrypted', archive: zipOf([{ ...PROGRAM, encrypted: true }]), expect: ['setup.exe'] },
  {
    name: 'an encrypted archive within',
    archive: zipOf([inside('a.zip', [PROGRAM], { encrypted: true })]),
    expect: ['a.zip'],
    unread: true,
  },
  {
    name: 'archives within, two deep',
    archive: zipOf([inside('a.zip', [inside('b.zip', [inside('c.zip', [PROGRAM])])])]),
    expect: ['a.zip', 'b.zip', 'c.zip'],
    unread: true,
  },
  {
    name: 'what is called an archive and is none',
    archive: zipOf([{ name: 'a.zip', content: Buffer.from('tulips') }, PROGRAM]),
    expect: ['a.zip', 'setup.exe'],
  },
  {
    name: 'an inner archive that claims another size',
    archive: zipOf([inside('a.zip', [PROGRAM], { claimed: 1 })]),
    expect: ['a.zip', 'setup.exe'],
  },
  { name: 'cut', archive: zipOf([PROGRAM]).subarray(0, -30), expect: [], unread: true },
  { name: 'no archive', archive: Buffer.from('tulips'), expect: [], unread: true },
  { name: 'nothing', archive: Buffer.alloc(0), expect: [], unread: true },
];

for (const { name, archive, expect, unread = false } of archives) {
  test(name, async () => {
    const budget = openArchiveBudget();
    assert.deepEqual([await namesInArchive(archive, budget), budget.unread], [expect, unread]);
  });
}

test('more entries than are looked at', async () => {
  const entries = Array.from({ length: MOST_ENTRIES + 10 }, (_, index) => ({ name: `${index}.txt` }));
  const budget = openArchiveBudget();
  const names = await namesInArchive(zipOf(entries), budget);
  assert.deepEqual([names.length, budget.unread], [MOST_ENTRIES, true]);
});

test('an archive that inflates to 30 MB is left when the budget is spent', async () => {
  const bomb = { name: 'bomb.zip', content: Buffer.concat([zipOf([]).subarray(0, 4), Buffer.alloc(30_000_000)]) };
  const budget = openArchiveBudget();
  const names = await namesInArchive(zipOf([bomb, { ...bomb, name: 'second.zip' }, PROGRAM]), budget);
  assert.deepEqual(names, ['bomb.zip', 'second.zip', 'setup.exe']);
  // No more than a piece beyond the budget was ever inflated, of each.
  assert.ok(budget.inflated < 0 && budget.inflated > -1_000_000, `${budget.inflated}`);
});

test('whatever octets there are, it ends', async () => {
  const archive = zipOf([PROGRAM, inside('a.zip', [PROGRAM])]);
  const hit = fc.tuple(fc.nat({ max: archive.length - 1 }), fc.integer({ min: 0, max: 255 }));
  await fc.assert(
    fc.asyncProperty(fc.array(hit, { minLength: 1, maxLength: 6 }), async (hits) => {
      const broken = Buffer.from(archive);
      for (const [at, octet] of hits) broken[at] = octet;
      assert.ok((await namesInArchive(broken, openArchiveBudget())).length <= MOST_ENTRIES);
    }),
    { numRuns: 500, seed: 1 },
  );
});

function withParts(...parts: readonly string[]): Buffer {
  const bodies = parts.map((part) => `--b\n${part}\n`).join('');
  return Buffer.from(`Content-Type: multipart/mixed; boundary=b\n\n${bodies}--b--\n`.replaceAll('\n', '\r\n'));
}

function base64(octets: Buffer): string {
  return `Content-Type: image/png\nContent-Transfer-Encoding: base64\n\n${octets.toString('base64')}`;
}

test('archives are known by their octets, whatever they are called', async () => {
  const octets = withParts(
    '\ntulips',
    base64(zipOf([PROGRAM])),
    base64(Buffer.from('no zip')),
    base64(zipOf([{ name: 'b' }])),
  );
  for (const message of [messageOf(octets), messageOf(octets, 10), messageOnDisk(octets, 7)]) {
    assert.deepEqual([...(await archivesOf(message)).names.values()], [['setup.exe'], ['b']]);
  }
});

test('an archive that is too large is not looked into', async () => {
  const octets = withParts(base64(Buffer.concat([Buffer.alloc(0), zipOf([PROGRAM]), Buffer.alloc(LARGEST_ARCHIVE)])));
  const { names, unread } = await archivesOf(messageOf(octets, 65_536));
  assert.deepEqual([[...names.values()], unread], [[[]], true]);
});
