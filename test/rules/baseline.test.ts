/**
 * The shipped baseline, rules/system.yaml: what it refuses, and the ordinary mail that it must not.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import type { Given } from '../../src/rules/part.ts';
import { evaluate, load, printVerdict, rulesetOf } from './load.ts';

const text = readFileSync('rules/system.yaml', 'utf8');
const system = rulesetOf('system', text);
const LIST = 'gardeners@lists.example.org';
const FROM = 'From: Ann <ann@example.net>';

test('it loads without a warning', () => assert.deepEqual(load('system', text).diagnostics, []));

const cases: readonly { name: string; given: Given; expect: RegExp; rule: string | null }[] = [
  { name: 'a post', given: { header: `${FROM}\nTo: ${LIST}\nSubject: Tulips` }, expect: /^relay$/, rule: null },
  { name: 'a bounce to the posting address', given: { from: '' }, expect: /^550 5\.7\.1 /, rule: 'null-reverse-path' },
  {
    name: 'a bounce to the bounces address',
    given: { from: '', to: 'gardeners-bounces@lists.example.org', size: 50 * 1024 * 1024 },
    expect: /^relay$/,
    rule: 'bounces-untouched',
  },
  {
    name: 'a bounce to the owner',
    given: { from: '', to: 'gardeners-owner@lists.example.org' },
    expect: /^relay$/,
    rule: null,
  },
  {
    name: 'a loop, Mailman 2',
    given: { header: `${FROM}\nX-BeenThere: ${LIST}` },
    expect: /^554 5\.4\.6 /,
    rule: 'loop',
  },
  {
    name: 'a loop, Mailman 3',
    given: { header: `${FROM}\nList-Post: <mailto:Gardeners@lists.example.org>` },
    expect: /^554 5\.4\.6 /,
    rule: 'loop',
  },
  {
    name: 'a loop, by its List-Id',
    given: { header: `${FROM}\nList-Id: Gardeners <gardeners.lists.example.org>` },
    expect: /^554 5\.4\.6 /,
    rule: 'loop',
  },
  {
    name: 'a post that an MTA marked on its way in',
    given: { header: `Delivered-To: ${LIST}\n${FROM}` },
    expect: /^relay$/,
    rule: null,
  },
  { name: 'a loop, Sympa', given: { header: `${FROM}\nX-Loop: ${LIST}` }, expect: /^554 5\.4\.6 /, rule: 'loop' },
  {
    name: 'a post that came through another list',
    given: { header: `${FROM}\nX-BeenThere: news@lists.example.org\nList-Post: <mailto:news@lists.example.org>` },
    expect: /^relay$/,
    rule: null,
  },
  {
    name: 'the list as author',
    given: { header: `From: "Ann" <Gardeners@Lists.example.org>` },
    expect: /^550 5\.7\.1 /,
    rule: 'list-is-no-author',
  },
  {
    name: 'the list as a display name',
    given: { header: `From: "${LIST}" <ann@example.net>` },
    expect: /^relay$/,
    rule: null,
  },
  {
    name: 'out of the office',
    given: { header: `${FROM}\nAuto-Submitted: auto-replied (vacation)` },
    expect: /^discard: /,
    rule: 'automatic-reply',
  },
  {
    name: 'out of the office, older',
    given: { header: `${FROM}\nPrecedence: auto_reply` },
    expect: /^discard: /,
    rule: 'automatic-reply',
  },
  {
    name: 'a commit message',
    given: { header: `${FROM}\nAuto-Submitted: auto-generated\nPrecedence: bulk` },
    expect: /^relay$/,
    rule: null,
  },
  { name: 'a person, said so', given: { header: `${FROM}\nAuto-Submitted: no` }, expect: /^relay$/, rule: null },
  {
    name: 'a person, by way of Exchange',
    given: { header: `${FROM}\nX-Auto-Response-Suppress: DR, OOF, AutoReply` },
    expect: /^relay$/,
    rule: null,
  },
  {
    name: '20 MB',
    given: { header: FROM, size: 20 * 1024 * 1024 },
    expect: /^relay$/,
    rule: null,
  },
  {
    name: 'more than 20 MB',
    given: { header: FROM, size: 20 * 1024 * 1024 + 1 },
    expect: /^552 5\.3\.4 /,
    rule: 'too-large',
  },
  { name: 'no header section', given: {}, expect: /^relay$/, rule: null },
];

for (const { name, given, expect, rule } of cases) {
  test(name, async () => {
    const verdict = await evaluate({ system }, given);
    assert.match(printVerdict(verdict), expect);
    assert.equal(verdict.rule, rule);
  });
}

test('the rules of a list need not wait for the content', async () => {
  const list = rulesetOf(
    'list',
    'version: 1\nrules:\n  - { name: mine, when: { subject: { is: tulips } }, then: { reject: "No." } }',
  );
  const verdict = await evaluate({ system, list }, { header: `${FROM}\nSubject: Tulips` });
  assert.deepEqual([verdict.rule, verdict.phase], ['mine', 'header']);
});

test('real mail of people and lists is not refused', async (t) => {
  const corpus = resolve('..', 'shared', 'corpus');
  if (!existsSync(corpus)) return t.skip(`no corpus at ${corpus}`);
  const rows = readFileSync(join(corpus, 'MANIFEST.tsv'), 'utf8').split('\n').slice(1);
  const kept = rows.map((row) => row.split('\t')).filter(([, , , kind]) => kind === 'ham' || kind === 'list');
  assert.ok(kept.length > 100);
  const refused: string[] = [];
  for (const [file = ''] of kept) {
    const message = readFileSync(join(corpus, file), 'latin1').replace(/\r\n|\r/g, '\n');
    const [header = ''] = message.split('\n\n', 1);
    const verdict = await evaluate({ system }, { header, size: message.length });
    if (verdict.kind !== 'relay') refused.push(`${file}: ${verdict.rule}`);
  }
  assert.deepEqual(refused, []);
});
