import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearest } from '../../src/yaml/suggest.ts';

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
  { given: 'a'.repeat(41), known: ['a'.repeat(41)], expect: null },
];

for (const { given, known, expect } of cases) {
  test(`${given} of ${known.join(', ') || 'nothing'}: ${expect}`, () => assert.equal(nearest(given, known), expect));
}
