/**
 * What is kept of the addresses that mail came for last: nothing of it shows, but for the time that it saves.
 */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Mailbox } from '../../src/core/mailbox.ts';
import type { Policy } from '../../src/rules/policy.ts';
import { keepable, RecentPolicies } from '../../src/rules/recent-policies.ts';
import { openRulebook, type Rulebook } from '../../src/rules/rulebook.ts';
import { factsOf, mailbox, memoryLog } from './facts.ts';
import { printVerdict } from './load.ts';

function policy(list: string): Policy {
  return {
    address: { list, role: 'post', detail: '' },
    unavailable: null,
    start: () => {
      throw new Error('never started');
    },
  };
}

test('each address has its own policy, and case counts in the local-part', () => {
  const recent = new RecentPolicies();
  const boxes = ['a@example.net', 'A@example.net', 'a@example.org', 'b@example.org'].map(mailbox);
  for (const box of boxes) recent.set(box, { policy: policy(box.localPart), lookedAt: 1 });
  assert.deepEqual(
    boxes.map((box) => recent.get({ ...box })?.policy.address.list),
    ['a', 'A', 'a', 'b'],
  );
  recent.set(mailbox('a@example.net'), { policy: policy('other'), lookedAt: null });
  assert.equal(recent.get(mailbox('a@example.net'))?.policy.address.list, 'other');
  assert.equal(recent.get(mailbox('b@example.net')), undefined);
  assert.equal(recent.get(mailbox('a@')), undefined);
  recent.clear();
  assert.deepEqual(
    boxes.map((box) => recent.get(box)),
    [undefined, undefined, undefined, undefined],
  );
});

test('made-up addresses take no more than their places', () => {
  const recent = new RecentPolicies();
  const address = (index: number): Mailbox => ({ localPart: `x${index}`, domain: `d${index % 7}.example` });
  for (let index = 0; index < 20_000; index += 1) {
    recent.set(address(index), { policy: policy('x'), lookedAt: 0 });
    assert.ok(recent.get(address(index)) !== undefined);
  }
  const kept = Array.from({ length: 20_000 }, (_, index) => recent.get(address(index))).filter((one) => one);
  assert.ok(kept.length <= 5000, `${kept.length}`);
});

test('an address of any other form is not kept', () => {
  assert.deepEqual(
    keepable(mailbox('Gardeners-owner@lists.example.org')),
    mailbox('Gardeners-owner@lists.example.org'),
  );
  const forms = [
    'gardeners+x',
    'gardeners-bounces+ann=example.net',
    'gärtner',
    'a b',
    '',
    'x'.repeat(65),
    '__proto__ ',
  ];
  for (const localPart of forms) assert.equal(keepable({ localPart, domain: 'lists.example.org' }), null, localPart);
  for (const domain of ['', 'bücher.example', 'LISTS.example.org', '[192.0.2.1]', 'x'.repeat(256)]) {
    assert.equal(keepable({ localPart: 'gardeners', domain }), null, domain);
  }
});

const FILES = ['gardeners', 'news', '_default'].map((name) => `lists.example.org/${name}.yaml`);
const ADDRESSES = [
  'gardeners@lists.example.org',
  'Gardeners@lists.example.org',
  'gardeners-owner@lists.example.org',
  'gardeners-bounces@lists.example.org',
  'gardeners+x@lists.example.org',
  'news@lists.example.org',
  '_default@lists.example.org',
  'nobody@lists.example.org',
  'gardeners@other.example.org',
  '__proto__@lists.example.org',
];
/** A file that is written or taken away, with time enough to be looked at again; or a question. */
const step = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...ADDRESSES).map((to) => ({ to })) },
  fc.record({ file: fc.constantFrom(...FILES), text: fc.constantFrom('one', 'two', 'broken', null) }),
);

test('a rulebook that remembers says what one says that was opened now', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-recent-'));
  const lists = join(folder, 'lists');
  let clock = 0;
  const open = (): Rulebook => {
    const now = () => clock;
    const log = memoryLog();
    const { rulebook } = openRulebook({
      system: null,
      lists: { folder: lists, dialect: 'mailman' },
      downstreams: [],
      log,
      now,
    });
    assert.ok(rulebook !== null);
    return rulebook;
  };
  const ask = async (rulebook: Rulebook, to: string): Promise<readonly unknown[]> => {
    const { address, unavailable, start } = await rulebook.policyFor(mailbox(to));
    const verdict = await start().advance(factsOf({ to, header: 'From: ann@example.net' }).content);
    return [address, unavailable === null, verdict === 'later' || printVerdict(verdict)];
  };
  let [asked, remembered] = [0, 0];
  try {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 40 }), async (steps) => {
        rmSync(lists, { recursive: true, force: true });
        mkdirSync(lists);
        const rulebook = open();
        for (const one of steps) {
          if ('to' in one) {
            const again = open();
            const expected = await ask(again, one.to);
            again.close();
            remembered += rulebook.policyFor(mailbox(one.to)) instanceof Promise ? 0 : 1;
            asked += 1;
            assert.deepEqual(await ask(rulebook, one.to), expected, one.to);
            continue;
          }
          clock += 2000;
          const path = join(lists, one.file);
          // A fresh rulebook has no last good rules, so one that is broken begins as a new file here.
          rmSync(path, { force: true });
          for (const to of ADDRESSES) await rulebook.policyFor(mailbox(to));
          clock += 2000;
          if (one.text === null) continue;
          mkdirSync(dirname(path), { recursive: true });
          const rule = `{ name: a, when: { always: true }, then: { reject: ${one.text} } }`;
          writeFileSync(path, one.text === 'broken' ? 'rules: {' : `version: 1\nrules:\n  - ${rule}\n`);
        }
        rulebook.close();
      }),
      { numRuns: 60, seed: 1 },
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
  assert.ok(remembered > asked / 4, `${remembered} of ${asked}`);
});
