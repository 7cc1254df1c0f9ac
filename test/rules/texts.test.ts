/**
 * Texts of rules: what comes from outside is made harmless; enhanced status codes and the reply codes of each.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EnhancedStatusCode } from '../../src/core/reply.ts';
import type { Given } from '../../src/rules/part.ts';
import { replyCode } from '../../src/rules/status.ts';
import { evaluate, rulesetOf } from './load.ts';

const texts: readonly { name: string; text: string; given: Given; expect: string }[] = [
  {
    name: 'all names',
    text: '{list} {envelope_from} {id} {rule}',
    given: {},
    expect: 'gardeners@lists.example.org ann@example.net T1 a',
  },
  { name: 'the null reverse-path', text: '{envelope_from}', given: { from: '' }, expect: '<>' },
  { name: 'no author', text: '{author}', given: { header: 'Subject: x' }, expect: '(no author)' },
  {
    name: 'no printable author',
    text: '{author}',
    given: { header: 'From: <j\u00fcrgen@example.net>' },
    expect: 'j?rgen@example.net',
  },
  {
    name: 'a long author',
    text: '{author}',
    given: { header: `From: ${'a'.repeat(200)}@x.example` },
    expect: `${'a'.repeat(100)}...`,
  },
  {
    name: 'control characters',
    text: '{author}',
    given: { header: 'From: "a\u0007\u001bb"@x.example' },
    expect: 'a??b@x.example',
  },
  {
    name: 'a value that looks like a name',
    text: '{author}',
    given: { header: 'From: "{id}"@x.example' },
    expect: '{id}@x.example',
  },
  { name: 'other braces', text: 'a { b } {}', given: {}, expect: 'a { b } {}' },
];

/** One rule that always holds, and does `action`. */
const always = (action: string) => `version: 1\nrules:\n  - { name: a, when: { always: true }, then: ${action} }`;

for (const { name, text, given, expect } of texts) {
  test(name, async () => {
    const verdict = await evaluate({ list: rulesetOf('list', always(`{ discard: ${JSON.stringify(text)} }`)) }, given);
    assert.equal(verdict.kind === 'discard' ? verdict.note : verdict.kind, expect);
  });
}

test('a value filled into a header field keeps its line short', async () => {
  const ruleset = rulesetOf('list', always(`{ add_header: { name: X-Foo, value: "${'{author}'.repeat(60)}" } }`));
  const verdict = await evaluate({ list: ruleset }, { header: `From: ${'a'.repeat(200)}@x.example` });
  const [edit] = verdict.kind === 'relay' ? verdict.edits : [];
  assert.equal(edit?.kind === 'add' ? edit.value.length : 0, 900);
});

const codes: readonly { status: EnhancedStatusCode; code: number }[] = [
  { status: '5.7.1', code: 550 },
  { status: '5.7.26', code: 550 },
  { status: '5.1.1', code: 550 },
  { status: '5.3.4', code: 552 },
  { status: '5.2.2', code: 552 },
  { status: '5.4.6', code: 554 },
  { status: '5.6.0', code: 554 },
  { status: '4.7.1', code: 451 },
  { status: '4.2.1', code: 450 },
  { status: '4.2.2', code: 452 },
  { status: '4.3.1', code: 452 },
  { status: '4.5.3', code: 452 },
];

for (const { status, code } of codes) test(`${status} goes with ${code}`, () => assert.equal(replyCode(status), code));
