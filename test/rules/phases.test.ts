/**
 * When rules can decide, when they will, and what holds them back.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { phasesOf, type RulePhases } from '../../src/rules/phases.ts';
import { rulesetOf } from './load.ts';

function show({ rule, earliest, actual, heldBy, moveAbove }: RulePhases): string {
  const held = heldBy === null ? '' : ` behind ${heldBy.name}`;
  return `${rule.name}: ${earliest} ${actual}${held}${moveAbove === null ? '' : `, above ${moveAbove.name}`}`;
}

const ENVELOPE = 'envelope_from: { is: ann@example.net }';
const HEADER = 'author: { is: ann@example.net }';
const CONTENT = 'size: { above: 1 MB }';

const rule = (name: string, when: string, then = '{ reject: No. }', more = '') =>
  `  - { name: ${name}, when: { ${when} }, then: ${then}${more} }\n`;

const cases: readonly { name: string; before?: string; rules: string; after?: string; expect: readonly string[] }[] = [
  {
    name: 'a condition is known at its phase',
    rules: rule('e', ENVELOPE) + rule('h', HEADER) + rule('c', CONTENT),
    expect: ['e: envelope envelope', 'h: header header', 'c: content content'],
  },
  {
    name: 'a rule waits for the one in front of it',
    rules: rule('h', HEADER) + rule('e', ENVELOPE),
    expect: ['h: header header', 'e: envelope header behind h, above h'],
  },
  {
    name: 'the rule that holds it longest is told, and the first one that it must be moved above',
    rules: rule('h', HEADER) + rule('c', CONTENT) + rule('e', ENVELOPE) + rule('h2', HEADER),
    expect: [
      'h: header header',
      'c: content content',
      'e: envelope content behind c, above h',
      'h2: header content behind c, above c',
    ],
  },
  {
    name: 'all is true with its last child, any with its first',
    rules: rule('all', `all: [{ ${ENVELOPE} }, { ${HEADER} }]`) + rule('any', `any: [{ ${CONTENT} }, { ${HEADER} }]`),
    expect: ['all: header header', 'any: header header'],
  },
  {
    name: 'all may be passed with its first child, any with its last',
    rules:
      rule('all', `all: [{ ${ENVELOPE} }, { ${CONTENT} }]`) +
      rule('e', ENVELOPE) +
      rule('any', `any: [{ ${ENVELOPE} }, { ${CONTENT} }]`) +
      rule('e2', ENVELOPE),
    expect: [
      'all: content content',
      'e: envelope envelope',
      'any: envelope envelope',
      'e2: envelope content behind any, above any',
    ],
  },
  {
    name: 'not turns a clause round, and so does unless',
    rules:
      rule('not', `not: { all: [{ ${ENVELOPE} }, { ${CONTENT} }] }`) +
      rule('unless', ENVELOPE, '{ reject: No. }', `, unless: { ${HEADER} }`),
    expect: ['not: envelope envelope', 'unless: header content behind not, above not'],
  },
  {
    name: 'a rule waits for what its text names, but is passed without it',
    rules: rule('names', ENVELOPE, '{ reject: "Not {author}." }') + rule('e', ENVELOPE),
    expect: ['names: header header', 'e: envelope envelope'],
  },
  {
    name: 'a rule that goes on is passed either way',
    rules:
      rule('edits', `any: [{ ${ENVELOPE} }, { ${CONTENT} }]`, '{ remove_header: X-Old }') +
      rule('names', 'always: true', '{ add_header: { name: X-Author, value: "{author}" } }') +
      rule('e', ENVELOPE),
    expect: ['edits: envelope envelope', 'names: header header', 'e: envelope header behind names, above names'],
  },
  {
    name: 'a rule that always decides is no obstacle, because nothing behind it is asked',
    rules: rule('all', `not: { not: { always: true } }`) + rule('never', 'not: { always: true }') + rule('e', ENVELOPE),
    expect: ['all: envelope envelope', 'never: envelope envelope', 'e: envelope envelope'],
  },
  {
    name: 'the rules of the system are in front, and no rule of a list can be moved above them',
    before: rule('large', CONTENT),
    rules: rule('h', HEADER) + rule('e', ENVELOPE),
    after: rule('last', HEADER),
    expect: ['h: header content behind large', 'e: envelope content behind large'],
  },
  {
    name: 'rules for other roles hold nobody back',
    rules:
      rule('owner', HEADER, '{ reject: No. }', ', roles: [owner]') +
      rule('post', ENVELOPE) +
      rule('both', ENVELOPE, '{ reject: No. }', ', roles: [post, owner]'),
    expect: ['owner: header header', 'post: envelope envelope', 'both: envelope header behind owner, above owner'],
  },
];

for (const { name, before = '', rules, after = '', expect } of cases) {
  test(name, () => {
    const layer = (key: string, some: string) => (some === '' ? '' : `${key}:\n${some}`);
    const system = rulesetOf('system', `version: 1\n${layer('before', before)}${layer('after', after)}`);
    const list = rulesetOf('list', `version: 1\nrules:\n${rules}`);
    assert.deepEqual(phasesOf(system, list).map(show), expect);
  });
}

test('the system alone: behind its first layer its last one', () => {
  const text = `version: 1\nbefore:\n${rule('large', CONTENT)}${rule('e', ENVELOPE)}after:\n${rule('last', HEADER)}`;
  const system = rulesetOf('system', text);
  assert.deepEqual(phasesOf(system, system).map(show), [
    'large: content content',
    'e: envelope content behind large, above large',
    'last: header content behind large',
  ]);
});
