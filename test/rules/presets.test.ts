/**
 * Presets: the shipped ones with their cases, and what extending one comes to.
 */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { isWarning } from '../../src/core/diagnostic.ts';
import { loadPreset } from '../../src/rules/load.ts';
import type { Given } from '../../src/rules/part.ts';
import { PatternCache } from '../../src/rules/pattern.ts';
import type { Preset, Presets } from '../../src/rules/preset.ts';
import { openPresets } from '../../src/rules/presets.ts';
import type { Ruleset } from '../../src/rules/ruleset.ts';
import { memoryLedger } from '../../src/store/memory-ledger.ts';
import { formatDiagnostic } from '../../src/yaml/frame.ts';
import { evaluate, load, printVerdict } from './load.ts';

const shared = { downstreams: ['archive'], patterns: new PatternCache(), now: () => 0 };
const shipped = openPresets('rules/presets', shared);

test('every file in the folder is a preset that loads without a warning', () => {
  assert.deepEqual(shipped.diagnostics, []);
  assert.deepEqual(
    [...shipped.presets.keys()].map((name) => `${name}.yaml`),
    readdirSync('rules/presets').sort(),
  );
});

function extending(presets: Presets, text: string): Ruleset {
  const { ruleset, diagnostics } = load('list', `version: 1\n${text}`, {
    // The files that cases name lie beside it.
    file: 'test/rules/gardeners.yaml',
    presets,
    trustResultsFrom: [{ name: 'mx.example.org', several: false }],
  });
  assert.deepEqual(
    diagnostics.map((diagnostic) => formatDiagnostic(diagnostic, null)),
    [],
  );
  assert.ok(ruleset !== null);
  return ruleset;
}

interface Case {
  readonly list: string;
  readonly given: Given;
  readonly expect: string;
}

const ANN = 'From: ann@example.net';
const EVE = 'From: eve@example.com';
const BOTH = 'From: ann@example.net, eve@example.com';

/** By preset. */
const cases: Readonly<Record<string, readonly Case[]>> = {
  'newcomers-held': [
    { list: 'with: { members: [ann@example.net] }', given: { header: ANN }, expect: 'relay' },
    {
      list: 'with: { members: [ann@example.net] }',
      given: { header: EVE },
      expect: 'relay; add X-Postern-Hold: not a member',
    },
  ],
  'text-only': [
    { list: '', given: { header: ANN }, expect: 'relay' },
    {
      list: 'with: { html_text: "Plain text, please." }',
      given: { header: `${ANN}\nContent-Type: text/html`, body: '<p>Tulips</p>' },
      expect: '550 5.7.1 Plain text, please. (id T1)',
    },
  ],
  'no-robots': [
    { list: '', given: { header: `${ANN}\nAuto-Submitted: no` }, expect: 'relay' },
    {
      list: '',
      given: { header: `${ANN}\nAuto-Submitted: auto-generated` },
      expect: 'discard: gardeners@lists.example.org is for messages that people write.',
    },
    {
      list: 'with: { robots_then: reject, robots_text: "No." }',
      given: { header: `${ANN}\nPrecedence: bulk` },
      expect: '550 5.7.1 No. (id T1)',
    },
  ],
  'no-loops': [
    { list: '', given: { header: ANN }, expect: 'relay' },
    {
      list: '',
      given: { header: `${ANN}\nX-BeenThere: gardeners@lists.example.org` },
      expect: '554 5.4.6 This message has been through gardeners@lists.example.org already. (id T1)',
    },
    {
      list: 'with: { most_hops: 1 }',
      given: { header: `Received: a\nReceived: b\n${ANN}` },
      expect: '554 5.4.6 This message has passed too many servers. (id T1)',
    },
  ],
  'attachment-policy': [
    { list: '', given: { header: ANN }, expect: 'relay' },
    {
      list: '',
      given: { header: `${ANN}\nContent-Type: application/x-program; name=Setup.EXE`, body: 'x' },
      expect: '550 5.7.1 Programs are not taken as attachments (Setup.EXE). (id T1)',
    },
    {
      list: 'with: { largest: 5 B }',
      given: { header: `${ANN}\nContent-Type: application/pdf; name=tulips.pdf`, body: 'tulips' },
      expect: '550 5.7.1 Please put tulips.pdf on a server and send a link. (id T1)',
    },
  ],
  'dmarc-guard': [
    { list: '', given: { header: ANN }, expect: 'relay' },
    {
      list: '',
      given: { header: `Authentication-Results: mx.example.org; dmarc=fail (p=reject)\n${ANN}` },
      expect: '550 5.7.26 The DMARC policy of your domain refuses this message. (id T1)',
    },
  ],
  'storm-brake': [
    { list: '', given: { header: ANN }, expect: 'relay' },
    {
      list: 'with: { list_most: 0 per hour }',
      given: { header: ANN },
      expect: '451 4.7.1 gardeners@lists.example.org has had too many messages; please try again later. (id T1)',
    },
    {
      list: 'with: { author_most: 0 per day, storm_text: "Wait." }',
      given: { header: ANN },
      expect: '451 4.7.1 Wait. (id T1)',
    },
    { list: 'with: { list_most: 0 per hour, moderators: ann@example.net }', given: { header: ANN }, expect: 'relay' },
  ],
  'join-bombing': [
    { list: '', given: { to: 'gardeners-join@lists.example.org', header: ANN }, expect: 'relay' },
    {
      list: 'with: { requests_most: 0 per hour }',
      given: { to: 'gardeners-confirm@lists.example.org', header: 'Subject: nobody' },
      expect: 'discard: too many requests in the name of one address',
    },
    {
      list: 'with: { joins_most: 0 per hour, joins_text: "Wait." }',
      given: { to: 'gardeners-join@lists.example.org', header: ANN },
      expect: '451 4.7.1 Wait. (id T1)',
    },
    { list: 'with: { requests_most: 0 per hour, joins_most: 0 per hour }', given: { header: ANN }, expect: 'relay' },
  ],
  taboo: [
    { list: 'with: { patterns: { file: parts/taboo.txt } }', given: { header: ANN, body: 'tulips' }, expect: 'relay' },
    {
      list: 'with: { patterns: { file: parts/taboo.txt } }',
      given: { header: `${ANN}\nSubject: Lottery!` },
      expect:
        '550 5.7.1 This message looks like what gardeners@lists.example.org does not take. ' +
        'Please say it in other words. (id T1)',
    },
    {
      list: 'with: { patterns: parts/taboo.txt, taboo_then: hold, taboo_text: taboo }',
      given: { header: ANN, body: 'tulips,\nbulbs for free' },
      expect: 'relay; add X-Postern-Hold: taboo',
    },
    {
      list: 'with: { patterns: { file: parts/missing.txt } }',
      given: { header: ANN },
      expect: '451 4.3.0 The rules for this recipient cannot be applied now; please try again later (id T1)',
    },
  ],
  administrivia: [
    {
      list: '',
      given: { header: 'Subject: help, my tulips', body: 'Subscribe to the tulip society!' },
      expect: 'relay',
    },
    {
      list: '',
      given: { header: 'Subject: UNSUBSCRIBE' },
      expect:
        '550 5.7.1 This reads like a command; gardeners@lists.example.org goes to all its readers. ' +
        'Please write to its -request address. (id T1)',
    },
    {
      list: 'with: { commands_then: hold, commands_text: command }',
      given: { header: 'Subject: Tulips', body: 'help' },
      expect: 'relay; add X-Postern-Hold: command',
    },
  ],
  'announce-only': [
    { list: 'with: { announcers: [ann@example.net] }', given: { header: ANN }, expect: 'relay' },
    {
      list: 'with: { announcers: ann@example.net }',
      given: { header: EVE },
      expect: '550 5.7.1 gardeners@lists.example.org is for announcements only. (id T1)',
    },
    {
      list: 'with: { announcers: { values: ["*@example.net"] }, announce_text: "Not you, {author}." }',
      given: { header: BOTH },
      expect: '550 5.7.1 Not you, ann@example.net. (id T1)',
    },
    {
      list: 'with: { announcers: [ann@example.net] }',
      given: { header: 'Subject: nobody' },
      expect: '550 5.7.1 gardeners@lists.example.org is for announcements only. (id T1)',
    },
  ],
  'members-only': [
    { list: 'with: { members: [ann@example.net] }', given: { header: ANN }, expect: 'relay' },
    {
      list: 'with: { members: [ann@example.net] }',
      given: { header: EVE },
      expect: '550 5.7.1 Only members may post to gardeners@lists.example.org. (id T1)',
    },
    {
      list: 'with: { members: [ann@example.net], guests: eve@example.com }',
      given: { header: EVE },
      expect: 'relay',
    },
    {
      list: 'with: { members: [], strangers: discard, strangers_text: "not a member" }',
      given: { header: ANN },
      expect: 'discard: not a member',
    },
    {
      list: 'sets: { subscribers: { values: ["*@example.net"] } }\nwith: { members: subscribers, strangers: defer }',
      given: { header: EVE },
      expect: '451 4.7.1 Only members may post to gardeners@lists.example.org. (id T1)',
    },
  ],
  'internal-only': [
    { list: 'with: { internal_domains: example.net }', given: { header: ANN }, expect: 'relay' },
    {
      list: 'with: { internal_domains: [example.net, "*.example.net"] }',
      given: { from: 'ann@mail.example.net', header: 'From: ann@hr.example.net', client: null },
      expect: 'relay',
    },
    {
      list: 'with: { internal_domains: example.net }',
      given: { header: EVE },
      expect: '550 5.7.1 gardeners@lists.example.org is an internal list. (id T1)',
    },
    {
      list: 'with: { internal_domains: example.net }',
      given: { from: 'eve@example.com', header: ANN },
      expect: '550 5.7.1 gardeners@lists.example.org is an internal list. (id T1)',
    },
    {
      list: 'with: { internal_domains: example.net, internal_networks: 192.0.2.0/24 }',
      given: { header: ANN, client: '198.51.100.1' },
      expect: '550 5.7.1 gardeners@lists.example.org is an internal list. (id T1)',
    },
    {
      list: 'with: { internal_domains: example.net, internal_networks: 192.0.2.0/24 }',
      given: { header: ANN, client: '192.0.2.1' },
      expect: 'relay',
    },
  ],
  'size-limit': [
    { list: '', given: { size: 1024 * 1024 }, expect: 'relay' },
    {
      list: '',
      given: { size: 1024 * 1024 + 1 },
      expect:
        '552 5.3.4 Messages to gardeners@lists.example.org may have at most 1 MB. Please send a link instead. (id T1)',
    },
    {
      list: 'with: { limit: 2 KB, limit_text: "Ask {author}." }',
      given: { size: 3000, header: ANN },
      expect: '552 5.3.4 Messages to gardeners@lists.example.org may have at most 2 KB. Ask ann@example.net. (id T1)',
    },
  ],
};

test('each case is of a preset that there is', () => {
  for (const name of Object.keys(cases)) assert.ok(shipped.presets.has(name), name);
});

for (const [name, some] of Object.entries(cases)) {
  for (const { list, given, expect } of some) {
    test(`${name}, ${list.replaceAll('\n', ' ')}: ${JSON.stringify(given)}`, async () => {
      const ruleset = extending(shipped.presets, `extends: ${name}\n${list}`);
      assert.equal(printVerdict(await evaluate({ list: ruleset }, given)), expect);
    });
  }
}

test("presets come first, in order, then the list's own rules; the log says whose rule it was", async () => {
  const list = extending(
    shipped.presets,
    [
      'extends: [size-limit, members-only]',
      'with: { members: [ann@example.net], size-limit: { limit: 1 KB } }',
      'rules: [ { name: strangers, when: { always: true }, then: { discard: own } } ]',
    ].join('\n'),
  );
  assert.deepEqual(
    list.layers.rules.map((rule) => rule.name),
    ['size-limit/too-large', 'members-only/strangers', 'strangers'],
  );
  const verdict = await evaluate({ list }, { header: EVE });
  assert.deepEqual([verdict.rule, verdict.ruleset], ['members-only/strangers', 'rules/presets/members-only.yaml']);
  assert.equal((await evaluate({ list }, { header: ANN })).rule, 'strangers');
});

function presetOf(text: string): Preset {
  const { preset, diagnostics } = loadPreset({ ...shared, file: 'presets/own.yaml', text });
  assert.deepEqual(
    diagnostics.map((diagnostic) => formatDiagnostic(diagnostic, text)),
    [],
  );
  assert.ok(preset !== null);
  return preset;
}

const OWN = `version: 1
preset: own
summary: A preset of the site.
parameters:
  words: { type: text, description: Words., default: darn }
  on: { type: flag, description: Whether to archive., default: false }
sets: { staff: { values: [ann@example.net] } }
conditions:
  rude: { subject: { contains: $words } }
rules:
  - name: archive
    enabled: $on
    when: { always: true }
    then: { relay: archive }
  - name: rude
    when: { condition: rude }
    unless: { author: { in: staff } }
    then: { reject: "{rule}: \${words}" }
`;

test('a preset has sets, conditions and rights of its own, and rules to turn on', async () => {
  const presets = new Map([['own', presetOf(OWN)]]);
  const given = { header: `${EVE}\nSubject: Darn` };
  const off = extending(presets, 'extends: own');
  assert.equal(printVerdict(await evaluate({ list: off }, given)), '550 5.7.1 own/rude: darn (id T1)');
  const other = extending(presets, 'extends: own\nwith: { words: gosh }');
  assert.equal(printVerdict(await evaluate({ list: other }, given)), 'relay');
  const on = extending(presets, 'extends: own\nwith: { on: true }');
  assert.deepEqual([(await evaluate({ list: on }, given)).rule], ['own/archive']);
});

test('what a preset counts is counted for each list that extends it', async () => {
  const text = [
    'version: 1',
    'preset: own',
    'summary: So many of one author.',
    'parameters: { most: { type: text, description: How many., default: 1 per day } }',
    'conditions: { busy: { rate: { per: envelope_from, above: $most } } }',
    'rules: [ { name: busy, when: { condition: busy }, then: { defer: full } } ]',
  ].join('\n');
  const presets = new Map([['own', presetOf(text)]]);
  const ledger = memoryLedger({ now: () => 0 });
  const { ruleset } = load('list', 'version: 1\nextends: own', { presets, ledger });
  assert.ok(ruleset !== null);
  const kinds: string[] = [];
  for (const to of ['gardeners@lists.example.org', 'news@lists.example.org', 'news@lists.example.org']) {
    kinds.push((await evaluate({ list: ruleset }, { to })).kind);
  }
  assert.deepEqual(kinds, ['relay', 'relay', 'defer']);
});

test("a list's own rules see nothing of a preset, and a preset nothing of the list", () => {
  const presets = new Map([['own', presetOf(OWN)]]);
  const text = [
    'version: 1',
    'extends: own',
    'sets: { staff: { values: [eve@example.com] } }',
    'rules: [ { name: a, when: { condition: rude, author: { in: staff } }, then: relay } ]',
  ].join('\n');
  assert.deepEqual(
    load('list', text, { presets }).diagnostics.map(({ code, place }) => [code, place.line]),
    [['E_REFERENCE', 4]],
  );
});

const folder = mkdtempSync(join(tmpdir(), 'postern-presets-'));
after(() => rmSync(folder, { recursive: true }));

test('what cannot be used in a folder of presets is told', () => {
  writeFileSync(join(folder, 'own.yaml'), OWN);
  writeFileSync(join(folder, 'other.yaml'), OWN);
  writeFileSync(join(folder, 'short.yml'), OWN);
  writeFileSync(join(folder, 'README'), 'not a preset');
  writeFileSync(join(folder, '.hidden.yaml'), 'not a preset');
  mkdirSync(join(folder, 'folder.yaml'));
  const { presets, diagnostics } = openPresets(folder, shared);
  assert.deepEqual([...presets.keys()], ['own']);
  assert.deepEqual(
    diagnostics.filter((one) => !isWarning(one)).map(({ code, place }) => `${place.file.split('/').at(-1)} ${code}`),
    ['folder.yaml E_FILE', 'other.yaml E_PLACE', 'short.yml E_PLACE'],
  );
  assert.deepEqual(
    openPresets(join(folder, 'none'), shared).diagnostics.map(({ code }) => code),
    ['E_FILE'],
  );
});

test('whatever a list gives, it loads or is told what is wrong', () => {
  const presets = new Map([['own', presetOf(OWN)], ...shipped.presets]);
  const names = ['words', 'on', 'members', 'strangers', 'limit', 'own', 'members-only', '$words', 'constructor'];
  const word = fc.constantFrom('darn', 'true', '5 MB', 'reject', '{lst}', '$words', '', 'a/b.txt', '*@example.net');
  const value = fc.oneof(
    word.map((text) => JSON.stringify(text)),
    fc.array(word, { maxLength: 2 }).map((some) => JSON.stringify(some)),
    fc.tuple(fc.constantFrom('file', 'values', 'limit', 'words'), word).map(([key, text]) => `{ ${key}: "${text}" }`),
  );
  const given = fc.uniqueArray(fc.tuple(fc.constantFrom(...names), value), {
    selector: ([name]) => name,
    maxLength: 4,
  });
  const chosen = fc.subarray([...presets.keys()], { minLength: 1 });
  fc.assert(
    fc.property(chosen, given, (some, values) => {
      const pairs = values.map(([name, one]) => `${name}: ${one}`);
      const text = `version: 1\nextends: [${some.join(', ')}]\nwith: { ${pairs.join(', ')} }\n`;
      const { ruleset, diagnostics } = load('list', text, { presets });
      const errors = diagnostics.filter((one) => !isWarning(one));
      assert.equal(ruleset === null, errors.length > 0);
      // The presets have been tried, so what is wrong is wrong with what the list gives.
      for (const { place } of errors) assert.equal(place.file, 'lists/lists.example.org/gardeners.yaml');
    }),
    { numRuns: 500, seed: 1 },
  );
});
