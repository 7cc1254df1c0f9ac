/**
 * What a list owner sees in an editor: completion, help and underlines from docs/schema by the real language server.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { combinations } from '../../src/rules/file-schema.ts';
import { actions, conditions } from '../../src/rules/registry.ts';
import { LanguageServer } from './language-server.ts';

const server = await LanguageServer.start();
after(() => server.stop());

function file(kind: string, ...lines: readonly string[]): string {
  return [`# yaml-language-server: $schema=../../docs/schema/${kind}.json`, ...lines, ''].join('\n');
}

function rule(...lines: readonly string[]): string {
  return file('list', 'version: 1', 'rules:', '  - name: a', ...lines.map((line) => `    ${line}`));
}

const SOUND = ['when: { always: true }', 'then: relay'];

test('completion after `when:` offers every condition, in the file of a list and in a preset', async () => {
  const all = [...conditions.keys(), ...Object.keys(combinations)];
  assert.deepEqual(await server.complete(rule('when:', '  |')), all);
  const preset = file('preset', 'version: 1', 'rules:', '  - name: a', '    when:', '      |');
  assert.deepEqual(await server.complete(preset), all);
});

test('completion after `then:` offers every action', async () => {
  const offered = await server.complete(rule('then:', '  |'));
  for (const name of actions.keys()) assert.ok(offered.includes(name), name);
});

test('completion offers match words, presets with their parameters, and words to choose from', async () => {
  const words = await server.complete(rule('when:', '  author:', '    |'));
  assert.deepEqual(words, ['is', 'like', 'domain', 'in', 'not_in']);
  const presets = await server.complete(file('list', 'version: 1', 'extends: |'));
  assert.ok(presets.includes('announce-only') && presets.includes('size-limit'), presets.join(', '));
  const parameters = await server.complete(file('list', 'version: 1', 'extends: size-limit', 'with:', '  |'));
  assert.ok(parameters.includes('limit') && parameters.includes('members'), parameters.join(', '));
  assert.deepEqual(await server.complete(rule('mode: |')), ['enforce', 'shadow']);
  const listener = await server.complete(file('configuration', 'version: 1', 'listen:', '  - mixed: |'));
  assert.deepEqual(listener, ['split', 'strictest', 'prdr']);
});

test('hover explains a match word, a condition, an action and a key of a rule, each with an example', async () => {
  const cases: readonly (readonly [string, string, RegExp, RegExp])[] = [
    ['not_in', 'when: { author: { not|_in: members } }', /in none of the sets or addresses/, /- members\n- guests/],
    [
      'author',
      'when: { au|thor: { not_in: members } }',
      /^#### conditions?\n\nAsks the addresses in From:/,
      /is: ann@/,
    ],
    ['reject', 'then: { re|ject: No. }', /^#### reject\n\nRefuses the message for good/, /Only subscribers may post/],
    ['status', 'then: { reject: No., stat|us: 5.3.4 }', /^#### enhanced status code\n/, /5\.7\.1/],
    ['unless', 'unl|ess: { always: true }', /The exception/, /starts_with: "\[guest\]"/],
    ['above', 'when: { size: { ab|ove: 20 MB } }', /^#### size\n\nMore octets than that/, /20 MB/],
  ];
  for (const [name, line, says, shows] of cases) {
    const told = await server.hover(rule(line));
    assert.match(told, says, name);
    assert.match(told, shows, name);
  }
});

/** A line of a rule, what is underlined in it, and what is said. */
const mistakes: readonly (readonly [string, string, RegExp])[] = [
  ['when: { autor: { not_in: members } }', 'autor', /autor is not allowed/],
  ['when: { author: { notin: members } }', 'notin', /notin is not allowed/],
  ['when: {}', '{}', /fewer properties/],
  ['when: { author: {} }', '{}', /fewer properties/],
  ['unless: { size: { above: 20 } }', '20', /Expected "string"/],
  ['unless: { size: { above: 20 megabytes } }', '20 megabytes', /\[KMGkmg\]\?\[Bb\]/],
  ['unless: { rate: { per: author, above: 20 } }', '20', /Expected "string"/],
  ['unless: { addressed_to_list: yes }', 'yes', /true\|false/],
  ['unless: { auto_submitted: maybe }', 'maybe', /Valid values: "yes", "no", "auto-replied"/],
  ['roles: [poster]', 'poster', /Valid values: "post", "owner"/],
  ['then: { rejekt: No. }', 'rejekt', /rejekt is not allowed/],
  ['then: { reject: No., status: 4.7.1 }', '4.7.1', /\^5/],
  ['then: { reject: No., defer: No. }', 'defer', /defer is not allowed/],
  ['overridable: true', 'overridable', /overridable is not allowed/],
  ['until: tomorrow', 'tomorrow', /pattern/],
];
for (const [line, text, says] of mistakes) {
  test(`underlined: ${line}`, async () => {
    const others = SOUND.filter((sound) => sound.slice(0, 4) !== line.slice(0, 4));
    const underlined = await server.underlined(rule(line, ...others));
    const found = underlined.filter((one) => one.text === text && says.test(one.message));
    assert.ok(found.length > 0, JSON.stringify(underlined));
  });
}

test('what is sound is not underlined', async () => {
  const told = await server.underlined(
    rule(
      'roles: [post, owner]',
      'when: { subject: { is: [2024, true, tulips] }, size: { above: 1.5 MB } }',
      'then: relay',
    ),
  );
  assert.deepEqual(told, []);
});
