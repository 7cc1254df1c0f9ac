/**
 * Layers, phases and failures: who decides, when, and what is left standing.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Phase } from '../../src/core/facts.ts';
import { startEvaluation } from '../../src/rules/evaluate.ts';
import { TIGHTEN_ONLY } from '../../src/rules/may.ts';
import type { Given } from '../../src/rules/part.ts';
import { actions } from '../../src/rules/registry.ts';
import { programFor } from '../../src/rules/program.ts';
import { factsOf, memoryLog } from './facts.ts';
import { evaluate, load, printVerdict, rulesetOf } from './load.ts';

const system = (text: string) => rulesetOf('system', `version: 1\n${text}`);
/** The site delegates all actions. */
const may = { ...TIGHTEN_ONLY, actions: [...actions.keys()] };
const list = (text: string) => rulesetOf('list', `version: 1\n${text}`, { may });

interface Case {
  readonly name: string;
  readonly system?: string;
  readonly list?: string;
  readonly given?: Given;
  readonly expect: string;
  readonly rule: string | null;
  readonly phase: Phase;
}

const ALWAYS = 'when: { always: true }';

const cases: readonly Case[] = [
  {
    name: 'scores add up over the layers, and the last layer asks the sum',
    system: [
      `before:\n  - { name: a, ${ALWAYS}, then: { score: 0.7 } }`,
      '  - { name: b, when: { score: { at_least: 0.8 } }, then: { reject: too early } }',
      'after:\n  - { name: d, when: { score: { at_least: 0.8 } }, then: { reject: "Score {score}" } }',
    ].join('\n'),
    list: `rules:\n  - { name: c, ${ALWAYS}, then: { score: 0.1 } }\n  - { name: pass, ${ALWAYS}, then: relay }`,
    expect: '550 5.7.1 Score 0.8 (id T1); score 0.8',
    rule: 'd',
    phase: 'envelope',
  },
  {
    name: 'a score is known when that which scores is',
    list: [
      'rules:',
      '  - { name: a, when: { subject: { is: tulips } }, then: { score: 5 } }',
      '  - { name: b, when: { score: { at_least: 5 } }, then: { reject: spam } }',
    ].join('\n'),
    given: { header: 'Subject: Tulips' },
    expect: '550 5.7.1 spam (id T1); score 5',
    rule: 'b',
    phase: 'header',
  },
  {
    name: 'who holds is not asked again, but the last layer is',
    system: `after:\n  - { name: late, ${ALWAYS}, then: { tag: late } }`,
    list: `rules:\n  - { name: held, ${ALWAYS}, then: { hold: new } }\n  - { name: mine, ${ALWAYS}, then: { reject: mine } }`,
    expect: 'relay; add X-Postern-Hold: new; add X-Postern-Tag: late',
    rule: 'held',
    phase: 'envelope',
  },
  {
    name: 'notes outlive a refusal',
    list: `rules:\n  - { name: a, ${ALWAYS}, then: [{ note: first }, { tag: x }] }\n  - { name: b, ${ALWAYS}, then: [{ note: "for {list}" }, { reject: mine }] }`,
    expect: '550 5.7.1 mine (id T1); note: first; note: for gardeners@lists.example.org',
    rule: 'b',
    phase: 'envelope',
  },
  { name: 'no rules: relayed', expect: 'relay', rule: null, phase: 'envelope' },
  {
    name: "a list's redirect stands where `after` only relays, to the downstream that it names",
    system: `after:\n  - { name: late, ${ALWAYS}, then: { relay: archive } }`,
    list: `rules:\n  - { name: away, ${ALWAYS}, then: [{ tag: x }, { redirect: roses@lists.example.org }] }`,
    expect: 'redirect: roses@lists.example.org to archive; add X-Postern-Tag: x',
    rule: 'late',
    phase: 'envelope',
  },
  {
    name: "a list's redirect is no way round `after`",
    system: `after:\n  - { name: late, ${ALWAYS}, then: { reject: late } }`,
    list: `rules:\n  - { name: away, ${ALWAYS}, then: [{ copy: a@example.org }, { redirect: roses@lists.example.org }] }`,
    expect: '550 5.7.1 late (id T1)',
    rule: 'late',
    phase: 'envelope',
  },
  {
    name: '`hold` holds what is redirected',
    system: `after:\n  - { name: h, ${ALWAYS}, then: { hold: new } }`,
    list: `rules:\n  - { name: away, ${ALWAYS}, then: { redirect: roses@lists.example.org } }`,
    expect: 'redirect: roses@lists.example.org; add X-Postern-Hold: new',
    rule: 'h',
    phase: 'envelope',
  },
  {
    name: "a list's quarantine is final",
    system: `after:\n  - { name: late, ${ALWAYS}, then: relay }`,
    list: `rules:\n  - { name: odd, ${ALWAYS}, then: [{ tag: x }, { quarantine: junk }] }`,
    expect: 'quarantine: junk; add X-Postern-Tag: x',
    rule: 'odd',
    phase: 'envelope',
  },
  {
    name: 'a copy has the edits before it; the first one to an address stands',
    system: `before:\n  - { name: a, ${ALWAYS}, then: [{ tag: a }, { copy: a@example.org }] }\nafter:\n  - { name: b, ${ALWAYS}, then: [{ copy: a@EXAMPLE.org }, { copy: b@example.org }, { discard: done }] }`,
    list: `rules:\n  - { name: l, ${ALWAYS}, then: { tag: l } }`,
    expect:
      'discard: done; copy: a@example.org with add X-Postern-Tag: a; copy: b@example.org with add X-Postern-Tag: a with add X-Postern-Tag: l',
    rule: 'b',
    phase: 'envelope',
  },
  {
    name: 'the first rule that decides ends its layer',
    list: `rules:\n  - { name: a, ${ALWAYS}, then: { reject: first } }\n  - { name: b, ${ALWAYS}, then: { reject: second } }`,
    expect: '550 5.7.1 first (id T1)',
    rule: 'a',
    phase: 'envelope',
  },
  {
    name: 'a system `before` that relays is final',
    system: `before:\n  - { name: pass, ${ALWAYS}, then: relay }\nafter:\n  - { name: late, ${ALWAYS}, then: { reject: late } }`,
    list: `rules:\n  - { name: mine, ${ALWAYS}, then: { reject: mine } }`,
    expect: 'relay',
    rule: 'pass',
    phase: 'envelope',
  },
  {
    name: "a list's refusal is final",
    system: `after:\n  - { name: late, ${ALWAYS}, then: relay }`,
    list: `rules:\n  - { name: mine, ${ALWAYS}, then: { defer: mine } }`,
    expect: '451 4.7.1 mine (id T1)',
    rule: 'mine',
    phase: 'envelope',
  },
  {
    name: "a list's relay ends its own layer only",
    system: `after:\n  - { name: late, ${ALWAYS}, then: { reject: late } }`,
    list: `rules:\n  - { name: pass, ${ALWAYS}, then: relay }\n  - { name: mine, ${ALWAYS}, then: { reject: mine } }`,
    expect: '550 5.7.1 late (id T1)',
    rule: 'late',
    phase: 'envelope',
  },
  {
    name: "a list's relay stands where `after` decides nothing",
    system: 'after:\n  - { name: late, when: { client_ip: { is: 192.0.2.9 } }, then: { reject: late } }',
    list: `rules:\n  - { name: pass, ${ALWAYS}, then: relay }`,
    expect: 'relay',
    rule: 'pass',
    phase: 'envelope',
  },
  {
    name: 'edits gather over the layers, in order',
    system: [
      `before:\n  - { name: a, ${ALWAYS}, then: { add_header: { name: X-A, value: "1" } } }`,
      `after:\n  - { name: c, ${ALWAYS}, then: [{ add_header: { name: X-C, value: "3" } }, { relay: archive }] }`,
    ].join('\n'),
    list: `rules:\n  - { name: b, ${ALWAYS}, then: { remove_header: X-B } }`,
    expect: 'relay to archive; add X-A: 1; remove X-B; add X-C: 3',
    rule: 'c',
    phase: 'envelope',
  },
  {
    name: 'no rule overtakes one that is not answered yet',
    list: [
      'rules:',
      '  - { name: size, when: { size: { above: 1 KB } }, then: { reject: large } }',
      `  - { name: all, ${ALWAYS}, then: { reject: all } }`,
    ].join('\n'),
    given: { size: 2000 },
    expect: '550 5.7.1 large (id T1)',
    rule: 'size',
    phase: 'content',
  },
  {
    name: 'a later rule decides early once those before it are answered',
    list: [
      'rules:',
      '  - { name: both, when: { envelope_from: { empty: true }, size: { above: 1 KB } }, then: { reject: large } }',
      `  - { name: all, ${ALWAYS}, then: { reject: all } }`,
    ].join('\n'),
    expect: '550 5.7.1 all (id T1)',
    rule: 'all',
    phase: 'envelope',
  },
  {
    name: 'a text that names the author waits for the header section',
    list: `rules:\n  - { name: a, ${ALWAYS}, then: { reject: "not {author}" } }`,
    given: { header: 'From: ann@example.net' },
    expect: '550 5.7.1 not ann@example.net (id T1)',
    rule: 'a',
    phase: 'header',
  },
  {
    name: '`unless` is the exception',
    list: `rules:\n  - { name: a, ${ALWAYS}, unless: { client_ip: { in: 192.0.2.0/24 } }, then: { reject: "no" } }`,
    expect: 'relay',
    rule: null,
    phase: 'envelope',
  },
  {
    name: 'a condition of something unknown is false, and its opposite true',
    list: 'rules:\n  - { name: a, when: { not: { client_ip: { in: 192.0.2.0/24 } } }, then: { reject: "no" } }',
    given: { client: null },
    expect: '550 5.7.1 no (id T1)',
    rule: 'a',
    phase: 'envelope',
  },
  {
    name: 'rules of a list are for the posting address unless they say otherwise',
    list: `rules:\n  - { name: a, ${ALWAYS}, then: { reject: "no" } }`,
    given: { to: 'gardeners-owner@lists.example.org' },
    expect: 'relay',
    rule: null,
    phase: 'envelope',
  },
  {
    name: 'roles',
    list: `rules:\n  - { name: a, roles: [owner, request], ${ALWAYS}, then: { reject: "no" } }`,
    given: { to: 'gardeners-owner@lists.example.org' },
    expect: '550 5.7.1 no (id T1)',
    rule: 'a',
    phase: 'envelope',
  },
  {
    name: 'rules of the system are for all roles unless they say otherwise',
    system: `before:\n  - { name: a, ${ALWAYS}, then: { reject: "no" } }`,
    given: { to: 'gardeners-bounces+ann=example.net@lists.example.org' },
    expect: '550 5.7.1 no (id T1)',
    rule: 'a',
    phase: 'envelope',
  },
];

for (const { name, given = {}, expect, rule, phase, ...files } of cases) {
  test(name, async () => {
    const rulesets = {
      ...(files.system === undefined ? {} : { system: system(files.system) }),
      ...(files.list === undefined ? {} : { list: list(files.list) }),
    };
    const verdict = await evaluate(rulesets, given);
    assert.equal(printVerdict(verdict), expect);
    assert.equal(verdict.rule, rule);
    assert.equal(verdict.phase, phase);
  });
}

const ROSTER = 'sets: { members: { file: no/such/roster.txt } }\n';

test('a set that cannot be asked defers, names the rule and is logged', async () => {
  const ruleset = list(
    `${ROSTER}rules:\n  - { name: members-only, when: { author: { not_in: members } }, then: { reject: "no" } }`,
  );
  const log = memoryLog();
  const verdict = await evaluate({ list: ruleset }, { header: 'From: ann@example.net' }, { log });
  assert.match(printVerdict(verdict), /^451 4\.3\.0 .* \(id T1\)$/);
  assert.equal(verdict.rule, 'members-only');
  assert.equal(verdict.phase, 'header');
  assert.deepEqual(
    log.lines.map(({ event, detail }) => [event, detail['id'], detail['rule'], detail['list']]),
    [['rule', 'T1', 'members-only', 'gardeners@lists.example.org']],
  );
});

test('a set that cannot be asked is of no importance where the answer is known without it', async () => {
  const when = '{ any: [{ author: { in: members } }, { subject: { contains: tulips } }] }';
  const ruleset = list(`${ROSTER}rules:\n  - { name: a, when: ${when}, then: { discard: matched } }`);
  const verdict = await evaluate({ list: ruleset }, { header: 'From: ann@example.net\nSubject: tulips' });
  assert.equal(printVerdict(verdict), 'discard: matched');
});

test('a store is asked once for each recipient and transaction', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-evaluate-'));
  try {
    let clock = 0;
    writeFileSync(join(folder, 'members.txt'), 'ann@example.net\n');
    const { ruleset } = load(
      'list',
      [
        'version: 1',
        'sets: { members: { file: members.txt } }',
        'rules:',
        '  - { name: a, when: { envelope_from: { in: members }, subject: { contains: a } }, then: { reject: member } }',
      ].join('\n'),
      { file: join(folder, 'rules.yaml'), now: () => clock },
    );
    const first = factsOf({ header: 'Subject: a' });
    const program = programFor(null, ruleset, 'post');
    const evaluation = startEvaluation(program, memoryLog(), { trace: false });
    assert.equal(await evaluation.advance(first.envelope), 'later');
    writeFileSync(join(folder, 'members.txt'), '# nobody\n');
    clock = 10_000;
    const verdict = await evaluation.advance(first.header);
    assert.ok(verdict !== 'later' && verdict.rule === 'a');
    const second = await startEvaluation(program, memoryLog(), { trace: false }).advance(
      factsOf({ header: 'Subject: a' }).header,
    );
    assert.ok(second !== 'later' && second.rule === null);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('an answer that nothing has to be fetched for is no promise', () => {
  const ruleset = list(
    'sets: { staff: { values: [ann@example.net] } }\nrules:\n  - { name: a, when: { author: { in: staff } }, then: relay }',
  );
  const facts = factsOf({ header: 'From: ann@example.net' });
  const evaluation = startEvaluation(programFor(null, ruleset, 'post'), memoryLog(), { trace: false });
  assert.equal(evaluation.advance(facts.envelope), 'later');
  const verdict = evaluation.advance(facts.header);
  assert.ok(verdict !== 'later' && !(verdict instanceof Promise));
  assert.equal(evaluation.advance(facts.content), verdict);
});

test('the trace holds each rule that was asked, with what it saw', async () => {
  const ruleset = list(
    [
      'rules:',
      '  - name: strangers',
      '    when:',
      '      author: { not_in: ["*@example.net"] }',
      '      any:',
      '        - subject: { contains: tulips }',
      '        - size: { above: 1 MB }',
      '    unless: { client_ip: { in: 192.0.2.0/24 } }',
      '    then: { reject: "no" }',
      `  - { name: rest, ${ALWAYS}, then: { reject: "not {author}" } }`,
    ].join('\n'),
  );
  const facts = factsOf({ header: 'From: eve@example.com\nSubject: Roses' });
  const evaluation = startEvaluation(programFor(null, ruleset, 'post'), memoryLog(), { trace: true });
  assert.equal(await evaluation.advance(facts.envelope), 'later');
  const verdict = await evaluation.advance(facts.header);
  assert.ok(verdict !== 'later');
  assert.equal(verdict.rule, 'rest');
  assert.deepEqual(
    (await evaluation.trace()).map(({ phase, rule, place, truth, waitsForText }) => [
      phase,
      rule,
      place.line,
      truth,
      waitsForText,
    ]),
    [
      ['envelope', 'strangers', 3, false, false],
      ['envelope', 'rest', 11, true, true],
      ['header', 'rest', 11, true, false],
    ],
  );
  const [first] = await evaluation.trace();
  assert.deepEqual(
    first?.clauses.map(({ label, truth, saw, place }) => [label, truth, saw, place.line]),
    [
      ['author', 'later', null, 5],
      ['any', 'later', null, 6],
      ['unless', false, null, 9],
    ],
  );
  assert.deepEqual(
    first?.clauses[2]?.children.map(({ label, truth, saw }) => [label, truth, saw]),
    [['client_ip', true, '192.0.2.1']],
  );
});

test('a redirect of a list is known while `after` has yet to be asked', async () => {
  const behind = system('after:\n  - { name: late, when: { size: { above: 1 MB } }, then: { reject: late } }');
  const away = list(`rules:\n  - { name: away, ${ALWAYS}, then: { redirect: roses@lists.example.org } }`);
  const evaluation = startEvaluation(programFor(behind, away, 'post'), memoryLog(), { trace: false });
  assert.equal(evaluation.redirected, null);
  assert.equal(await evaluation.advance(factsOf().envelope), 'later');
  assert.deepEqual(evaluation.redirected, { localPart: 'roses', domain: 'lists.example.org' });
});

test('the trace shows a set that cannot be asked', async () => {
  const ruleset = list(`${ROSTER}rules:\n  - { name: a, when: { author: { in: members } }, then: relay }`);
  const facts = factsOf({ header: 'From: ann@example.net' });
  const evaluation = startEvaluation(programFor(null, ruleset, 'post'), memoryLog(), { trace: true });
  await evaluation.advance(facts.header);
  assert.deepEqual(
    (await evaluation.trace()).map(({ truth, clauses }) => [truth, clauses[0]?.truth, clauses[0]?.saw]),
    [['failed', 'failed', 'ann@example.net']],
  );
});

test('a trace shows the score that each rule saw', async () => {
  const ruleset = list(
    [
      'rules:',
      '  - { name: a, when: { score: { at_least: 1 } }, then: { reject: a } }',
      `  - { name: b, ${ALWAYS}, then: { score: 2 } }`,
      '  - { name: c, when: { score: { at_least: 1 } }, then: { reject: c } }',
    ].join('\n'),
  );
  const evaluation = startEvaluation(programFor(null, ruleset, 'post'), memoryLog(), { trace: true });
  await evaluation.advance(factsOf().envelope);
  assert.deepEqual(
    (await evaluation.trace()).map(({ rule, truth, clauses }) => [rule, truth, clauses[0]?.saw]),
    [
      ['a', false, '0'],
      ['b', true, 'every message'],
      ['c', true, '2'],
    ],
  );
});
