/**
 * `postern test`: what it prints in each format, its exit codes, and that rules whose cases fail are not served by.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { type TestContext, test } from 'node:test';

const MAIN = resolve('dist/cli/main.js');
const LIST = 'lists/lists.example.org/gardeners.yaml';

const CONFIG = `version: 1
listen: [ { lmtp: "127.0.0.1:0" } ]
downstreams: { inbox: { maildir: mail } }
routes: [ { to: inbox } ]
rules: { system: system.yaml, lists: { folder: lists } }
`;
const RULES = `version: 1
rules: [{ name: closed, when: { subject: { contains: sale } }, then: { reject: "No <sales> & \\"ads\\"" } }]
`;
const GOOD = `${RULES}tests: [{ name: "sales #1", message: { subject: Sale! }, expect: { verdict: reject } }]\n`;
const BAD = `${GOOD.replace(/\}\]\n$/, '}')}, { name: all is well, message: { subject: Sale! }, expect: { verdict: relay } }]\n`;

function folderWith(t: TestContext, files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'postern-test-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries({ 'postern.yaml': CONFIG, 'system.yaml': 'version: 1\n', ...files })) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

function postern(folder: string, ...args: readonly string[]) {
  return spawnSync(process.execPath, [MAIN, ...args], { cwd: folder, encoding: 'utf8', timeout: 20_000 });
}

test('all pass', (t) => {
  const { status, stdout } = postern(folderWith(t, { [LIST]: GOOD }), 'test');
  assert.equal(stdout, `${LIST}\n  ok    sales #1 (gardeners@lists.example.org)\n\n1 passed, 0 failed\n`);
  assert.equal(status, 0);
});

const GOT = 'reject 550 5.7.1 "No <sales> & \\"ads\\"" by "closed" at header';
const formats = [
  {
    format: 'pretty',
    expect: `${LIST}
  ok    sales #1 (gardeners@lists.example.org)
  FAIL  all is well (gardeners@lists.example.org)  ${LIST}:3
        expected relay
        got      ${GOT}
        header   rules "closed" true  ${LIST}:2
          subject: true  saw "Sale!"

1 passed, 1 failed
`,
  },
  {
    format: 'tap',
    expect: `TAP version 13
1..2
ok 1 - sales \\#1 (gardeners@lists.example.org)
not ok 2 - all is well (gardeners@lists.example.org)
  ---
  at: "${LIST}:3"
  expected: "relay"
  got: ${JSON.stringify(GOT)}
  ...
`,
  },
  {
    format: 'junit',
    expect: `<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
  <testsuite name="${LIST}" tests="2" failures="1">
    <testcase classname="${LIST}" name="sales #1 (gardeners@lists.example.org)"/>
    <testcase classname="${LIST}" name="all is well (gardeners@lists.example.org)">
      <failure message="expected relay, got reject 550 5.7.1 &quot;No &lt;sales&gt; &amp; \\&quot;ads\\&quot;&quot; by &quot;closed&quot; at header">${LIST}:3</failure>
    </testcase>
  </testsuite>
</testsuites>
`,
  },
];

for (const { format, expect } of formats) {
  test(`one fails, as ${format}`, (t) => {
    const { status, stdout } = postern(folderWith(t, { [LIST]: BAD }), 'test', '--format', format);
    assert.equal(stdout, expect);
    assert.equal(status, 1);
  });
}

test('one fails, as json', (t) => {
  const { status, stdout } = postern(folderWith(t, { [LIST]: BAD }), 'test', '--format', 'json');
  const results = JSON.parse(stdout) as readonly { name: string; passed: boolean; failure: { got: string } | null }[];
  assert.deepEqual(
    results.map(({ name, passed, failure }) => [name, passed, failure?.got ?? null]),
    [
      ['sales #1', true, null],
      ['all is well', false, GOT],
    ],
  );
  assert.equal(status, 1);
});

test('paths, files that do not load, no cases, and a wrong format', (t) => {
  const other = 'lists/lists.example.org/news.yaml';
  const folder = folderWith(t, { [LIST]: GOOD, [other]: 'version: 1\nruls: []\n' });
  const cases = [
    { args: [], status: 1, out: /1 passed, 0 failed/, err: /news\.yaml:2:1 {2}E_UNKNOWN_KEY/ },
    { args: [LIST], status: 0, out: /1 passed, 0 failed/, err: /^$/ },
    { args: ['lists'], status: 1, out: /1 passed/, err: /E_UNKNOWN_KEY/ },
    { args: ['system.yaml'], status: 0, out: /there are no cases/, err: /^$/ },
    { args: ['--format', 'xml'], status: 2, out: /^$/, err: /pretty, json, tap, junit, not "xml"/ },
    { args: ['--config', 'no.yaml'], status: 1, out: /^$/, err: /no\.yaml {2}E_FILE/ },
  ];
  for (const { args, status, out, err } of cases) {
    const got = postern(folder, 'test', ...args);
    assert.equal(got.status, status, args.join(' '));
    assert.match(got.stdout, out, args.join(' '));
    assert.match(got.stderr, err, args.join(' '));
  }
});

test('rules of the system whose case fails are not served by; explain still tells why', (t) => {
  const system = BAD.replace('rules:', 'before:').replaceAll('message:', 'recipients: a@example.org, message:');
  const folder = folderWith(t, { [LIST]: GOOD, 'system.yaml': system, 'message.eml': 'Subject: Sale\n\n' });
  for (const command of ['serve', 'check']) {
    const { status, stderr } = postern(folder, command);
    assert.equal(status, 1, command);
    assert.match(stderr, /system\.yaml:3:\d+ {2}E_TEST {2}the case "all is well" fails for a@example\.org/, command);
  }
  assert.equal(postern(folder, 'explain', 'message.eml', '--to', 'a@example.org').status, 0);
});

test("a list's file whose case fails does not load, and check says so", (t) => {
  const { status, stderr } = postern(folderWith(t, { [LIST]: BAD }), 'check', LIST);
  assert.equal(status, 1);
  assert.match(stderr, /gardeners\.yaml:3:\d+ {2}E_TEST[\s\S]*= fix: .*postern test/);
});
