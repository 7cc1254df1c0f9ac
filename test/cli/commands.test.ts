/**
 * The command line as a user meets it: exit codes, where what is printed, what an operator's mistakes get.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { connectPeer } from '../support/peer.ts';
import { configuration, folderWith, freePort, post, postern, RULES, type Running, start } from './running.ts';

const ANYWHERE = '127.0.0.1:0';

const SITE = {
  ...RULES,
  'postern.yaml': configuration(ANYWHERE),
  'message.eml': 'From: Eve <eve@example.com>\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\n\nHello\n',
};

/** Serves `folder` at a free port. */
async function serve(t: TestContext, folder: string): Promise<Running & { readonly port: number }> {
  const port = await freePort();
  writeFileSync(join(folder, 'postern.yaml'), configuration(`127.0.0.1:${port}`));
  const service = start(t, folder);
  await service.says(/"event":"listening"/);
  return { ...service, port };
}

test('without arguments, with a wrong one, with --help', (t) => {
  const folder = folderWith(t, {});
  const cases = [
    { args: [], status: 2, out: /^$/, err: /Usage: postern COMMAND/ },
    { args: ['--help'], status: 0, out: /Usage: postern COMMAND/, err: /^$/ },
    { args: ['--version'], status: 0, out: /^postern \d+\.\d+\.\d+\n$/, err: /^$/ },
    { args: ['sevre'], status: 2, out: /^$/, err: /"sevre" is no command/ },
    { args: ['serve', '--help'], status: 0, out: /Example: postern serve/, err: /^$/ },
    { args: ['check', '--help'], status: 0, out: /Example: postern check/, err: /^$/ },
    { args: ['explain', '--help'], status: 0, out: /Examples: postern explain/, err: /^$/ },
    { args: ['serve', '--confg', 'x'], status: 2, out: /^$/, err: /--confg/ },
    { args: ['check', '--format', 'xml'], status: 2, out: /^$/, err: /text or json/ },
    { args: ['explain'], status: 2, out: /^$/, err: /message/ },
  ];
  for (const { args, status, out, err } of cases) {
    const got = postern(folder, ...args);
    assert.equal(got.status, status, args.join(' '));
    assert.match(got.stdout, out, args.join(' '));
    assert.match(got.stderr, err, args.join(' '));
  }
});

test("an operator's mistakes: one clear message each, exit 1, no stack", (t) => {
  const cases = [
    { name: 'no configuration', files: {}, says: /postern\.yaml.*E_FILE/ },
    {
      name: 'an unknown key',
      files: { ...SITE, 'postern.yaml': configuration(ANYWHERE, 'limts: {}\n') },
      says: /E_UNKNOWN_KEY.*[\s\S]*limits/,
    },
    { name: 'rules missing', files: { ...SITE, 'system.yaml': undefined }, says: /system\.yaml.*E_FILE/ },
    {
      name: 'rules broken',
      files: { ...SITE, 'system.yaml': 'version: 1\nbefore: [ { nmae: x } ]\n' },
      says: /system\.yaml:2:/,
    },
  ];
  for (const { name, files, says } of cases) {
    const present = Object.entries(files).filter((entry): entry is [string, string] => entry[1] !== undefined);
    const folder = folderWith(t, Object.fromEntries(present));
    for (const command of ['serve', 'check']) {
      const got = postern(folder, command);
      assert.equal(got.status, 1, `${name}: ${command}: ${got.stderr}`);
      assert.match(got.stderr, says, `${name}: ${command}`);
      assert.doesNotMatch(got.stderr, /\n {4}at /, `${name}: ${command}`);
    }
  }
});

test('a port in use: one line that says what to do, exit 1', async (t) => {
  const other = createServer();
  await new Promise<void>((done) => other.listen(0, '127.0.0.1', done));
  t.after(() => other.close());
  const address = other.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  const folder = folderWith(t, { ...SITE, 'postern.yaml': configuration(`127.0.0.1:${port}`) });
  const { status, stderr } = postern(folder, 'serve');
  assert.equal(status, 1);
  assert.match(stderr, /^postern: cannot listen on lmtp:127\.0\.0\.1:\d+: another program listens there.*\n$/);
});

test('check names every list file that does not load, and only warns of the rest', (t) => {
  const good = folderWith(t, SITE);
  assert.equal(postern(good, 'check').status, 0);
  const bad = folderWith(t, {
    ...SITE,
    'lists/lists.example.org/news.yaml': 'version: 1\nlist: other@lists.example.org\n',
  });
  const { status, stderr } = postern(bad, 'check');
  assert.equal(status, 1);
  assert.match(stderr, /news\.yaml:2:\d+.*E_PLACE/);
  const asData: unknown = JSON.parse(postern(bad, 'check', '--format', 'json').stdout);
  assert.ok(Array.isArray(asData) && asData.length >= 1);
  assert.equal(postern(bad, 'check', 'lists/lists.example.org/gardeners.yaml').status, 0);
  assert.match(postern(good, 'check', '--print').stdout, /bare_newline: reject/);
});

test('check PATH tells what keeps it from looking at the path', (t) => {
  const list = 'lists/lists.example.org/gardeners.yaml';
  const nothing = postern(folderWith(t, {}), 'check', list);
  assert.equal(nothing.status, 1);
  assert.match(nothing.stderr, /postern\.yaml {2}E_FILE[\s\S]*does not load: 1 error/);
  const noSystem = postern(folderWith(t, { ...SITE, 'system.yaml': 'version: 2\n' }), 'check', list);
  assert.equal(noSystem.status, 1);
  assert.match(noSystem.stderr, /system\.yaml:1:\d+ {2}E_VALUE/);
});

test('explain: the verdict of each recipient, and why', (t) => {
  const folder = folderWith(t, SITE);
  const args = [
    'explain',
    'message.eml',
    '--from',
    'eve@example.com',
    '--to',
    'gardeners@lists.example.org',
    '--to',
    'x@example.org',
  ];
  const { status, stdout } = postern(folder, ...args);
  assert.equal(status, 0);
  assert.match(stdout, /550 5\.7\.1 Only subscribers may post to gardeners@lists\.example\.org/);
  assert.match(stdout, /subscribers-only/);
  assert.match(stdout, / {2}lists\/lists\.example\.org\/gardeners\.yaml:4\n/);
  assert.match(stdout, /x@example\.org[\s\S]*relay/i);
  const data = JSON.parse(postern(folder, ...args, '--json').stdout) as readonly { verdict: string }[];
  assert.deepEqual(
    data.map(({ verdict }) => verdict),
    ['reject', 'relay'],
  );
});

test('serve: SIGHUP reloads all or nothing, a list file needs no signal, SIGTERM drains', async (t) => {
  const folder = folderWith(t, SITE);
  const service = await serve(t, folder);
  assert.match((await post(service.port, 'ann@example.net')) ?? '', /^250 /);
  assert.match((await post(service.port, 'eve@example.com')) ?? '', /^550 5\.7\.1 Only subscribers/);

  const closed = 'version: 1\nbefore:\n  - name: closed\n    when: { always: true }\n    then: { defer: Closed }\n';
  writeFileSync(join(folder, 'system.yaml'), closed.replace('defer', 'defr'));
  service.process.kill('SIGHUP');
  await service.says(/"event":"reload-refused"/);
  assert.match((await post(service.port, 'ann@example.net')) ?? '', /^250 /);

  const failing = `${closed}tests: [ { name: open, recipients: a@example.org, expect: { verdict: relay } } ]\n`;
  writeFileSync(join(folder, 'system.yaml'), failing);
  service.process.kill('SIGHUP');
  await service.says(/E_TEST[\s\S]*"event":"reload-refused"/);
  assert.match((await post(service.port, 'ann@example.net')) ?? '', /^250 /);

  writeFileSync(join(folder, 'system.yaml'), closed);
  service.process.kill('SIGHUP');
  await service.says(/"event":"reloaded"/);
  const client = await connectPeer(service.port);
  await client.reply();
  await client.ask('LHLO c');
  await client.ask('MAIL FROM:<ann@example.net>');
  assert.match((await client.ask('RCPT TO:<gardeners@lists.example.org>')) ?? '', /^451 4\.7\.1 Closed/);
  client.socket.destroy();

  const { port } = service;
  writeFileSync(
    join(folder, 'postern.yaml'),
    configuration(`127.0.0.1:${port}`, 'limits: { message: 1 MB }\n').replace(' } ]', ', received: true } ]'),
  );
  writeFileSync(join(folder, 'system.yaml'), SITE['system.yaml']);
  service.process.kill('SIGHUP');
  await service.says(/"event":"reloaded"[\s\S]*"event":"reloaded"/);
  const later = await connectPeer(port);
  await later.reply();
  assert.match((await later.ask('LHLO c')) ?? '', /250-SIZE 1048576\n/, 'the same socket, new promises');
  later.socket.destroy();

  service.process.kill('SIGTERM');
  assert.equal(await service.ended, 0);
  assert.match(service.output(), /"event":"stopped"/);
});

test('serve: a transaction begun before a reload ends by the rules it began with', async (t) => {
  const folder = folderWith(t, SITE);
  const service = await serve(t, folder);
  const client = await connectPeer(service.port);
  await client.reply();
  await client.ask('LHLO c');
  await client.ask('MAIL FROM:<ann@example.net>');
  assert.match((await client.ask('RCPT TO:<gardeners@lists.example.org>')) ?? '', /^250 /);
  const marked =
    'version: 1\nafter:\n  - name: closed\n    when: { subject: { is: x } }\n    then: { reject: Closed }\n';
  writeFileSync(join(folder, 'system.yaml'), marked);
  service.process.kill('SIGHUP');
  await service.says(/"event":"reloaded"/);
  await client.ask('DATA');
  assert.match((await client.ask('From: ann@example.net\r\nSubject: x\r\n\r\nx\r\n.')) ?? '', /^250 /);
  await client.ask('MAIL FROM:<ann@example.net>');
  await client.ask('RCPT TO:<gardeners@lists.example.org>');
  await client.ask('DATA');
  assert.match((await client.ask('From: ann@example.net\r\nSubject: x\r\n\r\nx\r\n.')) ?? '', /^550 5\.7\.1 Closed/);
  client.socket.destroy();
});

test('check --phases: when each rule decides, and what holds it back', (t) => {
  const rules = (layer: string) => `version: 1
${layer}:
  - { name: large, when: { size: { above: 1 MB } }, then: { reject: Too large. } }
  - { name: robots, when: { envelope_from: { is: robot@example.net } }, then: { reject: No robots. } }
`;
  const list = 'lists/lists.example.org/gardeners.yaml';
  const folder = folderWith(t, { ...SITE, 'system.yaml': rules('before') });
  assert.equal(
    postern(folder, 'check', '--phases').stdout,
    `system.yaml
  before "large" decides after the final dot
  before "robots" decides after the final dot, could at RCPT
    held back by before "large"  system.yaml:3
    would decide at RCPT if moved above "large"

${list}
  rules "subscribers-only" decides after the final dot, could at the end of the header section
    held back by before "large"  system.yaml:3

`,
  );
  const data = JSON.parse(postern(folder, 'check', '--phases', '--format', 'json', list).stdout) as {
    readonly diagnostics: readonly unknown[];
    readonly phases: readonly unknown[];
  };
  assert.deepEqual(data.diagnostics, []);
  assert.deepEqual(data.phases, [
    {
      file: join(folder, list),
      line: 4,
      layer: 'rules',
      rule: 'subscribers-only',
      earliest: 'header',
      actual: 'content',
      heldBy: { rule: 'large', file: join(folder, 'system.yaml'), line: 3 },
      moveAbove: null,
    },
  ]);
});

test('explain: where a message goes instead, who gets a copy, and that it would not be sent on twice', (t) => {
  const system = `version: 1
before:
  - { name: old, when: { list: { is: old@lists.example.org } }, then: [ { tag: old }, { copy: archive@example.org }, { redirect: new@lists.example.org } ] }
  - { name: odd, when: { list: { is: odd@lists.example.org } }, then: { quarantine: inbox } }
`;
  const looped = 'X-Loop: old@lists.example.org\nSubject: x\n\nx\n';
  const folder = folderWith(t, { ...SITE, 'system.yaml': system, 'looped.eml': looped });
  const to = ['--to', 'old@lists.example.org', '--to', 'odd-owner@lists.example.org'];
  const { status, stdout } = postern(folder, 'explain', 'message.eml', ...to);
  assert.equal(status, 0);
  assert.match(
    stdout,
    /^old@\S+\n {2}REDIRECT new@lists\.example\.org to inbox at RCPT: rule "old" {2}system\.yaml:3\n {2}add X-Postern-Tag: old\n {2}copy archive@example\.org to inbox; add X-Postern-Tag: old\n/,
  );
  assert.match(stdout, /\nodd-owner@\S+ {2}\(owner of odd@\S+\)\n {2}QUARANTINE to inbox at RCPT: rule "odd"/);
  assert.match(
    postern(folder, 'explain', 'looped.eml', ...to).stdout,
    /\n {2}550 5\.4\.6 Mail loop: .*\(id EXPLAINED\)\n/,
  );
  const [first] = JSON.parse(postern(folder, 'explain', 'message.eml', ...to, '--json').stdout) as Record<
    string,
    unknown
  >[];
  assert.deepEqual(
    [first?.['verdict'], first?.['redirect'], first?.['copies']],
    [
      'redirect',
      'new@lists.example.org',
      [{ to: 'archive@example.org', downstream: 'inbox', edits: ['add X-Postern-Tag: old'] }],
    ],
  );
});
