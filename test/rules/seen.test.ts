/**
 * A copy was accepted before: remembered when a downstream took the message, for the same address of the list.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Message } from '../../src/core/message.ts';
import { bodyDigest } from '../../src/rules/body-digest.ts';
import type { Given } from '../../src/rules/part.ts';
import type { Ledger } from '../../src/store/ledger.ts';
import { memoryLedger } from '../../src/store/memory-ledger.ts';
import { factsOf, memoryLog } from './facts.ts';
import { evaluate, load, printVerdict } from './load.ts';

let clock = 0;
const ONE = { header: 'Message-ID: <1@example.net>', body: 'Tulips.' };

/** What becomes of the messages, one after the other; `served` ones are taken by a downstream where they are relayed. */
async function verdicts(
  rules: string,
  all: readonly (Given & { readonly served?: boolean; readonly at?: number })[],
  ledger: Ledger = memoryLedger({ now: () => clock }),
): Promise<readonly string[]> {
  const { ruleset, diagnostics } = load('system', `version: 1\nbefore:\n${rules}`, { ledger });
  assert.ok(ruleset !== null, JSON.stringify(diagnostics));
  const found: string[] = [];
  for (const { served = true, at = 0, ...given } of all) {
    clock = at;
    found.push(printVerdict(await evaluate({ system: ruleset }, given, { served })));
  }
  return found;
}

const copies = (key: string): string =>
  `  - { name: copies, when: { seen: { key: ${key}, within: 1 day } }, then: { discard: copy } }\n`;

const cases: readonly { name: string; rules: string; given: Parameters<typeof verdicts>[1]; expect: string }[] = [
  { name: 'a copy', rules: copies('message_id'), given: [ONE, ONE], expect: 'relay, discard: copy' },
  {
    name: 'one that was refused is no copy of itself',
    rules: copies('message_id'),
    given: [{ ...ONE, served: false }, ONE, ONE],
    expect: 'relay, relay, discard: copy',
  },
  {
    name: 'what was discarded does not renew the memory',
    rules: copies('message_id'),
    given: [ONE, { ...ONE, at: 86_399_999 }, { ...ONE, at: 86_400_000 }],
    expect: 'relay, discard: copy, relay',
  },
  {
    name: 'a copy to another list, and to another address of the list',
    rules: copies('message_id'),
    given: [ONE, { ...ONE, to: 'news@lists.example.org' }, { ...ONE, to: 'gardeners-owner@lists.example.org' }],
    expect: 'relay, relay, relay',
  },
  {
    name: 'brackets without a text are no Message-ID',
    rules: copies('message_id'),
    given: [{ header: 'Message-ID: <>' }, { header: 'Message-ID: < >' }, { header: 'Message-ID: <>' }],
    expect: 'relay, relay, relay',
  },
  {
    name: 'the same list with a detail',
    rules: copies('message_id'),
    given: [ONE, { ...ONE, to: 'gardeners+x@lists.example.org' }],
    expect: 'relay, discard: copy',
  },
  {
    name: 'the same body under another Message-ID',
    rules: copies('body'),
    given: [ONE, { ...ONE, header: 'Message-ID: <2@example.net>\nSubject: again' }, { ...ONE, body: 'tulips.' }],
    expect: 'relay, discard: copy, relay',
  },
  {
    name: 'a rule that was never reached remembers all the same',
    rules: `  - { name: ann, when: { envelope_from: { is: ann@example.net } }, then: relay }\n${copies('body')}`,
    given: [ONE, { ...ONE, from: 'bob@example.net' }],
    expect: 'relay, discard: copy',
  },
  {
    name: 'under not, and beside others',
    rules:
      '  - { name: new, when: { not: { seen: { key: message_id, within: 1 day } }, always: true }, then: { reject: first } }\n',
    given: [ONE, ONE],
    expect: '550 5.7.1 first (id T1), 550 5.7.1 first (id T1)',
  },
];

for (const { name, rules, given, expect } of cases) {
  test(name, async () => assert.equal((await verdicts(rules, given)).join(', '), expect));
}

test('a ledger that cannot remember is told in the log and costs nobody a message', async () => {
  const log = memoryLog();
  const broken: Ledger = {
    ...memoryLedger(),
    mark: async () => {
      throw new Error('gone');
    },
  };
  const { ruleset } = load('list', `version: 1\nrules:\n${copies('message_id')}`, { ledger: broken });
  assert.ok(ruleset !== null);
  assert.equal((await evaluate({ list: ruleset }, ONE, { log, served: true })).kind, 'relay');
  assert.deepEqual(
    log.lines.map(({ event }) => event),
    ['not-remembered'],
  );
});

test('a body is the same however it is cut, and white space is no body', async () => {
  const octets = Buffer.from('Subject: x\r\n\r\n \r\nTulips.\r\n');
  const { header } = factsOf({ header: 'Subject: x' }).content;
  const cut = (...at: readonly number[]): Message => {
    const slices = [0, ...at].map((start, index) => octets.subarray(start, at[index] ?? octets.length));
    return { header, content: { size: octets.length, slices: () => slices } };
  };
  const digests = await Promise.all([cut(), cut(5), cut(14), cut(3, 13, 14, 15, 20)].map(bodyDigest));
  assert.equal(new Set(digests).size, 1);
  assert.ok(digests[0] !== null);
  const blank = { header, content: { size: 20, slices: () => [octets.subarray(0, 17)] } };
  assert.equal(await bodyDigest(blank), null);
});
