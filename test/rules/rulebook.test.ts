/**
 * The rulebook over a folder of lists: found when asked, read again when changed, the last good one kept.
 */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { TIGHTEN_ONLY } from '../../src/rules/may.ts';
import type { Policy } from '../../src/rules/policy.ts';
import { memoryLedger } from '../../src/store/memory-ledger.ts';
import { rememberLastGood } from '../../src/rules/list-rulesets.ts';
import { openRulebook, type Rulebook, type RulesOptions } from '../../src/rules/rulebook.ts';
import { factsOf, mailbox, memoryLog } from './facts.ts';
import { printVerdict } from './load.ts';

let folder = '';
let log = memoryLog();
/** Milliseconds; a file is trusted for two seconds. */
let clock = 0;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'postern-rulebook-'));
  mkdirSync(join(folder, 'lists'));
  log = memoryLog();
  clock = 0;
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): string {
  const file = join(folder, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

/** Replaced in one step, as a careful editor does: always another inode. */
function replace(name: string, text: string): void {
  renameSync(write(`${name}.new`, text), join(folder, name));
}

function open(options: Partial<RulesOptions> = {}): Rulebook {
  const { rulebook, diagnostics } = openRulebook({
    system: null,
    lists: { folder: join(folder, 'lists'), dialect: 'mailman' },
    downstreams: [],
    log,
    now: () => clock,
    ...options,
  });
  assert.deepEqual(diagnostics, []);
  assert.ok(rulebook !== null);
  return rulebook;
}

async function ask(rulebook: Rulebook, to = 'gardeners@lists.example.org'): Promise<string> {
  const policy: Policy = await rulebook.policyFor(mailbox(to));
  if (policy.unavailable !== null) return 'unavailable';
  const verdict = await policy.start().advance(factsOf({ to, header: 'From: ann@example.net' }).content);
  assert.ok(verdict !== 'later');
  return printVerdict(verdict);
}

const rejecting = (text: string) =>
  `version: 1\nrules:\n  - { name: a, when: { always: true }, then: { reject: ${text} } }\n`;
const GARDENERS = 'lists/lists.example.org/gardeners.yaml';
const BROKEN = 'version: 1\nrules:\n  - { name: a, whn: { always: true }, then: relay }\n';

test('a list without a file', async () => {
  assert.equal(await ask(open()), 'relay');
});

test('a list with a file, and one with the default of its domain', async () => {
  write(GARDENERS, rejecting('closed'));
  write('lists/lists.example.org/_default.yaml', rejecting('default'));
  const rulebook = open();
  assert.equal(await ask(rulebook), '550 5.7.1 closed (id T1)');
  assert.equal(await ask(rulebook, 'Gardeners+x@LISTS.example.org'), '550 5.7.1 closed (id T1)');
  assert.equal(await ask(rulebook, 'news@lists.example.org'), '550 5.7.1 default (id T1)');
  assert.equal(await ask(rulebook, '../gardeners@lists.example.org'), '550 5.7.1 default (id T1)');
  assert.equal(await ask(rulebook, '_default@lists.example.org'), '550 5.7.1 default (id T1)');
  assert.equal(await ask(rulebook, 'gardeners@other.example.org'), 'relay');
  assert.equal(await ask(rulebook, 'gardeners-owner@lists.example.org'), 'relay');
});

test('what is known is told at once', async () => {
  write(GARDENERS, rejecting('closed'));
  const rulebook = open();
  const to = mailbox('gardeners@lists.example.org');
  assert.ok(rulebook.policyFor(to) instanceof Promise);
  await rulebook.policyFor(to);
  assert.ok(!(rulebook.policyFor(to) instanceof Promise));
  const nobody = mailbox('nobody@lists.example.org');
  await rulebook.policyFor(nobody);
  assert.ok(!(rulebook.policyFor(nobody) instanceof Promise));
});

test('a changed file counts after two seconds', async () => {
  write(GARDENERS, rejecting('one'));
  const rulebook = open();
  assert.equal(await ask(rulebook), '550 5.7.1 one (id T1)');
  replace(GARDENERS, rejecting('two'));
  clock = 1999;
  assert.equal(await ask(rulebook), '550 5.7.1 one (id T1)');
  clock = 2000;
  assert.equal(await ask(rulebook), '550 5.7.1 two (id T1)');
  rmSync(join(folder, GARDENERS));
  clock = 4000;
  assert.equal(await ask(rulebook), 'relay');
  write(GARDENERS, rejecting('three'));
  clock = 6000;
  assert.equal(await ask(rulebook), '550 5.7.1 three (id T1)');
});

test('an evaluation under way keeps the rules it began with', async () => {
  write(GARDENERS, rejecting('"not {author}"'));
  const rulebook = open();
  const evaluation = (await rulebook.policyFor(mailbox('gardeners@lists.example.org'))).start();
  const facts = factsOf({ header: 'From: ann@example.net' });
  assert.equal(await evaluation.advance(facts.envelope), 'later');
  replace(GARDENERS, rejecting('other'));
  clock = 2000;
  assert.equal(await ask(rulebook), '550 5.7.1 other (id T1)');
  const verdict = await evaluation.advance(facts.header);
  assert.ok(verdict !== 'later');
  assert.equal(printVerdict(verdict), '550 5.7.1 not ann@example.net (id T1)');
});

test('a file that does not load is told once, and the last good one stays in force', async () => {
  write(GARDENERS, rejecting('one'));
  const rulebook = open();
  assert.equal(await ask(rulebook), '550 5.7.1 one (id T1)');
  replace(GARDENERS, BROKEN);
  for (clock of [2000, 4000, 6000]) assert.equal(await ask(rulebook), '550 5.7.1 one (id T1)');
  assert.deepEqual(
    log.lines.map(({ event, detail }) => [event, detail['list'], detail['inForce']]),
    [['list-rules-set-aside', 'gardeners@lists.example.org', 'the last good ones']],
  );
  assert.match(String(log.lines[0]?.detail['problem']), /:3:16 {2}E_UNKNOWN_KEY .*"whn"/);
  replace(GARDENERS, rejecting('two'));
  clock = 8000;
  assert.equal(await ask(rulebook), '550 5.7.1 two (id T1)');
  assert.equal(log.lines.at(-1)?.event, 'list-rules-in-force');
});

test('without a last good one the list is unavailable, its bounces are not, nor are other lists', async () => {
  write(GARDENERS, BROKEN);
  write('lists/lists.example.org/_default.yaml', rejecting('default'));
  const rulebook = open();
  assert.equal(await ask(rulebook), 'unavailable');
  assert.equal(await ask(rulebook, 'gardeners-owner@lists.example.org'), 'unavailable');
  assert.equal(await ask(rulebook, 'gardeners-bounces+x@lists.example.org'), 'relay');
  assert.equal(await ask(rulebook, 'news@lists.example.org'), '550 5.7.1 default (id T1)');
  assert.equal(log.lines.length, 1);
});

test('what cannot be read is not what is missing', async () => {
  mkdirSync(join(folder, GARDENERS), { recursive: true });
  write('lists/lists.example.org/large.yaml', `version: 1\n${'#'.repeat(300_000)}`);
  writeFileSync(join(folder, 'lists/lists.example.org/latin.yaml'), Buffer.from([0x23, 0xe9, 0x0a]));
  const rulebook = open();
  assert.equal(await ask(rulebook), 'unavailable');
  assert.equal(await ask(rulebook, 'large@lists.example.org'), 'unavailable');
  assert.equal(await ask(rulebook, 'latin@lists.example.org'), 'unavailable');
});

test('a file that may not be read is tried again', async (t) => {
  if (process.getuid?.() === 0) return t.skip('root may read everything');
  const file = write(GARDENERS, rejecting('one'));
  chmodSync(file, 0);
  const rulebook = open();
  assert.equal(await ask(rulebook), 'unavailable');
  chmodSync(file, 0o600);
  clock = 2000;
  assert.equal(await ask(rulebook), '550 5.7.1 one (id T1)');
});

test('symbolic links are followed', async () => {
  mkdirSync(join(folder, 'lists/lists.example.org'));
  symlinkSync(write('elsewhere.yaml', rejecting('linked')), join(folder, GARDENERS));
  assert.equal(await ask(open()), '550 5.7.1 linked (id T1)');
});

test('questions at the same time share one look at the file', async () => {
  write(GARDENERS, BROKEN);
  const rulebook = open();
  const all = await Promise.all(Array.from({ length: 20 }, () => ask(rulebook)));
  assert.ok(all.every((answer) => answer === 'unavailable'));
  assert.equal(log.lines.length, 1);
});

test('members from a file beside the list, read again when it changes', async () => {
  write('lists/lists.example.org/rosters/gardeners.txt', '# members\nBob <bob@example.org>\n');
  write(
    GARDENERS,
    [
      'version: 1',
      'list: Gardeners@lists.example.org',
      'sets: { members: { file: rosters/gardeners.txt, if_unavailable: defer } }',
      'rules: [{ name: members-only, when: { author: { not_in: members } }, then: { reject: strangers } }]',
    ].join('\n'),
  );
  const rulebook = open();
  assert.equal(await ask(rulebook), '550 5.7.1 strangers (id T1)');
  replace('lists/lists.example.org/rosters/gardeners.txt', 'Ann@Example.net\n');
  clock = 2000;
  assert.equal(await ask(rulebook), 'relay');
  rmSync(join(folder, 'lists/lists.example.org/rosters/gardeners.txt'));
  clock = 4000;
  assert.match(await ask(rulebook), /^451 4\.3\.0 /);
});

test("the system's layers stand around those of the list", async () => {
  const system = write(
    'system.yaml',
    [
      'version: 1',
      'before: [{ name: b, when: { always: true }, then: { add_header: { name: X-B, value: b } } }]',
      'after: [{ name: a, when: { author: { domain: example.net } }, then: { reject: after } }]',
    ].join('\n'),
  );
  write(GARDENERS, 'version: 1\nrules: [{ name: l, when: { always: true }, then: relay }]');
  assert.equal(await ask(open({ system })), '550 5.7.1 after (id T1)');
  assert.equal(await ask(open({ system, lists: null })), '550 5.7.1 after (id T1)');
});

test('a list goes without a rule of the system that says so', async () => {
  const rules = (overridable: boolean) => `version: 1
before: [{ name: b, overridable: true, when: { subject: { empty: true } }, then: { reject: "no subject" } }]
after: [{ name: a, overridable: ${overridable}, when: { always: true }, then: { reject: after } }]`;
  const system = write('system.yaml', rules(true));
  write(GARDENERS, 'version: 1\nskip: [a, b]\nrules: [{ name: a, when: { always: true }, then: { reject: own } }]');
  write('lists/lists.example.org/news.yaml', 'version: 1\nskip: b');
  const rulebook = open({ system });
  assert.equal(await ask(rulebook), '550 5.7.1 own (id T1)');
  assert.equal(await ask(rulebook, 'news@lists.example.org'), '550 5.7.1 after (id T1)');
  assert.equal(await ask(rulebook, 'other@lists.example.org'), '550 5.7.1 no subject (id T1)');
  replace('system.yaml', rules(false));
  const later = open({ system });
  assert.equal(await ask(later), 'unavailable');
  assert.deepEqual(
    (await later.checkAll()).diagnostics.map(({ code, place }) => [code, place.line]),
    [['E_NOT_ALLOWED', 2]],
  );
});

test('what lists may do and presets come from the configuration', async () => {
  write(
    'presets/size-limit.yaml',
    [
      'version: 1',
      'preset: size-limit',
      'summary: Messages above a size are refused.',
      'parameters: { limit: { type: amount, description: The limit., default: 1 KB } }',
      `rules: [{ name: too-large, when: { size: { above: $limit } }, then: { reject: "Above $\{limit}." } }]`,
    ].join('\n'),
  );
  const presets = join(folder, 'presets');
  const may = { ...TIGHTEN_ONLY, conditions: ['subject'], file: 'postern.yaml' };
  write(GARDENERS, 'version: 1\nextends: size-limit\nwith: { limit: 1 B }');
  write('lists/lists.example.org/news.yaml', 'version: 1\nextends: size-limits');
  write('lists/lists.example.org/other.yaml', rejecting('"not allowed"'));
  const rulebook = open({ presets, may });
  assert.equal(await ask(rulebook), '550 5.7.1 Above 1 B. (id T1)');
  assert.equal(await ask(rulebook, 'news@lists.example.org'), 'unavailable');
  assert.deepEqual(
    (await rulebook.checkAll()).diagnostics.map(
      ({ code, place }) => `${place.file.split('/').at(-1)}:${place.line} ${code}`,
    ),
    ['news.yaml:2 E_REFERENCE', 'other.yaml:3 E_NOT_ALLOWED'],
  );
  write('presets/broken.yaml', 'version: 1\npreset: broken');
  const options = { system: null, lists: null, downstreams: [], log };
  const broken = openRulebook({ ...options, presets, may: { ...may, actions: ['rejct'] } });
  assert.equal(broken.rulebook, null);
  assert.deepEqual(
    broken.diagnostics.map(({ code, place, hint }) => `${place.file.split('/').at(-1)} ${code} ${hint}`),
    ['postern.yaml E_REFERENCE did you mean "reject"?', 'broken.yaml E_MISSING_KEY add summary: \u2026'],
  );
});

test("what is wrong with the system's file keeps the rulebook from opening", () => {
  const cases = [
    { system: join(folder, 'no-such.yaml'), codes: ['E_FILE'] },
    { system: write('broken.yaml', 'version: 1\nbefore: [{ name: a, then: relay }]'), codes: ['E_MISSING_KEY'] },
    {
      system: write(
        'sets.yaml',
        'version: 1\nsets: { s: { file: no.txt } }\nafter: [{ name: a, when: { author: { in: s } }, then: relay }]',
      ),
      codes: ['E_FILE'],
    },
  ];
  for (const { system, codes } of cases) {
    const { rulebook, diagnostics } = openRulebook({ system, lists: null, downstreams: [], log });
    assert.equal(rulebook, null);
    assert.deepEqual(
      diagnostics.map(({ code }) => code),
      codes,
    );
  }
  const lists = { folder: join(folder, 'no-such-folder'), dialect: 'plain' as const };
  const { rulebook, diagnostics } = openRulebook({ system: null, lists, downstreams: [], log });
  assert.equal(rulebook, null);
  assert.deepEqual(
    diagnostics.map(({ code, place }) => [code, place.file]),
    [['E_FILE', lists.folder]],
  );
});

test('a warning does not keep it from opening', () => {
  const system = write('system.yaml', 'version: 1\nsets: { s: { values: [ann@example.net] } }');
  const { rulebook, diagnostics, sources } = openRulebook({ system, lists: null, downstreams: [], log });
  assert.ok(rulebook !== null);
  assert.deepEqual(
    diagnostics.map(({ code }) => code),
    ['W_UNUSED'],
  );
  assert.deepEqual([...sources.keys()], [system]);
});

test('check finds what is wrong in any file, and files that no address leads to', async () => {
  write(GARDENERS, BROKEN);
  write('lists/lists.example.org/good.yaml', rejecting('"good"'));
  write('lists/lists.example.org/_default.yaml', 'version: 1\nlist: a@lists.example.org');
  write('lists/lists.example.org/News.yaml', rejecting('capitals'));
  write('lists/lists.example.org/roses.yml', rejecting('ending'));
  write('lists/lists.example.org/good-owner.yaml', rejecting('role'));
  write('lists/lists.example.org/rosters/members.txt', 'ann@example.net\nnonsense\n');
  write(
    'lists/lists.example.org/tulips.yaml',
    [
      'version: 1',
      'sets: { members: { file: rosters/members.txt }, others: { file: others.txt } }',
      'rules: [{ name: m, when: { author: { in: [members, others] } }, then: relay }]',
    ].join('\n'),
  );
  write('lists/README', 'not a folder');
  write('lists/stray.yaml', rejecting('stray'));
  write('lists/.git/config.yaml', 'hidden');
  const { diagnostics: found } = await open().checkAll();
  const below = (file: string) => relative(join(folder, 'lists/lists.example.org'), file);
  assert.deepEqual(found.map(({ code, place }) => `${below(place.file)}:${place.line} ${code}`).sort(), [
    '../stray.yaml:0 E_PLACE',
    'News.yaml:0 E_PLACE',
    '_default.yaml:2 E_PLACE',
    'gardeners.yaml:3 E_UNKNOWN_KEY',
    'good-owner.yaml:0 E_PLACE',
    'roses.yml:0 E_PLACE',
    'rosters/members.txt:2 E_ADDRESS',
    'tulips.yaml:2 E_FILE',
  ]);
});

test('a missing file of a set: what may be meant, and nothing of files elsewhere', async () => {
  write('lists/lists.example.org/rosters/gardeners.txt', 'ann@example.net\n');
  write('lists/lists.example.org/friends.txt', 'ann@example.net\n');
  write('lists/other.example.org/secret.txt', 'ann@example.net\n');
  const set = (name: string, file: string) => `  ${name}: { file: ${file} }\n`;
  const sets = [
    set('below', 'gardeners.txt'),
    set('mistyped', 'rosters/gardners.txt'),
    set('beside', 'friend.txt'),
    set('nothing', 'roses.txt'),
    set('elsewhere', '../other.example.org/secrets.txt'),
  ];
  const rule =
    '  - { name: m, when: { author: { in: [below, mistyped, beside, nothing, elsewhere] } }, then: relay }\n';
  write(GARDENERS, `version: 1\nsets:\n${sets.join('')}rules:\n${rule}`);
  const { diagnostics: found } = await open().checkAll();
  const at = (name: string) => join(folder, 'lists/lists.example.org', name);
  assert.deepEqual(
    found.map(({ code, message, hint }) => `${code} ${message}; ${hint}`),
    [
      'E_NOT_ALLOWED a list may only read files of its own folder; put it beside the file of the list, or below',
      `E_FILE there is no such file; write file: rosters/gardeners.txt; or put it at ${at('gardeners.txt')}`,
      `E_FILE there is no such file; write file: rosters/gardeners.txt; or put it at ${at('rosters/gardners.txt')}`,
      `E_FILE there is no such file; write file: friends.txt; or put it at ${at('friend.txt')}`,
      `E_FILE there is no such file; put it at ${at('roses.txt')}`,
    ],
  );
});

test('what a rule counted outlives a reload', async () => {
  write(
    GARDENERS,
    'version: 1\nrules:\n  - { name: a, when: { rate: { per: list, above: 1 per day } }, then: { defer: full } }\n',
  );
  const ledger = memoryLedger({ now: () => clock });
  assert.equal(await ask(open({ ledger })), 'relay');
  assert.equal(await ask(open({ ledger })), '451 4.7.1 full (id T1)');
  assert.equal(await ask(open()), 'relay');
});

test('a file that is broken when rules are reloaded keeps its last good ones', async () => {
  const lastGood = rememberLastGood();
  write(GARDENERS, rejecting('one'));
  assert.equal(await ask(open({ lastGood })), '550 5.7.1 one (id T1)');
  replace(GARDENERS, BROKEN);
  for (const _ of [1, 2]) assert.equal(await ask(open({ lastGood })), '550 5.7.1 one (id T1)');
  assert.deepEqual(
    log.lines.map(({ event, detail }) => [event, detail['inForce']]),
    [1, 2].map(() => ['list-rules-set-aside', 'the last good ones']),
  );
  assert.equal(await ask(open()), 'unavailable');
  rmSync(join(folder, GARDENERS));
  assert.equal(await ask(open({ lastGood })), 'relay');
  write(GARDENERS, BROKEN);
  assert.equal(await ask(open({ lastGood })), 'unavailable');
});

test('a reload makes the last good rules anew: with the rules of the system as they are now, or not at all', async () => {
  const lastGood = rememberLastGood();
  const reload = (name: string) => {
    const rule = `{ name: ${name}, overridable: true, when: { always: true }, then: { reject: closed } }`;
    return open({ lastGood, system: write('system.yaml', `version: 1\nafter: [ ${rule} ]\n`) });
  };
  write(GARDENERS, 'version: 1\nskip: closed\n');
  assert.equal(await ask(reload('closed')), 'relay');
  replace(GARDENERS, BROKEN);
  assert.equal(await ask(reload('shut')), 'unavailable');
  assert.equal(await ask(reload('closed')), 'relay');
});

test('a reload runs the cases of the last good rules, too', async () => {
  const lastGood = rememberLastGood();
  const reload = (action: string) => {
    const rule = `{ name: a, when: { subject: { is: x } }, then: { ${action}: x } }`;
    return open({ lastGood, system: write('system.yaml', `version: 1\nbefore: [ ${rule} ]\n`) });
  };
  const cases = 'tests: [ { name: refused, message: { subject: x }, expect: { verdict: reject } } ]\n';
  write(GARDENERS, `${rejecting('one')}${cases}`);
  assert.equal(await ask(reload('reject')), '550 5.7.1 one (id T1)');
  replace(GARDENERS, BROKEN);
  assert.equal(await ask(reload('reject')), '550 5.7.1 one (id T1)');
  assert.equal(await ask(reload('defer')), 'unavailable');
});

test('in another layout the files of lists lie in folders of their names', async () => {
  const layout = { scheme: 'user', depth: 2 } as const;
  write('lists/lists.example.org/g/a/gardeners.yaml', rejecting('hashed'));
  write('lists/lists.example.org/n/news.yaml', rejecting('elsewhere'));
  write('lists/lists.example.org/n/e/x/news.yaml', rejecting('deeper than anybody looks'));
  write('lists/lists.example.org/_default.yaml', rejecting('default'));
  const rulebook = open({ lists: { folder: join(folder, 'lists'), dialect: 'mailman', layout } });
  assert.equal(await ask(rulebook), '550 5.7.1 hashed (id T1)');
  assert.equal(await ask(rulebook, 'gardeners-owner@lists.example.org'), 'relay');
  assert.equal(await ask(rulebook, 'news@lists.example.org'), '550 5.7.1 default (id T1)');
  assert.deepEqual(
    (await rulebook.checkAll()).diagnostics.map(({ message }) => message.replaceAll(folder, '')),
    [
      'no address leads to this file; what is for news@lists.example.org stands in /lists/lists.example.org/n/e/news.yaml',
    ],
  );
});

test('what the system trusts is trusted in the files of lists', async () => {
  const system = write('system.yaml', 'version: 1\ntrust_results_from: mx.example.org\n');
  write(
    'lists/lists.example.org/gardeners.yaml',
    'version: 1\nrules:\n  - { name: forged, when: { auth: { dmarc: fail } }, then: { reject: forged } }\n',
  );
  const rulebook = open({ system });
  assert.deepEqual((await rulebook.checkAll()).diagnostics, []);
  const policy = await rulebook.policyFor(mailbox('gardeners@lists.example.org'));
  const header = 'Authentication-Results: mx.example.org; dmarc=fail\nFrom: ann@example.net';
  const verdict = await policy.start().advance(factsOf({ header }).content);
  assert.equal(verdict === 'later' ? verdict : verdict.rule, 'forged');
  rulebook.close();
});
