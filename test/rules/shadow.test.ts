/**
 * Shadow rules: asked, counted, named, and of no consequence.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { PHASES } from '../../src/core/facts.ts';
import { decide, openCourse, openDecision } from '../../src/pipeline/decide.ts';
import { startEvaluation } from '../../src/rules/evaluate.ts';
import { openRulebook } from '../../src/rules/rulebook.ts';
import { programFor } from '../../src/rules/program.ts';
import { shadowCounter } from '../../src/rules/shadow-counts.ts';
import { factsOf, mailbox, memoryLog } from './facts.ts';
import { printVerdict, rulesetOf } from './load.ts';

const shadow = (name: string, when: string, then = '{ reject: "no" }') =>
  `  - { name: ${name}, mode: shadow, when: { ${when} }, then: ${then} }`;
const enforced = (name: string, when: string, then = '{ reject: "no" }') =>
  `  - { name: ${name}, when: { ${when} }, then: ${then} }`;

const FROM = { from: 'ann@example.net', header: 'From: ann@example.net\nSubject: Tulips' };

const cases = [
  {
    name: 'one that would have decided',
    rules: [shadow('s', 'always: true')],
    verdict: 'relay',
    phase: 'envelope',
    shadows: ['s'],
  },
  { name: 'one that would not', rules: [shadow('s', 'subject: { is: Roses }')], verdict: 'relay', shadows: [] },
  {
    name: 'one that only edits',
    rules: [shadow('s', 'always: true', '{ add_header: { name: X-A, value: a } }')],
    verdict: 'relay',
    shadows: [],
  },
  {
    name: 'one that has to wait holds nobody up, and is asked after the verdict',
    rules: [shadow('s', 'size: { above: 1 B }'), enforced('e', 'envelope_from: { domain: example.net }')],
    verdict: '550 5.7.1 no (id T1)',
    phase: 'envelope',
    shadows: ['s'],
  },
  {
    name: 'one behind the rule that decides is not asked',
    rules: [enforced('e', 'always: true'), shadow('s', 'subject: { is: a }')],
    verdict: '550 5.7.1 no (id T1)',
    shadows: [],
  },
  {
    name: 'one whose set cannot be asked defers nobody',
    rules: [shadow('s', 'author: { in: gone }'), shadow('t', 'author: { is: ann@example.net }')],
    verdict: 'relay',
    shadows: ['t'],
  },
];

for (const { name, rules, verdict, phase, shadows } of cases) {
  test(name, async () => {
    const sets = name.includes('set') ? 'sets: { gone: { file: gone.txt } }\n' : '';
    const list = rulesetOf('list', `version: 1\n${sets}rules:\n${rules.join('\n')}\n`);
    const facts = factsOf(FROM);
    const evaluation = startEvaluation(programFor(null, list, 'post'), memoryLog(), { trace: false });
    await evaluation.advance(facts.envelope);
    await evaluation.advance(facts.header);
    const last = await evaluation.advance(facts.content);
    assert.ok(last !== 'later');
    assert.equal(printVerdict(last), verdict);
    if (phase !== undefined) assert.equal(last.phase, phase);
    assert.deepEqual(evaluation.shadows, shadows);
    assert.equal(evaluation.pending, false);
  });
}

const folder = mkdtempSync(join(tmpdir(), 'postern-shadow-'));
after(() => rmSync(folder, { recursive: true }));

test('the rulebook counts, and the pipeline asks on after the verdict', async () => {
  const system = join(folder, 'system.yaml');
  writeFileSync(
    system,
    [
      'version: 1',
      'before:',
      '  - { name: tulips, mode: shadow, until: 2026-01-01, when: { subject: { is: Tulips } }, then: { reject: "no" } }',
    ].join('\n'),
  );
  const log = memoryLog();
  const now = () => Date.UTC(2026, 0, 2);
  const { rulebook, diagnostics } = openRulebook({ system, lists: null, downstreams: [], log, now });
  assert.ok(rulebook !== null);
  assert.deepEqual(
    diagnostics.map(({ code, rule }) => [code, rule]),
    [['W_OVERDUE', 'tulips']],
  );
  assert.deepEqual(
    log.lines.map(({ event, detail }) => [event, detail['rule']]),
    [['shadow-rule-overdue', 'tulips']],
  );
  assert.deepEqual(rulebook.shadowCounts(), []);
  for (const subject of ['Tulips', 'Roses', 'Tulips']) {
    const { envelope, header } = factsOf({ header: `Subject: ${subject}` });
    assert.ok(header.phase === 'header');
    const policy = await rulebook.policyFor(mailbox('gardeners@lists.example.org'));
    const decision = openDecision(envelope.transaction, openCourse(0), envelope.recipient, policy);
    assert.equal((await decide(decision, { phase: 'envelope' }))?.kind, 'relay');
    assert.equal(decision.evaluation.pending, true);
    assert.equal((await decide(decision, { phase: 'header', header: header.header }))?.phase, 'envelope');
    assert.deepEqual(decision.evaluation.shadows, subject === 'Tulips' ? ['tulips'] : []);
  }
  assert.deepEqual(rulebook.shadowCounts(), [{ ruleset: system, rule: 'tulips', asked: 3, matched: 2 }]);
});

test('what is counted is bounded', () => {
  const counter = shadowCounter();
  const place = { file: 'a.yaml', line: 1, column: 1, length: 1 };
  for (let index = 0; index < 10_100; index += 1) counter.count({ name: `r${index}`, place }, true);
  counter.count({ name: 'r0', place }, false);
  assert.equal(counter.counts().length, 10_000);
  assert.deepEqual(counter.counts()[0], { ruleset: 'a.yaml', rule: 'r0', asked: 2, matched: 1 });
});

test('a trace shows shadow rules for what they are', async () => {
  const list = rulesetOf('list', `version: 1\nrules:\n${shadow('s', 'subject: { is: Tulips }')}\n`);
  const facts = factsOf(FROM);
  const evaluation = startEvaluation(programFor(null, list, 'post'), memoryLog(), { trace: true });
  for (const at of PHASES) await evaluation.advance(facts[at]);
  assert.deepEqual(
    (await evaluation.trace()).map(({ rule, phase, truth, shadow: isShadow }) => [rule, phase, truth, isShadow]),
    [
      ['s', 'envelope', 'later', true],
      ['s', 'header', true, true],
    ],
  );
});
