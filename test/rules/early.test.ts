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
import type { Given } from '../../src/rules/part.ts';
import type { Ledger } from '../../src/store/ledger.ts';
import { memoryLedger } from '../../src/store/memory-ledger.ts';
import { evaluate, load } from './load.ts';

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
);
const { when } = fc.letrec<{ when: Json }>((tie) => ({
  when: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    condition,
    fc.array(tie('when'), { minLength: 1, maxLength: 3 }).map((any): Json => ({ any })),
    fc.array(tie('when'), { minLength: 1, maxLength: 3 }).map((all): Json => ({ all })),
    tie('when').map((not): Json => ({ not })),
    fc.tuple(condition, tie('when')).map(([one, not]): Json => ({ ...(one as object), not })),
  ),
}));
const text = fc.constantFrom('no', 'not {author}', 'not to {list}');
const edit = fc.oneof(
  text.map((value): Json => ({ add_header: { name: 'X-Note', value } })),
  fc.constant<Json>({ remove_header: 'X-Loop' }),
);
const decision = fc.oneof(
  fc.constant<Json>('relay'),
  text.map((reject): Json => ({ reject })),
  text.map((defer): Json => ({ defer })),
  text.map((discard): Json => ({ discard })),
);
const then = fc
  .tuple(fc.array(edit, { maxLength: 2 }), fc.option(decision, { nil: null }))
  .map(([edits, decided]): Json => (decided === null ? [...edits, { remove_header: 'X-Last' }] : [...edits, decided]));
const rules = fc
  .array(fc.record({ when, then, unless: fc.option(when, { nil: null }) }), { maxLength: 4 })
  .map((some) =>
    some.map(
      ({ unless, ...rule }, index): Json => ({
        name: `rule-${index}`,
        roles: ['post'],
        ...rule,
        ...(unless === null ? {} : { unless }),
      }),
    ),
  );

const message: fc.Arbitrary<Given> = fc
  .record({
    from: fc.constantFrom('', ...ADDRESSES),
    client: fc.constantFrom('192.0.2.1', '198.51.100.1', null),
    authors: fc.array(address, { maxLength: 2 }),
    subject: fc.constantFrom(...WORDS),
    loop: fc.boolean(),
    id: fc.constantFrom('<1@example.net>', '<2@example.net>'),
    body: fc.constantFrom('Tulips are red.', 'Roses too.'),
    size: fc.constantFrom(1000, 1024, 1100),
  })
  .map(({ authors, subject, loop, id, ...given }) => {
    const fields = [
      ...(authors.length > 0 ? [`From: ${authors.join(', ')}`] : []),
      `Subject: ${subject}`,
      `Message-ID: ${id}`,
      ...(loop ? ['X-Loop: yes'] : []),
    ];
    return { ...given, header: fields.join('\n') };
  });

function named(prefix: string, some: readonly Json[]): readonly Json[] {
  return some.map((rule, index) => ({ ...(rule as object), name: `${prefix}-${index}` }));
}

function ruleset(scope: 'system' | 'list', layers: Json, ledger: Ledger) {
  const body = JSON.stringify({ version: '1', sets: SETS, ...(layers as object) });
  const { ruleset: compiled, diagnostics } = load(scope, body, { file: join(folder, 'rules.yaml'), now, ledger });
  assert.ok(compiled !== null, JSON.stringify(diagnostics.filter(({ code }) => code.startsWith('E_'))));
  return compiled;
}

/** What is remembered of earlier messages must come out the same too, so several messages meet the same rules. */
test('the verdict reached early is the verdict reached at the end', async () => {
  const reached = new Set<string>();
  const messages = fc.array(message, { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(rules, rules, rules, messages, async (before, own, behind, all) => {
      const rulesets = (ledger: Ledger) => ({
        system: ruleset('system', { before: named('before', before), after: named('after', behind) }, ledger),
        list: ruleset('list', { rules: named('own', own) }, ledger),
      });
      const [asking, waiting] = [memoryLedger({ now: () => 0 }), memoryLedger({ now: () => 0 })].map(rulesets);
      assert.ok(asking !== undefined && waiting !== undefined);
      for (const given of all) {
        const { phase, ...early } = await evaluate(asking, given, { served: true });
        const { phase: end, ...late } = await evaluate(waiting, given, { phases: ['content'], served: true });
        assert.deepEqual(early, late);
        assert.equal(end, 'content');
        reached.add(`${early.kind} at ${phase}`);
      }
    }),
    { numRuns: 300, seed: 1 },
  );
  // A generator that never gets anywhere would prove nothing.
  for (const kind of ['relay', 'reject', 'defer', 'discard']) {
    for (const phase of ['envelope', 'header', 'content'])
      assert.ok(reached.has(`${kind} at ${phase}`), `${kind} at ${phase}`);
  }
});
