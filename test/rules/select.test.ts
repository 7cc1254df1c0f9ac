/**
 * A recipient's address as list, role and detail; and that no address names a file outside the folder.
 */
import assert from 'node:assert/strict';
import { join, relative, resolve } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Layout, PLAIN } from '../../src/core/layout.ts';
import { DIALECTS, type Dialect } from '../../src/core/facts.ts';
import { listFiles, splitAddress } from '../../src/rules/select.ts';
import { mailbox } from './facts.ts';

const split: readonly { given: string; dialect?: Dialect; expect: readonly [string, string, string] }[] = [
  { given: 'Gardeners@Lists.Example.org', expect: ['gardeners@lists.example.org', 'post', ''] },
  { given: 'gardeners-bounces@x.example', expect: ['gardeners@x.example', 'bounces', ''] },
  {
    given: 'gardeners-bounces+ann=example.net@x.example',
    expect: ['gardeners@x.example', 'bounces', 'ann=example.net'],
  },
  { given: 'gardeners-confirm+0123abc@x.example', expect: ['gardeners@x.example', 'confirm', '0123abc'] },
  { given: 'gardeners-Owner@x.example', expect: ['gardeners@x.example', 'owner', ''] },
  { given: 'gardeners-subscribe@x.example', expect: ['gardeners@x.example', 'join', ''] },
  { given: 'gardeners-unsubscribe@x.example', expect: ['gardeners@x.example', 'leave', ''] },
  { given: 'gardeners-admin@x.example', expect: ['gardeners-admin@x.example', 'post', ''] },
  { given: 'gardeners+anything-bounces@x.example', expect: ['gardeners@x.example', 'post', 'anything-bounces'] },
  { given: 'tulip-lovers-owner@x.example', expect: ['tulip-lovers@x.example', 'owner', ''] },
  { given: '-owner@x.example', expect: ['-owner@x.example', 'post', ''] },
  { given: '+x@x.example', expect: ['+x@x.example', 'post', ''] },
  { given: 'constructor-toString@x.example', expect: ['constructor-tostring@x.example', 'post', ''] },
  { given: 'gardeners@x.example.', expect: ['gardeners@x.example', 'post', ''] },
  { given: 'gardeners@bücher.example', expect: ['gardeners@xn--bcher-kva.example', 'post', ''] },
  { given: 'gardeners-owner@x.example', dialect: 'plain', expect: ['gardeners-owner@x.example', 'post', ''] },
  { given: 'gardeners+x@x.example', dialect: 'plain', expect: ['gardeners@x.example', 'post', 'x'] },

  { given: 'gardeners@x.example', dialect: 'sympa', expect: ['gardeners@x.example', 'post', ''] },
  { given: 'gardeners-owner@x.example', dialect: 'sympa', expect: ['gardeners@x.example', 'bounces', ''] },
  { given: 'gardeners-request@x.example', dialect: 'sympa', expect: ['gardeners@x.example', 'owner', ''] },
  { given: 'gardeners-Editor@x.example', dialect: 'sympa', expect: ['gardeners@x.example', 'owner', ''] },
  { given: 'gardeners-subscribe@x.example', dialect: 'sympa', expect: ['gardeners@x.example', 'join', ''] },
  { given: 'gardeners-unsubscribe@x.example', dialect: 'sympa', expect: ['gardeners@x.example', 'leave', ''] },
  { given: 'gardeners-bounces@x.example', dialect: 'sympa', expect: ['gardeners-bounces@x.example', 'post', ''] },
  { given: 'gardeners+x@x.example', dialect: 'sympa', expect: ['gardeners@x.example', 'post', 'x'] },
  {
    given: 'bounce+ann==a==example.net==tulip-lovers@x.example',
    dialect: 'sympa',
    expect: ['tulip-lovers@x.example', 'bounces', 'ann==a==example.net==tulip-lovers'],
  },
  {
    given: 'bounce+ann+x==a==example.net==gardeners==w@x.example',
    dialect: 'sympa',
    expect: ['gardeners@x.example', 'bounces', 'ann+x==a==example.net==gardeners==w'],
  },
  { given: 'bounce+odd@x.example', dialect: 'sympa', expect: ['bounce@x.example', 'bounces', 'odd'] },
  { given: 'sympa@x.example', dialect: 'sympa', expect: ['sympa@x.example', 'request', ''] },
  { given: 'sympa-request@x.example', dialect: 'sympa', expect: ['sympa@x.example', 'owner', ''] },
  { given: 'listmaster@x.example', dialect: 'sympa', expect: ['listmaster@x.example', 'owner', ''] },

  { given: 'gardeners@x.example', dialect: 'ezmlm', expect: ['gardeners@x.example', 'post', ''] },
  { given: 'tulip-lovers-owner@x.example', dialect: 'ezmlm', expect: ['tulip-lovers@x.example', 'owner', ''] },
  { given: 'gardeners-return-@x.example', dialect: 'ezmlm', expect: ['gardeners@x.example', 'bounces', ''] },
  {
    given: 'gardeners-return-12-ann-owner+x=example.net@x.example',
    dialect: 'ezmlm',
    expect: ['gardeners@x.example', 'bounces', '12-ann-owner+x=example.net'],
  },
  {
    given: 'gardeners-digest-return-probe-a1b2-ann=example.net@x.example',
    dialect: 'ezmlm',
    expect: ['gardeners@x.example', 'bounces', 'probe-a1b2-ann=example.net'],
  },
  {
    given: 'gardeners-subscribe-ann=example.net@x.example',
    dialect: 'ezmlm',
    expect: ['gardeners@x.example', 'join', 'ann=example.net'],
  },
  { given: 'gardeners-allow-unsubscribe@x.example', dialect: 'ezmlm', expect: ['gardeners@x.example', 'leave', ''] },
  {
    given: 'gardeners-sc.123.abc-ann=example.net@x.example',
    dialect: 'ezmlm',
    expect: ['gardeners@x.example', 'confirm', '123.abc-ann=example.net'],
  },
  {
    given: 'gardeners-accept-17.abc@x.example',
    dialect: 'ezmlm',
    expect: ['gardeners@x.example', 'confirm', '17.abc'],
  },
  { given: 'gardeners-get.1_9@x.example', dialect: 'ezmlm', expect: ['gardeners@x.example', 'request', '1_9'] },
  { given: 'get-help-owner@x.example', dialect: 'ezmlm', expect: ['get-help@x.example', 'owner', ''] },
  { given: 'bird-list@x.example', dialect: 'ezmlm', expect: ['bird-list@x.example', 'post', ''] },
  { given: 'digest-owner@x.example', dialect: 'ezmlm', expect: ['digest@x.example', 'owner', ''] },
  { given: 'gardeners+x-owner@x.example', dialect: 'ezmlm', expect: ['gardeners@x.example', 'post', 'x-owner'] },
  { given: '-owner@x.example', dialect: 'ezmlm', expect: ['-owner@x.example', 'post', ''] },

  { given: 'gardeners@x.example', dialect: 'mlmmj', expect: ['gardeners@x.example', 'post', ''] },
  { given: 'gardeners-owner@x.example', dialect: 'mlmmj', expect: ['gardeners-owner@x.example', 'post', ''] },
  { given: 'gardeners+owner@x.example', dialect: 'mlmmj', expect: ['gardeners@x.example', 'owner', ''] },
  {
    given: 'gardeners+Subscribe-digest@x.example',
    dialect: 'mlmmj',
    expect: ['gardeners@x.example', 'join', 'digest'],
  },
  { given: 'gardeners+unsubscribe@x.example', dialect: 'mlmmj', expect: ['gardeners@x.example', 'leave', ''] },
  { given: 'gardeners+confsub-a1@x.example', dialect: 'mlmmj', expect: ['gardeners@x.example', 'confirm', 'a1'] },
  { given: 'gardeners+get-12@x.example', dialect: 'mlmmj', expect: ['gardeners@x.example', 'request', '12'] },
  {
    given: 'gardeners+bounces-12-ann=example.net@x.example',
    dialect: 'mlmmj',
    expect: ['gardeners@x.example', 'bounces', '12-ann=example.net'],
  },
  {
    given: 'gardeners+confsub-bounces-a1@x.example',
    dialect: 'mlmmj',
    expect: ['gardeners@x.example', 'bounces', 'a1'],
  },
  { given: 'gardeners+tulips@x.example', dialect: 'mlmmj', expect: ['gardeners@x.example', 'post', 'tulips'] },
  {
    given: 'gardeners+constructor@x.example',
    dialect: 'mlmmj',
    expect: ['gardeners@x.example', 'post', 'constructor'],
  },
];

for (const { given, dialect = 'mailman', expect } of split) {
  test(`${given} in ${dialect}`, () => {
    const { list, role, detail } = splitAddress(mailbox(given), dialect);
    assert.deepEqual([list, role, detail], expect);
  });
}

const files: readonly { list: string; own: string | null; fallback: string | null }[] = [
  { list: 'gardeners@x.example', own: 'x.example/gardeners.yaml', fallback: 'x.example/_default.yaml' },
  { list: 'a b@x.example', own: 'x.example/a b.yaml', fallback: 'x.example/_default.yaml' },
  { list: 'gärtner@x.example', own: 'x.example/gärtner.yaml', fallback: 'x.example/_default.yaml' },
  { list: '_default@x.example', own: null, fallback: 'x.example/_default.yaml' },
  { list: '../../etc/passwd@x.example', own: null, fallback: 'x.example/_default.yaml' },
  { list: '..@x.example', own: null, fallback: 'x.example/_default.yaml' },
  { list: '.hidden@x.example', own: null, fallback: 'x.example/_default.yaml' },
  { list: '-rf@x.example', own: null, fallback: 'x.example/_default.yaml' },
  { list: 'a\0b@x.example', own: null, fallback: 'x.example/_default.yaml' },
  { list: 'a\nb@x.example', own: null, fallback: 'x.example/_default.yaml' },
  { list: '\ud800@x.example', own: null, fallback: 'x.example/_default.yaml' },
  {
    list: `${'a'.repeat(250)}@x.example`,
    own: `x.example/${'a'.repeat(250)}.yaml`,
    fallback: 'x.example/_default.yaml',
  },
  { list: `${'a'.repeat(251)}@x.example`, own: null, fallback: 'x.example/_default.yaml' },
  { list: 'gardeners@..', own: null, fallback: null },
  { list: 'gardeners@../x', own: null, fallback: null },
  { list: 'gardeners@', own: null, fallback: null },
];

for (const { list, own, fallback } of files) {
  test(`the files of ${JSON.stringify(list.slice(0, 40))}`, () => {
    const inFolder = (path: string | null) => (path === null ? null : relative('lists', path));
    const found = listFiles('lists', list);
    assert.deepEqual([inFolder(found.own), inFolder(found.fallback)], [own, fallback]);
  });
}

test('the layout stands between the folder of the domain and the file of a list, not before the default', () => {
  const { own, fallback } = listFiles('lists', 'gardeners@x.example', { scheme: 'user', depth: 2 });
  assert.deepEqual([own, fallback], ['lists/x.example/g/a/gardeners.yaml', 'lists/x.example/_default.yaml']);
});

test('no address names a file outside the folder, nor at another depth than that of the layout', () => {
  const folder = resolve('var/lists');
  const octets = fc.uint8Array({ maxLength: 1000 }).map((some) => Buffer.from(some).toString('latin1'));
  const nasty = fc
    .array(
      fc.constantFrom('..', '.', '/', '\\', '\0', '-', '+', '@', '~', '%2f', 'a', '_default', '\u2215', '\ud800'),
      { maxLength: 20 },
    )
    .map((parts) => parts.join(''));
  const layout = fc.constantFrom<Layout>(PLAIN, { scheme: 'user', depth: 3 }, { scheme: 'md5', depth: 3 });
  const part = fc.oneof(octets, nasty, fc.string({ unit: 'binary', maxLength: 300 }));
  fc.assert(
    fc.property(part, part, fc.constantFrom(...DIALECTS), layout, (localPart, domain, dialect, place) => {
      const { own, fallback } = listFiles(folder, splitAddress({ localPart, domain }, dialect).list, place);
      for (const [path, depth] of [
        [own, place.depth],
        [fallback, 0],
      ] as const) {
        if (path === null) continue;
        assert.ok(path.startsWith(`${folder}/`));
        assert.equal(relative(folder, path).split('/').length, depth + 2);
        assert.equal(join(path), path);
        assert.ok(!path.includes('\0'));
        assert.ok(path.split('/').every((name) => Buffer.byteLength(name) <= 255));
      }
      assert.ok(own === null || own !== fallback);
    }),
    { numRuns: 2000, seed: 1 },
  );
});

test('forms of one address lead to one file: case, composed or not, with a final dot or as an A-label', () => {
  const forms = ['gärten@bücher.example', 'GA\u0308RTEN@BU\u0308CHER.EXAMPLE', 'Gärten@xn--bcher-kva.example.'];
  for (const layout of [PLAIN, { scheme: 'user', depth: 3 }, { scheme: 'md5', depth: 3 }] as const) {
    const found = forms.map((form) => {
      const at = form.lastIndexOf('@');
      const { list } = splitAddress({ localPart: form.slice(0, at), domain: form.slice(at + 1) }, 'mailman');
      return listFiles('lists', list, layout).own;
    });
    assert.equal(new Set(found).size, 1, found.join(' '));
    assert.notEqual(found[0], null);
  }
});
