import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instead, nearest } from '../../src/yaml/suggest.ts';

const cases: readonly { given: string; known: readonly string[]; expect: string | null }[] = [
  { given: 'limit', known: ['listen', 'limits'], expect: 'limits' },
  { given: 'recieved', known: ['received'], expect: 'received' },
  { given: 'conect', known: ['client', 'connect'], expect: 'connect' },
  { given: 'refuse-at', known: ['refuse_at'], expect: 'refuse_at' },
  { given: 'Hostname', known: ['hostname'], expect: 'hostname' },
  { given: 'to', known: ['tt'], expect: 'tt' },
  { given: 'store', known: ['version', 'routes', 'log'], expect: null },
  { given: 'x', known: ['y'], expect: 'y' },
  { given: 'abc', known: ['xyz'], expect: null },
  { given: 'ab', known: ['ax', 'xb'], expect: 'ax' },
  { given: 'log', known: [], expect: null },
  { given: 'and', known: ['any', 'all'], expect: 'all' },
  { given: 'over', known: ['below', 'above'], expect: 'above' },
  { given: 'and', known: ['ann'], expect: 'ann' },
  { given: 'constructor', known: ['x'], expect: null },
  { given: 'storm', known: ['size-limit', 'storm-brake'], expect: 'storm-brake' },
  { given: 'most', known: ['list_most', 'author_most'], expect: null },
  { given: 'id', known: ['message_id', 'from'], expect: null },
  { given: 'a'.repeat(41), known: ['a'.repeat(41)], expect: null },
];

for (const { given, known, expect } of cases) {
  test(`${given} of ${known.join(', ') || 'nothing'}: ${expect}`, () => assert.equal(nearest(given, known), expect));
}

const TEXT_WORDS = ['is', 'contains', 'like', 'empty'];

const written: readonly { given: string; known: readonly string[]; expect: string | null }[] = [
  {
    given: 'not_contains',
    known: TEXT_WORDS,
    expect: 'write not: around the condition, as in not: { subject: { contains: \u2026 } }',
  },
  {
    given: 'not',
    known: TEXT_WORDS,
    expect: 'write not: around the condition, as in not: { subject: { is: \u2026 } }',
  },
  { given: 'not in', known: ['in', 'not_in'], expect: 'did you mean "not_in"?' },
  { given: 'notes', known: ['note', 'tag'], expect: 'did you mean "note"?' },
  {
    given: 'contains',
    known: ['is', 'domain', 'like'],
    expect: 'write domain: example.net, or like: with * for any characters',
  },
  {
    given: 'in',
    known: TEXT_WORDS,
    expect: 'write is: for several texts, [a, b], or like: where * stands for any characters',
  },
  {
    given: 'X-Loop',
    known: ['name', 'exists'],
    expect: 'write name: X-Loop and, behind a comma, what to ask of it, such as exists: true',
  },
  {
    given: 'only members',
    known: ['reject'],
    expect: 'known here: reject; if it belongs to the text in front of it, put that in quotes',
  },
  { given: 'abc', known: [], expect: null },
];

for (const { given, known, expect } of written) {
  test(`${given} in place of ${known.join(', ') || 'nothing'}`, () =>
    assert.equal(instead(given, known, 'known here'), expect));
}
