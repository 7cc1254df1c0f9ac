/**
 * `postern schema`: what it writes, and for whom.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { folderWith, postern } from './running.ts';

interface ListSchema {
  readonly properties: {
    readonly extends: { readonly anyOf: readonly { readonly const?: string }[] };
    readonly with: { readonly properties: Readonly<Record<string, unknown>> };
  };
}

const CONFIG = `version: 1
listen: [ { lmtp: 127.0.0.1:10024 } ]
downstreams: { inbox: { maildir: mail } }
routes: [ { to: inbox } ]
rules: { presets: presets }
`;
const POLITE = `version: 1
preset: polite
summary: Rude subjects are refused.
parameters:
  rude: { type: text, description: What nobody should write., default: idiot }
rules:
  - { name: rude, when: { subject: { contains: $rude } }, then: relay }
`;

test('it writes the schemas that the repository has', (t) => {
  const folder = folderWith(t, {});
  assert.deepEqual(postern(folder, 'schema', '--out', 'made/here'), { status: 0, stdout: '', stderr: '' });
  const names = readdirSync(join(folder, 'made/here')).sort();
  assert.deepEqual(names, ['configuration.json', 'list.json', 'preset.json', 'system.json']);
  for (const name of names) {
    const made = readFileSync(join(folder, 'made/here', name), 'utf8');
    assert.equal(made, readFileSync(join('docs/schema', name), 'utf8'), `${name}: run npm run generate`);
  }
});

test("a site's own presets are offered with their parameters, where a configuration names them", (t) => {
  const folder = folderWith(t, { 'postern.yaml': CONFIG, 'presets/polite.yaml': POLITE });
  const { status, stdout } = postern(folder, 'schema', '--config', 'postern.yaml', 'list');
  assert.equal(status, 0);
  const { properties } = JSON.parse(stdout) as ListSchema;
  assert.deepEqual(
    properties.extends.anyOf.flatMap((one) => one.const ?? []),
    ['polite'],
  );
  assert.deepEqual(Object.keys(properties.with.properties), ['rude', 'polite']);
});

test('a configuration that does not load, and a command line that says nothing', (t) => {
  const folder = folderWith(t, { 'postern.yaml': CONFIG.replace('routes', 'rotues') });
  const broken = postern(folder, 'schema', '--config', 'postern.yaml', '--out', '.');
  assert.equal(broken.status, 1);
  assert.match(broken.stderr, /did you mean "routes"/);
  for (const args of [[], ['lists'], ['list', '--out', '.'], ['list', 'system']]) {
    assert.equal(postern(folder, 'schema', ...args).status, 2, args.join(' '));
  }
});
