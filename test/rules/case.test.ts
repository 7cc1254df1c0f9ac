/**
 * Rule cases: what they find, where they say it, and that rules whose cases fail are not in force.
 */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { formatDiagnostic } from '../../src/yaml/frame.ts';
import type { CaseResult } from '../../src/rules/case.ts';
import { openRulebook, type Rulebook } from '../../src/rules/rulebook.ts';
import { factsOf, mailbox, memoryLog } from './facts.ts';
import { printVerdict } from './load.ts';

let folder = '';
let log = memoryLog();
let clock = 0;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'postern-cases-'));
  mkdirSync(join(folder, 'lists'));
  log = memoryLog();
  clock = 0;
});
afterEach(() => rmSync(folder, { recursive: true }));

const SYSTEM = 'system.yaml';
const GARDENERS = 'lists/lists.example.org/gardeners.yaml';
const NEWS = 'lists/lists.example.org/news.yaml';
const DEFAULT = 'lists/lists.example.org/_default.yaml';

/** The rules of the list that most cases here are about. */
const RULES = `version: 1
sets:
  members: { file: rosters/members.txt }
  blocked: { values: [spammer@example.net] }
  relays: { addresses: [192.0.2.0/24] }
rules:
  - { name: blocked, when: { envelope_from: { in: blocked } }, then: { defer: "Not now, {envelope_from}." } }
  - { name: robots, when: { header: { name: Auto-Submitted, is: auto-replied } }, then: { discard: "robot of {list}" } }
  - name: members-only
    when: { author: { not_in: members } }
    unless: { client_ip: { in: relays } }
    then: { reject: "Only members may post to {list}." }
  - { name: too-large, when: { size: { above: 1 MB } }, then: { reject: "Too large.", status: 5.3.4 } }
tests:
`;

function write(name: string, text: string): string {
  const file = join(folder, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

function open(): Rulebook {
  const { rulebook, diagnostics } = openRulebook({
    system: join(folder, SYSTEM),
    lists: { folder: join(folder, 'lists'), dialect: 'mailman' },
    downstreams: ['archive', 'junk'],
    maildirs: ['junk'],
    presets: 'rules/presets',
    log,
    now: () => clock,
  });
  assert.deepEqual(diagnostics, []);
  assert.ok(rulebook !== null);
  return rulebook;
}

/** All results of one file; the others are as they are. */
async function run(name: string, text: string): Promise<readonly CaseResult[]> {
  write(name, text);
  const rulebook = open();
  const file = rulebook.readAll().files.find((one) => one.file === join(folder, name));
  assert.ok(file !== undefined);
  assert.deepEqual(
    file.loaded.diagnostics.map((diagnostic) => formatDiagnostic(diagnostic, text)),
    [],
  );
  const results = await rulebook.test(file);
  rulebook.close();
  return results;
}

/** Each result on one line: what passed, or what was expected, got, and the key it is told at. */
function lines(results: readonly CaseResult[], text: string): readonly string[] {
  return results.map(({ name, recipient, failure }) => {
    if (failure === null) return `ok ${name} ${recipient}`;
    const { line, column, length } = failure.place;
    const at = (text.split('\n')[line - 1] ?? '').slice(column - 1, column - 1 + length);
    return `${name}: expected ${failure.expected}, got ${failure.got} (${failure.code} at ${at})`;
  });
}

const TO = 'gardeners@lists.example.org';
const cases: readonly { name: string; given: string; expect: readonly string[] }[] = [
  {
    name: 'a set that is a file has the members that the case gives, and no others',
    given: `
  - { name: a, message: { from: ann@example.net }, given: { members: [ann@example.net] }, expect: { verdict: relay } }
  - { name: b, message: { from: ann@example.net }, expect: { verdict: reject, rule: members-only, phase: header } }`,
    expect: [`ok a ${TO}`, `ok b ${TO}`],
  },
  {
    name: 'a set of the file keeps its members, and can be given others',
    given: `
  - { name: a, envelope_from: spammer@example.net, expect: { verdict: defer, phase: envelope, status: 4.7.1 } }
  - { name: b, envelope_from: spammer@example.net, given: { blocked: [bob@example.net], members: "*@example.net" }, expect: { verdict: relay } }
  - { name: c, client_ip: 192.0.2.7, expect: { verdict: relay } }
  - { name: d, client_ip: 192.0.2.7, given: { relays: ["2001:db8::/32"] }, expect: { verdict: reject, rule: members-only } }`,
    expect: [`ok a ${TO}`, `ok b ${TO}`, `ok c ${TO}`, `ok d ${TO}`],
  },
  {
    name: 'the author is the reverse-path, unless another one is given',
    given: `
  - { name: a, message: { from: "Spam <spammer@example.net>" }, expect: { verdict: defer } }
  - { name: b, message: { from: spammer@example.net }, envelope_from: ann@example.net, expect: { verdict: reject } }
  - { name: c, message: { from: spammer@example.net }, envelope_from: "<>", expect: { verdict: reject } }`,
    expect: [`ok a ${TO}`, `ok b ${TO}`, `ok c ${TO}`],
  },
  {
    name: 'the first key that is wrong is told at its place',
    given: `
  - { name: verdict, message: { headers: { Auto-Submitted: auto-replied } }, expect: { verdict: relay } }
  - { name: rule, message: { size: 2 MB }, given: { members: "*@example.net" }, expect: { verdict: reject, rule: members-only } }
  - { name: phase, expect: { verdict: reject, phase: envelope } }
  - { name: status, expect: { verdict: reject, status: 5.7.2 } }
  - { name: text, expect: { verdict: reject, text: { contains: [subscribers, friends] } } }
  - { name: note, message: { headers: { Auto-Submitted: auto-replied } }, expect: { verdict: discard, text: { is: robot } } }`,
    expect: [
      `verdict: expected relay, got discard "robot of ${TO}" by "robots" at header (E_TEST at relay)`,
      'rule: expected reject by "members-only", got reject 552 5.3.4 "Too large." by "too-large" at content (E_TEST at members-only)',
      `phase: expected reject at envelope, got reject 550 5.7.1 "Only members may post to ${TO}." by "members-only" at header (E_TEST at envelope)`,
      `status: expected reject 5.7.2, got reject 550 5.7.1 "Only members may post to ${TO}." by "members-only" at header (E_TEST at 5.7.2)`,
      `text: expected reject with a text that contains "subscribers" or "friends", got reject 550 5.7.1 "Only members may post to ${TO}." by "members-only" at header (E_TEST at { contains: [subscribers, friends] })`,
      `note: expected discard with a text that is "robot", got discard "robot of ${TO}" by "robots" at header (E_TEST at { is: robot })`,
    ],
  },
  {
    name: 'texts are compared folded, without the id, and know the list',
    given: `
  - { name: a, expect: { verdict: reject, text: { is: "only members may post to {list}." } } }
  - { name: b, envelope_from: spammer@example.net, expect: { verdict: defer, text: { is: "Not now, spammer@example.net.", raw: true } } }
  - { name: c, expect: { verdict: reject, text: { like: "only * post to *", regex: "^only" } } }`,
    expect: [`ok a ${TO}`, `ok b ${TO}`, `ok c ${TO}`],
  },
  {
    name: 'every address of the list, each with its own answer',
    given: `
  - name: a
    expect:
      gardeners@lists.example.org: { verdict: reject }
      gardeners-owner@lists.example.org: { verdict: relay }
      gardeners+tulips@lists.example.org: { verdict: reject, rule: members-only }
  - { name: b, recipients: [gardeners-join@lists.example.org, gardeners@lists.example.org], expect: { verdict: relay } }`,
    expect: [
      `ok a ${TO}`,
      'ok a gardeners-owner@lists.example.org',
      'ok a gardeners+tulips@lists.example.org',
      'ok b gardeners-join@lists.example.org',
      `b: expected relay, got reject 550 5.7.1 "Only members may post to ${TO}." by "members-only" at header (E_TEST at relay)`,
    ],
  },
  {
    name: 'a message from a file, with the line ends of this system',
    given: `
  - { name: a, message: { file: fixtures/robot.eml }, expect: { verdict: discard, rule: robots } }`,
    expect: [`ok a ${TO}`],
  },
  {
    name: 'what a case leaves out is ordinary, and several fields of a name are several fields',
    given: `
  - { name: a, given: { members: ann@example.net }, expect: { verdict: relay } }
  - { name: b, message: { headers: { From: [ann@example.net, eve@example.com] } }, given: { members: ann@example.net }, expect: { verdict: reject } }
  - { name: c, message: { headers: { X-Long: "one\\ntwo" }, body: "A\\n\\nB" }, given: { members: ann@example.net }, expect: { verdict: relay } }`,
    expect: [`ok a ${TO}`, `ok b ${TO}`, `ok c ${TO}`],
  },
];

for (const { name, given, expect } of cases) {
  test(name, async () => {
    write(SYSTEM, 'version: 1\n');
    write(
      'lists/lists.example.org/fixtures/robot.eml',
      'From: eve@example.com\nAuto-Submitted: auto-replied\n\nI am away\n',
    );
    const text = `${RULES}${given}\n`;
    assert.deepEqual(lines(await run(GARDENERS, text), text), expect);
  });
}

test('what a case expects of the header section is that with which the message goes on', async () => {
  write(SYSTEM, 'version: 1\n');
  const text = `version: 1
rules:
  - name: new
    when: { subject: { contains: new } }
    then: [ { subject_prefix: "[Gärtner]" }, { remove_header: X-Secret }, { tag: a }, { tag: b }, { hold: "{author} is new" } ]
tests:
  - name: edits
    message: { subject: A new one, headers: { X-Secret: "yes", X-Postern-Hold: forged } }
    expect:
      verdict: relay
      headers:
        X-Postern-Hold: ann@example.net is new
        x-postern-tag: [b, c]
        Subject: { starts_with: "[gärtner]", ends_with: one }
        X-Secret: { exists: false }
        From: { is: ann@example.net, raw: true }
  - { name: none, message: { headers: { X-Postern-Tag: forged } }, expect: { verdict: relay, headers: { X-Postern-Tag: { exists: false } } } }
  - { name: another, message: { subject: new }, expect: { verdict: relay, headers: { From: ann@example.net, X-Postern-Tag: c } } }
  - { name: missing, expect: { verdict: relay, headers: { X-Postern-Hold: { contains: new } } } }
  - { name: words, message: { subject: new }, expect: { verdict: relay, headers: { Subject: { starts_with: "Re:", contains: [x, y] } } } }
`;
  assert.deepEqual(lines(await run(GARDENERS, text), text), [
    `ok edits ${TO}`,
    `ok none ${TO}`,
    'another: expected relay with From is "ann@example.net", X-Postern-Tag is "c", got relay by "new" at header with X-Postern-Tag: "a", "b" (E_TEST at c)',
    'missing: expected relay with X-Postern-Hold contains "new", got relay at header with X-Postern-Hold: no such field (E_TEST at { contains: new })',
    'words: expected relay with Subject contains "x" or "y" and starts_with "Re:", got relay by "new" at header with Subject: "[Gärtner] new" (E_TEST at { starts_with: "Re:", contains: [x, y] })',
  ]);
});

test('where a message goes, and who gets a copy', async () => {
  const text = `version: 1
before:
  - { name: old, when: { list: { is: old@lists.example.org } }, then: [ { copy: a@example.org }, { copy: b@example.org }, { redirect: new@lists.example.org } ] }
  - { name: odd, when: { list: { is: odd@lists.example.org } }, then: [ { tag: odd }, { quarantine: junk } ]}
  - { name: kept, when: { list: { is: kept@lists.example.org } }, then: { relay: archive } }
tests:
  - { name: all, recipients: old@lists.example.org, expect: { verdict: redirect, to: new@LISTS.example.org, copies: [b@example.org, a@example.org], phase: envelope } }
  - { name: to, recipients: old@lists.example.org, expect: { verdict: redirect, to: newer@lists.example.org } }
  - { name: copies, recipients: old@lists.example.org, expect: { verdict: redirect, copies: a@example.org } }
  - { name: no-copies, recipients: odd@lists.example.org, expect: { verdict: quarantine, copies: [], downstream: junk, headers: { X-Postern-Tag: odd } } }
  - { name: relayed, recipients: kept@lists.example.org, expect: { verdict: relay, downstream: archive } }
  - { name: elsewhere, recipients: kept@lists.example.org, expect: { verdict: relay, downstream: junk } }
`;
  const where = 'got redirect new@lists.example.org with a copy to a@example.org, b@example.org by "old" at envelope';
  assert.deepEqual(lines(await run(SYSTEM, text), text), [
    'ok all old@lists.example.org',
    `to: expected redirect newer@lists.example.org, ${where} (E_TEST at newer@lists.example.org)`,
    `copies: expected redirect with a copy to a@example.org, ${where} (E_TEST at a@example.org)`,
    'ok no-copies odd@lists.example.org',
    'ok relayed kept@lists.example.org',
    'elsewhere: expected relay to junk, got relay to archive by "kept" at envelope (E_TEST at junk)',
  ]);
});

test('each case meets an empty memory, and neither counts nor is remembered where mail is', async () => {
  write(SYSTEM, 'version: 1\n');
  const limits = [
    '  - { name: flood, when: { rate: { per: list, above: 1 per day } }, then: { defer: full } }',
    '  - { name: copies, when: { seen: { key: body, within: 1 day } }, then: { discard: copy } }',
    '  - { name: one, when: { rate: { per: list, above: 0 per day }, envelope_from: { empty: true } }, then: { reject: no } }',
  ].join('\n');
  const text = `version: 1
rules:
${limits}
tests:
  - { name: a, expect: { verdict: relay } }
  - { name: b, expect: { verdict: relay } }
  - { name: c, envelope_from: "<>", expect: { verdict: reject, rule: one } }
`;
  assert.deepEqual(
    (await run(GARDENERS, text)).map(({ failure }) => failure),
    [null, null, null],
  );
  const rulebook = open();
  assert.equal(await ask(rulebook), 'relay');
  rulebook.close();
});

test('a message whose file is missing fails at the place of the file', async () => {
  write(SYSTEM, 'version: 1\n');
  const text = `${RULES}  - { name: a, message: { file: no.eml }, expect: { verdict: relay } }\n`;
  const [line = ''] = lines(await run(GARDENERS, text), text);
  assert.match(line, /^a: expected a message, got ENOENT.* \(E_FILE at no\.eml\)$/);
});

test('a failing case comes with the rules that were asked, the last of which decided', async () => {
  write(SYSTEM, 'version: 1\n');
  const [result] = await run(GARDENERS, `${RULES}  - { name: a, expect: { verdict: relay } }\n`);
  const trace = result?.failure?.trace ?? [];
  assert.deepEqual(
    trace.map(({ phase, rule, truth }) => `${phase} ${rule} ${truth}`),
    ['envelope blocked false', 'envelope robots later', 'header robots false', 'header members-only true'],
  );
  assert.equal(trace.at(-1)?.clauses[0]?.saw, 'ann@example.net');
});

const TWO_LISTS = `version: 1
rules: [{ name: closed, when: { subject: { is: closed } }, then: { reject: Closed. } }]
tests:
  - name: two lists, two answers
    message: { subject: Closed }
    expect:
      gardeners@lists.example.org: { verdict: reject, rule: closed }
      news@lists.example.org: { verdict: reject, rule: announcements, text: { contains: announcement } }
      roses@lists.example.org: { verdict: reject, rule: of-the-domain }
      x@elsewhere.example: { verdict: relay }
`;
const ANNOUNCEMENTS = `version: 1
rules: [{ name: announcements, when: { always: true }, then: { reject: "An announcement list." } }]
`;

test('a recipient of another list meets the rules of that list', async () => {
  write(SYSTEM, 'version: 1\n');
  write(NEWS, ANNOUNCEMENTS);
  write(DEFAULT, ANNOUNCEMENTS.replace('announcements', 'of-the-domain'));
  const results = await run(GARDENERS, TWO_LISTS);
  assert.deepEqual(
    results.map(({ failure }) => failure),
    [null, null, null, null],
  );
});

test('no list stops another one: what it expects of others is for `postern test` alone', async () => {
  write(SYSTEM, 'version: 1\n');
  write(NEWS, 'version: 1\nruls: []\n');
  write(GARDENERS, TWO_LISTS);
  const rulebook = open();
  assert.deepEqual(
    (await rulebook.checkAll()).diagnostics.map(({ code, place }) => [code, place.file]),
    [['E_UNKNOWN_KEY', join(folder, NEWS)]],
  );
  assert.equal(await ask(rulebook), 'relay');
  const results = await run(GARDENERS, TWO_LISTS);
  assert.deepEqual(
    results.map(({ failure }) => failure?.got ?? 'ok'),
    ['ok', 'rules for news@lists.example.org that do not load', 'relay at envelope', 'ok'],
  );
});

test("a list's case meets the rules of the system, whose sets of files are empty", async () => {
  write('blocked.txt', 'ann@example.net\n');
  write(
    SYSTEM,
    `version: 1
sets: { blocked: { file: blocked.txt } }
before:
  - { name: blocked, when: { author: { in: blocked } }, then: { reject: Blocked. } }
  - { name: large, when: { size: { above: 1 MB } }, then: { reject: Large. } }
`,
  );
  const text = `version: 1
rules: [{ name: all, when: { always: true }, then: relay }]
tests:
  - { name: a, expect: { verdict: relay, rule: all, phase: content } }
  - { name: b, message: { size: 2 MB }, expect: { verdict: reject, rule: large } }
`;
  assert.deepEqual(lines(await run(GARDENERS, text), text), [`ok a ${TO}`, `ok b ${TO}`]);
});

test("a set that a list gives a preset is empty too, and filled by the parameter's name", async () => {
  write(SYSTEM, 'version: 1\n');
  write('lists/lists.example.org/rosters/members.txt', 'ann@example.net\n');
  const cases = (name: string) => `tests:
  - { name: nobody is subscribed, message: { from: ann@example.net }, expect: { verdict: reject } }
  - name: one is
    message: { from: ann@example.net }
    given: { ${name}: [ann@example.net] }
    expect: { verdict: relay }
`;
  const given = '{ members: { file: rosters/members.txt } }';
  const files = [
    `version: 1\nextends: members-only\nwith: ${given}\n${cases('members')}`,
    `version: 1\nextends: members-only\nwith: { members-only: ${given} }\n${cases('members-only/members')}`,
  ];
  for (const text of files) {
    const results = await run(GARDENERS, text);
    assert.deepEqual(
      results.map(({ failure }) => failure),
      [null, null],
    );
  }
});

test('the default of a domain is meant for every list of that domain', async () => {
  write(SYSTEM, 'version: 1\n');
  const text = `${ANNOUNCEMENTS}tests:
  - { name: a, recipients: [a@lists.example.org, b-owner@lists.example.org], expect: { verdict: reject } }
`;
  assert.deepEqual(lines(await run(DEFAULT, text), text), [
    'ok a a@lists.example.org',
    'a: expected reject, got relay at envelope (E_TEST at reject)',
  ]);
});

async function ask(rulebook: Rulebook): Promise<string> {
  const policy = await rulebook.policyFor(mailbox(TO));
  if (policy.unavailable !== null) return policy.unavailable;
  const verdict = await policy.start().advance(factsOf({ header: 'From: ann@example.net' }).content);
  assert.ok(verdict !== 'later');
  return printVerdict(verdict);
}

const rejecting = (text: string, verdict: string) => `version: 1
rules: [{ name: closed, when: { always: true }, then: { reject: ${text} } }]
tests: [{ name: closed it is, expect: { verdict: ${verdict} } }]
`;

test("a list's file whose case fails is set aside, and the last good one stays in force", async () => {
  write(SYSTEM, 'version: 1\n');
  write(GARDENERS, rejecting('First.', 'relay'));
  const rulebook = open();
  assert.match(
    await ask(rulebook),
    /gardeners\.yaml:3:50 {2}E_TEST {2}the case "closed it is" fails for gardeners@lists\.example\.org: expected relay, got reject 550 5\.7\.1 "First\." by "closed" at envelope\n/,
  );
  assert.deepEqual(
    log.lines.map(({ event }) => event),
    ['list-rules-set-aside'],
  );
  const change = async (text: string) => {
    write(GARDENERS, text);
    clock += 2000;
    return await ask(rulebook);
  };
  assert.equal(await change(rejecting('Second one.', 'reject')), '550 5.7.1 Second one. (id T1)');
  assert.equal(await change(rejecting('The third one.', 'discard')), '550 5.7.1 Second one. (id T1)');
  assert.deepEqual(
    (await rulebook.checkAll()).diagnostics.map(({ code, place }) => [code, place.line]),
    [['E_TEST', 3]],
  );
});

test('the rules of the system with a case that fails are told as not to be served by', async () => {
  const system = (verdict: string) => `version: 1
before: [{ name: closed, when: { always: true }, then: { reject: Closed. } }]
tests: [{ name: closed it is, recipients: a@example.org, expect: { verdict: ${verdict} } }]
`;
  write(SYSTEM, system('reject'));
  assert.deepEqual(await open().checkSystem(), []);
  const file = write(SYSTEM, system('relay'));
  assert.deepEqual(
    (await open().checkSystem()).map(({ code, place }) => [code, place.file, place.line]),
    [['E_TEST', file, 3]],
  );
});

for (const file of ['rules/system.yaml', 'gardeners.yaml', 'news.yaml']) {
  test(`the cases of ${file} pass`, async () => {
    const { rulebook } = openRulebook({
      system: 'rules/system.yaml',
      presets: 'rules/presets',
      lists: { folder: 'examples/quickstart/rules/lists', dialect: 'mailman' },
      downstreams: [],
      log,
    });
    const found = rulebook?.readAll().files.find((one) => one.file.endsWith(file));
    assert.ok(rulebook && found);
    const results = await rulebook.test(found);
    rulebook.close();
    assert.ok(results.length >= 2);
    assert.deepEqual(
      results.filter(({ failure }) => failure !== null),
      [],
    );
  });
}

const BRAKE = `version: 1
rules:
  - { name: brake, when: { rate: { per: author, above: 20 per hour } }, then: { defer: Too many. } }
  - { name: copies, when: { seen: { key: message_id, within: 1 day } }, then: { discard: copy } }
tests:
`;

test('a message that comes for the so many-th time', async () => {
  write(SYSTEM, 'version: 1\n');
  const text = `${BRAKE}  - { name: b20, times: 20, expect: { verdict: relay } }
  - { name: b21, times: 21, expect: { verdict: defer, rule: brake } }
  - { name: first, expect: { verdict: defer, rule: brake } }
  - { name: of-another-name, times: 21, expect: { verdict: defer, rule: brakes } }
`;
  const hints = (await run(GARDENERS, text)).map(({ failure }) => failure?.hint);
  assert.deepEqual(hints, [
    undefined,
    undefined,
    'in a case each message is the first of its period; for the 21st write times: 21',
    'no rule is called "brakes"; write rule: brake',
  ]);
});

test('a set that is a file and was asked is named where a case fails', async () => {
  write(SYSTEM, 'version: 1\n');
  const text = `${RULES}  - { name: no-one, message: { from: carol@example.org }, expect: { verdict: relay } }
  - { name: given, message: { from: carol@example.org }, given: { members: [dave@example.org] }, expect: { verdict: relay } }
`;
  const hints = (await run(GARDENERS, text)).map(({ failure }) => failure?.hint);
  assert.equal(
    hints[0],
    'the set "members" is a file, and empty in a case; to fill it write given: { members: [carol@example.org] }',
  );
  assert.equal(hints[1], null);
});

test('attachments of a message: names, types, sizes, archives', async () => {
  write(SYSTEM, 'version: 1\n');
  const text = `version: 1
rules:
  - { name: programs, when: { attachment: { name: { like: "*.exe" }, inside_archives: true } }, then: { reject: "{part_name}" } }
  - { name: large, when: { attachment: { size: { above: 5 MB } } }, then: { reject: "{part_name}" } }
  - { name: odd, when: { malformed: true }, then: { discard: odd } }
  - { name: calendar, when: { attachment: { type: text/calendar } }, then: { discard: calendar } }
  - { name: pictures, when: { attachment: { type: { like: "image/*" } }, body: { contains: see } }, then: { discard: picture } }
tests:
  - { name: program, message: { attachments: setup.exe }, expect: { verdict: reject, text: { is: setup.exe } } }
  - { name: zip, message: { attachments: [plan.pdf, { name: a.zip, holds: [x.jpg, "Gärten/setup.exe"] }] }, expect: { verdict: reject, text: { is: setup.exe in a.zip } } }
  - { name: empty-zip, message: { attachments: [{ name: a.zip, holds: x.jpg }] }, expect: { verdict: relay } }
  - { name: quote, message: { attachments: ['a"b.exe'] }, expect: { verdict: reject, text: { is: 'a"b.exe' } } }
  - { name: exactly, message: { attachments: { name: film.mp4, size: 5 MB } }, expect: { verdict: relay } }
  - { name: above, message: { attachments: { name: film.mp4, size: 5242881 B } }, expect: { verdict: reject, rule: large } }
  - { name: type, message: { attachments: { name: a, type: text/calendar } }, expect: { verdict: discard, rule: calendar } }
  - { name: picture, message: { body: See this, attachments: tulips.JPG }, expect: { verdict: discard, rule: pictures } }
`;
  assert.deepEqual(
    lines(await run(GARDENERS, text), text),
    ['program', 'zip', 'empty-zip', 'quote', 'exactly', 'above', 'type', 'picture'].map((name) => `ok ${name} ${TO}`),
  );
});

test('a rule of the system that decides first is named as that', async () => {
  const robots = 'when: { auto_submitted: "yes" }';
  write(SYSTEM, `version: 1\nbefore:\n  - { name: automatic, ${robots}, then: { discard: automatic } }\n`);
  const text = `version: 1
rules:
  - { name: loop, ${robots}, then: { discard: loop } }
tests:
  - { name: away, message: { headers: { Auto-Submitted: auto-replied } }, expect: { verdict: discard, rule: loop } }
`;
  const [result] = await run(GARDENERS, text);
  assert.equal(
    result?.failure?.hint,
    'the system\'s rule "automatic" decides before the rules of the list; take `rule` out of what is expected',
  );
});
