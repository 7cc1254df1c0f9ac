/**
 * What `check` says of conditions that ask a listener for what it is never told.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { configuration, folderWith, postern, RULES } from './running.ts';

const SYSTEM = `version: 1
conditions:
  inside: { any: [ { client_name: { like: "*.example.org" } }, { client_ip: { is: 192.0.2.1 } } ] }
before:
  - { name: plain, when: { not: { tls: "true" } }, then: { note: plain } }
  - { name: a, when: { condition: inside }, then: { note: inside } }
  - { name: b, when: { condition: inside }, unless: { authenticated: "true" }, then: { note: inside } }
  - { name: known, when: { helo: { is: mx } }, then: { note: mx } }
`;

const cases: readonly { readonly listener: string; readonly says: readonly string[] }[] = [
  { listener: 'client_from: peer', says: ['client_name', 'authenticated'] },
  { listener: 'client_from: xforward', says: ['tls', 'authenticated'] },
  { listener: 'client_from: xclient', says: ['tls'] },
  { listener: 'client_from: proxy', says: ['client_name', 'authenticated'] },
];

for (const { listener, says } of cases) {
  test(listener, (t) => {
    const folder = folderWith(t, {
      ...RULES,
      'system.yaml': SYSTEM,
      'postern.yaml': configuration('127.0.0.1:0').replace('"127.0.0.1:0"', `"127.0.0.1:0", ${listener}`),
    });
    const { status, stdout } = postern(folder, 'check', '--format', 'json');
    assert.equal(status, 0);
    const told = JSON.parse(stdout) as { code: string; message: string; place: { file: string } }[];
    const asked = says.map((name) => `\`${name}\` is never known at lmtp:127.0.0.1:0, so what it asks is false there`);
    assert.deepEqual(told.map(({ message }) => message).sort(), asked.sort());
    assert.ok(told.every(({ code, place }) => code === 'W_NEVER_KNOWN' && place.file === join(folder, 'system.yaml')));
  });
}

test('of several listeners those that are not told are named; on a unix socket there is no address', (t) => {
  const postfix =
    'listen: [ { lmtp: "127.0.0.1:0", client_from: xforward }, { lmtp: "unix:a.sock" }, { smtp: "unix:b.sock" } ]';
  const folder = folderWith(t, {
    ...RULES,
    'system.yaml': SYSTEM,
    'postern.yaml': configuration('127.0.0.1:0').replace(/listen: .*/, postfix),
  });
  const { status, stderr } = postern(folder, 'check');
  assert.equal(status, 0);
  const place = (name: string) =>
    `lmtp:unix:${join(folder, 'a.sock')} and smtp:unix:${join(folder, 'b.sock')}, so what it asks`.replace(
      /^/,
      `\`${name}\` is never known at `,
    );
  for (const name of ['client_name', 'client_ip']) assert.ok(stderr.includes(place(name)), stderr);
  assert.match(stderr, /W_NEVER_KNOWN {2}in rule "plain": `tls` is never known at lmtp:127\.0\.0\.1:0, so/);
});
