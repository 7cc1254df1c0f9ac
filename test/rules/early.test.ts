/**
 * The law: the verdict reached early is the verdict that asking everything at the end would give. Held over random rulesets
 * of all layers and random messages; sets in files answer late, one of them never.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { isReached } from '../../src/core/facts.ts';
import { replies } from '../../src/core/reply.ts';
import { TIGHTEN_ONLY } from '../../src/rules/may.ts';
import type { Given } from '../../src/rules/part.ts';
import { phasesOf } from '../../src/rules/phases.ts';
import { RuledOut } from '../../src/rules/policy.ts';
import { programFor } from '../../src/rules/program.ts';
import { actions } from '../../src/rules/registry.ts';
import type { Ledger } from '../../src/store/ledger.ts';
import { memoryLedger } from '../../src/store/memory-ledger.ts';
import { evaluateAll, load } from './load.ts';

const folder = mkdtempSync(join(tmpdir(), 'postern-early-'));
after(() => rmSync(folder, { recursive: true }));
writeFileSync(join(folder, 'members.txt'), 'ann@example.net\n*@example.org\n');

/** Each question looks at the file again, so each answer is a promise. */
let clock = 0;
const now = () => {
  clock += 10_000;
  return clock;
};

const SETS = {
  members: { file: 'members.txt' },
  gone: { file: 'gone.txt' },
  blocked: { values: ['eve@example.com', '*@bulk.example'] },
  campus: { addresses: ['192.0.2.0/24'] },
};
const CONDITIONS = {
  known: { any: [{ author: { in: 'members' } }, { client_ip: { in: 'campus' } }] },
  large: { size: { above: '1 KB' }, not: { condition: 'known' } },
  busy: { any: [{ rate: { per: 'author', above: '1 per hour' } }, { condition: 'large' }] },
};
const ADDRESSES = ['ann@example.net', 'bob@example.org', 'eve@example.com', 'gardeners@lists.example.org'];
const WORDS = ['tulips', 'roses', ''];

type Json = string | readonly Json[] | { readonly [key: string]: Json };

const address = fc.constantFrom(...ADDRESSES);
const setName = fc.oneof({ weight: 6, arbitrary: fc.constantFrom('members', 'blocked') }, fc.constant('gone'));
const ofAddresses = fc.oneof(
  address.map((is): Json => ({ is })),
  setName.map((name): Json => ({ in: name })),
  setName.map((name): Json => ({ not_in: [name, 'bob@example.org'] })),
  fc.constant<Json>({ like: '*@example.*' }),
);
const ofText = fc.oneof(
  fc.constantFrom('tulips', 'roses').map((contains): Json => ({ contains })),
  fc.constant<Json>({ regex: '^(re: )?tu' }),
  fc.constant<Json>({ empty: 'true' }),
);
const condition: fc.Arbitrary<Json> = fc.oneof(
  fc.constant<Json>({ always: 'true' }),
  fc.constantFrom('true', 'false').map((empty): Json => ({ envelope_from: { empty } })),
  ofAddresses.map((words): Json => ({ envelope_from: words })),
  ofAddresses.map((words): Json => ({ author: words })),
  ofText.map((words): Json => ({ subject: words })),
  fc.constant<Json>({ header: { name: 'X-Loop', exists: 'true' } }),
  fc.constantFrom('above', 'below').map((word): Json => ({ size: { [word]: '1 KB' } })),
  fc.constantFrom('in', 'not_in').map((word): Json => ({ client_ip: { [word]: 'campus' } })),
  fc
    .tuple(fc.constantFrom('author', 'envelope_from', 'client_ip', 'list'), fc.constantFrom('1 per hour', '2 per day'))
    .map(([per, above]): Json => ({ rate: { per, above } })),
  fc.constantFrom('message_id', 'body').map((key): Json => ({ seen: { key, within: '1 day' } })),
  fc.constantFrom('known', 'large', 'busy', ['known', 'large']).map((name): Json => ({ condition: name })),
  fc.constantFrom<Json[]>(
    { client_name: { like: '*.example.net' } },
    { helo: { is: 'mx.example.net' } },
    { tls: 'true' },
    { authenticated: 'true' },
    { declared_size: { above: '1 KB' } },
    { time: { hours: '08:00-18:00', zone: 'Europe/Berlin' } },
    { addressed_to_list: 'true' },
    { auto_submitted: 'yes' },
    { loop: 'true' },
    { received_count: { above: '0' } },
    { spam_score: { at_least: '5' } },
    { date_skew: { above: '1 day' } },
    { score: { at_least: '4' } },
    { score: { at_least: '6.5' } },
    { auth: { dmarc: 'fail', dmarc_policy: 'reject' } },
    { auth: { dkim: ['pass', 'none'] } },
    { recipients: { above: '1' } },
    { recipients: { below: '3' } },
    { lists_addressed: { above: '1' } },
    { lists_addressed: { above: '0', below: '3' } },
  ),
  fc.constantFrom<Json>('*.exe', '*.pdf').map((like): Json => ({ attachment: { name: { like } } })),
  fc.constant<Json>({ attachment: { size: { above: '5 B' }, type: { starts_with: 'application/' } } }),
  fc.constantFrom('true', 'false').map((html): Json => ({ text_parts: { html } })),
  fc
    .constantFrom<Json>({ contains: 'tulips' }, { regex: 'ro+ses' }, { like: '*lip?*' })
    .map((words) => ({ body: words })),
  setName.map((name): Json => ({ link_domain: { in: [name, 'example.org'] } })),
  fc.constantFrom('true', 'false').map((flag): Json => ({ malformed: flag })),
  ofAddresses.map((words): Json => ({ poster: words })),
);
const systemCondition = fc.oneof(
  { weight: 12, arbitrary: condition },
  fc.constantFrom<Json[]>({ role: 'post' }, { detail: { empty: 'true' } }, { list: { like: 'gardeners@*' } }),
);
const whenOf = (one: fc.Arbitrary<Json>) =>
  fc.letrec<{ when: Json }>((tie) => ({
    when: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      one,
      fc.array(tie('when'), { minLength: 1, maxLength: 3 }).map((any): Json => ({ any })),
      fc.array(tie('when'), { minLength: 1, maxLength: 3 }).map((all): Json => ({ all })),
      tie('when').map((not): Json => ({ not })),
      fc.tuple(one, tie('when')).map(([first, not]): Json => ({ ...(first as object), not })),
    ),
  })).when;
const text = fc.constantFrom('no', 'not {author}', 'not to {list}', 'scored {score}', 'no {part_name}');
const edit = fc.oneof(
  text.map((value): Json => ({ add_header: { name: 'X-Note', value } })),
  fc.constant<Json>({ remove_header: 'X-Loop' }),
  fc.constantFrom<Json[]>({ score: '2' }, { score: '4.5' }, { tag: 'odd' }, { subject_prefix: '[{author}]' }),
  text.map((note): Json => ({ note })),
  address.map((copy): Json => ({ copy })),
);
const decision = fc.oneof(
  fc.constant<Json>('relay'),
  text.map((reject): Json => ({ reject })),
  text.map((defer): Json => ({ defer })),
  text.map((discard): Json => ({ discard })),
  text.map((hold): Json => ({ hold })),
  address.map((redirect): Json => ({ redirect })),
  fc.constant<Json>({ quarantine: 'junk' }),
);
const then = fc
  .tuple(fc.array(edit, { maxLength: 2 }), fc.option(decision, { nil: null }))
  .map(([edits, decided]): Json => (decided === null ? [...edits, { remove_header: 'X-Last' }] : [...edits, decided]));
const rulesOf = (when: fc.Arbitrary<Json>) => {
  const mode = fc.constantFrom('enforce', 'enforce', 'shadow');
  const rule = fc.record({ when, then, unless: fc.option(when, { nil: null }), mode });
  return fc.array(rule, { maxLength: 4 }).map((some) =>
    some.map(
      ({ unless, ...one }, index): Json => ({
        name: `rule-${index}`,
        roles: ['post'],
        ...one,
        ...(unless === null ? {} : { unless }),
      }),
    ),
  );
};

const systemRules = rulesOf(whenOf(systemCondition));
const listRules = rulesOf(whenOf(condition));

const message: fc.Arbitrary<Given> = fc
  .record({
    from: fc.constantFrom('', ...ADDRESSES),
    client: fc.constantFrom('192.0.2.1', '198.51.100.1', null),
    authors: fc.array(address, { maxLength: 2 }),
    subject: fc.constantFrom(...WORDS),
    loop: fc.boolean(),
    id: fc.constantFrom('<1@example.net>', '<2@example.net>'),
    kind: fc.constantFrom('plain', 'html', 'mixed'),
    line: fc.constantFrom('tulips', 'roses', 'http://example.org/'),
    size: fc.constantFrom(1000, 1024, 1100),
    declaredSize: fc.constantFrom('', '1100'),
    to: fc.constantFrom('gardeners@lists.example.org', 'gardeners+x@lists.example.org'),
    others: fc.subarray(['gardeners-owner@lists.example.org', 'news@lists.example.org', 'roses@lists.example.org']),
    now: fc.constantFrom('2026-03-04T12:00:00Z', '2026-03-04T22:00:00Z'),
    fields: fc.subarray([
      'To: gardeners@lists.example.org',
      'Auto-Submitted: auto-replied',
      'List-Id: <gardeners.lists.example.org>',
      'Received: from a by b',
      'Authentication-Results: mx.example.org; dmarc=fail (p=reject); dkim=none',
      'X-Spam-Score: 7.5',
      'Date: Sun, 1 Mar 2026 12:00:00 +0000',
    ]),
  })
  .map(({ authors, subject, loop, id, kind, line, fields: more, ...given }) => {
    const file = 'Content-Type: application/x-program; name=a.exe\n\ntulips';
    const fields = [
      ...(kind === 'plain' ? [] : [`Content-Type: ${kind === 'html' ? 'text/html' : 'multipart/mixed; boundary=b'}`]),
      ...(authors.length > 0 ? [`From: ${authors.join(', ')}`] : []),
      `Subject: ${subject}`,
      `Message-ID: ${id}`,
      ...(loop ? ['X-Loop: yes'] : []),
      ...more,
    ];
    const body = kind === 'mixed' ? `--b\n\n${line}\n--b\n${file}\n--b--\n` : line;
    return { ...given, header: fields.join('\n'), body };
  });

function named(prefix: string, some: readonly Json[]): readonly Json[] {
  return some.map((rule, index) => ({ ...(rule as object), name: `${prefix}-${index}` }));
}

function enforcedOnly(some: readonly Json[]): readonly Json[] {
  return some.filter((rule) => JSON.stringify(rule).includes('"mode":"enforce"'));
}

const TRUSTED = ['mx.example.org'];

function ruleset(scope: 'system' | 'list', layers: Json, ledger: Ledger) {
  const trust = scope === 'system' ? { trust_results_from: TRUSTED } : {};
  const body = JSON.stringify({ version: '1', ...trust, sets: SETS, conditions: CONDITIONS, ...(layers as object) });
  const may = { ...TIGHTEN_ONLY, actions: [...actions.keys()] };
  const options = {
    file: join(folder, 'rules.yaml'),
    now,
    ledger,
    trustResultsFrom: TRUSTED.map((name) => ({ name, several: false })),
    may,
  };
  const { ruleset: compiled, diagnostics } = load(scope, body, options);
  assert.ok(compiled !== null, JSON.stringify(diagnostics.filter(({ code }) => code.startsWith('E_'))));
  return compiled;
}

/** CI asks for many more. */
const RUNS = Number(process.env['EARLY_RUNS'] ?? 600);

type Choice = (some: readonly Json[]) => readonly Json[];

/** The rules of both files, with a memory of their own; `which`: those that are meant. */
function rulesetsOf(
  before: readonly Json[],
  own: readonly Json[],
  behind: readonly Json[],
  which: Choice = (all) => all,
) {
  const ledger = memoryLedger({ now: () => 0 });
  const layers = { before: which(named('before', before)), after: which(named('after', behind)) };
  return {
    system: ruleset('system', layers, ledger),
    list: ruleset('list', { rules: which(named('own', own)) }, ledger),
  };
}

/** What is remembered of earlier messages must come out the same too, so several messages meet the same rules. */
test('the verdict reached early is the verdict reached at the end, and not before the phase that is told', async () => {
  const reached = new Set<string>();
  const messages = fc.array(message, { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(systemRules, listRules, systemRules, messages, async (before, own, behind, all) => {
      const rulesets = (which?: Choice) => rulesetsOf(before, own, behind, which);
      const [asking, waiting, enforced] = [rulesets(), rulesets(), rulesets(enforcedOnly)];
      const { system, list } = asking;
      const phases = [...phasesOf(system, list), ...phasesOf(system, system)];
      for (const given of all) {
        const early = await evaluateAll(asking, given);
        const late = await evaluateAll(waiting, given, ['content']);
        assert.deepEqual(early.said, late.said);
        assert.deepEqual(early.shadows, late.shadows);
        assert.equal(late.phase, 'content');
        const alone = await evaluateAll(enforced, given);
        assert.deepEqual([alone.phase, alone.said], [early.phase, early.said]);
        const { said, phase } = early;
        reached.add(`${said.kind} at ${phase}`);
        const failed = said.kind === 'defer' && said.reply.text.startsWith(replies.policyUnavailable.text);
        const told = phases.find(({ rule }) => rule.name === said.rule);
        if (told !== undefined && !failed) assert.ok(isReached(told.actual, phase), `${said.rule} at ${phase}`);
      }
    }),
    { numRuns: RUNS, seed: 1 },
  );
  // A generator that never gets anywhere would prove nothing.
  for (const kind of ['relay', 'reject', 'defer', 'discard', 'quarantine', 'redirect']) {
    for (const phase of ['envelope', 'header', 'content'])
      assert.ok(reached.has(`${kind} at ${phase}`), `${kind} at ${phase}`);
  }
});

/** Conditions of which most look at the message alone. */
const mostlyOfMessage = rulesOf(
  whenOf(
    fc.oneof(
      fc.constantFrom('tulips', 'roses').map((contains): Json => ({ subject: { contains } })),
      fc.constantFrom('Auto-Submitted', 'X-Loop').map((name): Json => ({ header: { name, exists: 'true' } })),
      fc.constantFrom('above', 'below').map((word): Json => ({ size: { [word]: '1 KB' } })),
      address.map((is): Json => ({ author: { is } })),
      address.map((is): Json => ({ envelope_from: { is } })),
      fc.constant<Json>({ auto_submitted: 'yes' }),
      condition,
    ),
  ),
);

test('what is ruled out for one recipient of a message is what the next would answer', async () => {
  let spared = 0;
  await fc.assert(
    fc.asyncProperty(mostlyOfMessage, listRules, mostlyOfMessage, message, async (before, own, behind, given) => {
      const [sharing, apart] = [rulesetsOf(before, own, behind), rulesetsOf(before, own, behind)];
      const ruledOut = new RuledOut();
      ruledOut.isShared = true;
      const { to = '', ...rest } = given;
      for (const one of [
        'roses@lists.example.org',
        'gardeners-owner@lists.example.org',
        to,
        'news@lists.example.org',
      ]) {
        const asked = { ...rest, to: one };
        // Here one recipient is asked to the end before the next, so what one learnt of the content the next knows at once.
        const { phase: _, ...next } = await evaluateAll(sharing, asked, undefined, ruledOut);
        const { phase, ...expected } = await evaluateAll(apart, asked);
        assert.deepEqual(next, expected, phase);
      }
      const { system, list } = sharing;
      spared += programFor(system, list, 'post').rules.filter((rule) => ruledOut.has(rule)).length;
    }),
    { numRuns: 600, seed: 1 },
  );
  assert.ok(spared > 100, `${spared} rules`);
});
