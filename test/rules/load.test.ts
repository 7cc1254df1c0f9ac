/**
 * What loading a file comes to beyond the mistakes of test/bad-rules.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isWarning } from '../../src/core/diagnostic.ts';
import { load } from './load.ts';

test('a thousand rules load, one more does not', () => {
  const rule = (index: number) =>
    `  - { name: rule-${index}, when: { subject: { is: word-${index} } }, then: { discard: word } }\n`;
  const rules = (count: number) =>
    `version: 1\nrules:\n${Array.from({ length: count }, (_, index) => rule(index)).join('')}`;
  assert.deepEqual(load('list', rules(1000)).diagnostics, []);
  assert.deepEqual(
    load('list', rules(1001)).diagnostics.map(({ code, place }) => [code, place.line]),
    [['E_TOO_MANY', 1003]],
  );
});

test('names that objects have by themselves are names like others', () => {
  const text = [
    'version: 1',
    'sets: { constructor: { values: [ann@example.net] } }',
    'rules:',
    '  - name: toString',
    '    when: { author: { in: [constructor, hasOwnProperty] }, valueOf: x }',
    '    then: { constructor: x }',
  ].join('\n');
  assert.deepEqual(
    load('list', text).diagnostics.map(({ code, place }) => [code, place.line, place.column]),
    [
      ['E_REFERENCE', 5, 41],
      ['E_UNKNOWN_KEY', 5, 60],
      ['E_UNKNOWN_KEY', 6, 13],
    ],
  );
});

test('no text makes loading throw, and each error has its place', () => {
  const words = [
    'version: 1\n',
    'rules:\n',
    '  - name: a\n',
    '    when:',
    '    then: ',
    ' { always: true }\n',
    '{ reject: x }\n',
    'relay\n',
    '    unless: ',
    '    roles: [post]\n',
    'sets: ',
    '[',
    ']',
    '{',
    '}',
    ': ',
    'author: ',
    'conditions: ',
    'condition: a',
    'skip: ',
    'extends: own\n',
    'with: ',
    '    mode: shadow\n',
    '    until: 2026-01-01\n',
    'in: ',
    'any: ',
    '- ',
    '"',
    '&a ',
    '*a',
    '\n',
    '~',
    '#',
    '!!x ',
  ];
  const text = fc.array(fc.constantFrom(...words), { maxLength: 25 }).map((some) => some.join(''));
  fc.assert(
    fc.property(
      fc.oneof(text, fc.string({ maxLength: 60 })),
      fc.constantFrom('system' as const, 'list' as const),
      (given, scope) => {
        const { ruleset, diagnostics } = load(scope, given);
        assert.equal(
          ruleset === null,
          diagnostics.some((diagnostic) => !isWarning(diagnostic)),
        );
        for (const { place, message } of diagnostics) {
          assert.ok(place.line >= 0 && place.column >= 1 && place.length >= 1);
          assert.notEqual(message, '');
        }
      },
    ),
    { numRuns: 1000, seed: 1 },
  );
});

test('a file that a list may not read is not looked at either', () => {
  const text =
    'version: 1\nsets:\n  a: { file: ../other.txt }\nrules:\n' +
    '  - { name: b, when: { author: { in: a } }, then: relay }\n  - { name: c, when: { taboo: /etc/passwd }, then: { hold: c } }\n';
  const { diagnostics, setFiles } = load('list', text);
  assert.deepEqual([...new Set(diagnostics.map(({ code }) => code))], ['E_NOT_ALLOWED']);
  assert.deepEqual(setFiles, []);
});
