/**
 * Sets with canonical forms: of what they hold and of what is looked up, and shown in the trace.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { factsOf } from './facts.ts';
import { load } from './load.ts';

const folder = mkdtempSync(join(tmpdir(), 'postern-sets-'));
after(() => rmSync(folder, { recursive: true }));
writeFileSync(join(folder, 'members.txt'), 'a.nn+old@gmail.com\nbob+lists@example.net\n*@staff.example\n');

const PROFILE = 'canonical: { GMail.com: [detail, dots], "*": detail }';
const SOURCES = {
  file: `{ file: members.txt, ${PROFILE} }`,
  values: `{ values: [a.nn+old@gmail.com, bob+lists@example.net, "*@staff.example"], ${PROFILE} }`,
};

async function ask(source: string, from: string, when = 'envelope_from: { in: members }') {
  const text = `version: 1\nsets: { members: ${source} }\nrules: [{ name: a, when: { ${when} }, then: relay }]\n`;
  const { ruleset, diagnostics } = load('list', text, { file: join(folder, 'rules.yaml') });
  assert.deepEqual(diagnostics, []);
  const [rule] = ruleset?.layers.rules ?? [];
  const [clause] = rule?.clause.children ?? [];
  assert.ok(clause !== undefined);
  const facts = factsOf({ from, header: `From: ${from}` }).content;
  return { truth: await clause.test(facts), saw: clause.saw(facts) };
}

const cases: readonly { from: string; truth: boolean; saw: string }[] = [
  { from: 'Ann+new@gmail.com', truth: true, saw: 'Ann+new@gmail.com (looked up as ann@gmail.com)' },
  { from: 'ann@gmail.com', truth: true, saw: 'ann@gmail.com' },
  { from: 'bob@example.net', truth: true, saw: 'bob@example.net' },
  { from: 'b.ob@example.net', truth: false, saw: 'b.ob@example.net' },
  { from: 'cy+x@staff.example', truth: true, saw: 'cy+x@staff.example (looked up as cy@staff.example)' },
  { from: 'eve+x@example.com', truth: false, saw: 'eve+x@example.com (looked up as eve@example.com)' },
];

for (const [kind, source] of Object.entries(SOURCES)) {
  for (const { from, truth, saw } of cases) {
    test(`${from} in a set with ${kind}`, async () => {
      assert.deepEqual(await ask(source, from), { truth, saw });
      assert.deepEqual(await ask(source, from, 'author: { not_in: [members] }'), { truth: !truth, saw });
    });
  }
}

test('one word for all domains', async () => {
  const source = '{ values: [ann@example.net], canonical: detail }';
  assert.equal((await ask(source, 'ann+x@example.net')).truth, true);
  assert.equal((await ask(source, 'a.nn@example.net')).truth, false);
});

test('literals beside a set are compared as they are', async () => {
  const source = '{ values: [ann@example.net], canonical: detail }';
  const when = 'envelope_from: { in: [members, bob@example.net] }';
  assert.equal((await ask(source, 'bob+x@example.net', when)).truth, false);
  assert.equal((await ask(source, 'ann+x@example.net', when)).truth, true);
});
