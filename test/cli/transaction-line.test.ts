/** The line of a transaction is the one that JSON.stringify makes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { printTransaction } from '../../src/cli/transaction-line.ts';
import type { RecipientRecord, TransactionRecord } from '../../src/core/log.ts';

// Few values, so that recipients are often like the one before in all but one thing.
const text = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('', 'gardeners@lists.example.org', 'a"b', 'back\\slash') },
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.constantFrom('\ud800', '\u2028', '\x7f', 'tab\there', 'ü'),
);
const orNull = fc.option(fc.constantFrom('', 'rules/system.yaml', 'ö', '"'), { freq: 4 });
const texts = fc.array(text, { minLength: 1, maxLength: 3 });

const recipient: fc.Arbitrary<RecipientRecord> = fc.record(
  {
    to: text,
    list: text,
    role: fc.constantFrom('post', 'owner'),
    ruleset: orNull,
    rule: orNull,
    verdict: fc.constantFrom('relay', 'none', 'redirect'),
    phase: orNull,
    reply: fc.constantFrom('250 2.0.0 Ok', '', '451 4.3.0 "no" | später'),
    downstream: orNull,
    ms: fc.option(fc.nat(3)),
    redirect: text,
    copies: fc.array(fc.record({ to: text, downstream: text, reply: text }), { minLength: 1, maxLength: 2 }),
    notes: texts,
    score: fc.constantFrom(0, -1.5, 3),
    shadow: texts,
  },
  { requiredKeys: ['to', 'list', 'role', 'ruleset', 'rule', 'verdict', 'phase', 'reply', 'downstream', 'ms'] },
);

const transaction: fc.Arbitrary<TransactionRecord> = fc.record(
  {
    id: text,
    listener: text,
    client: orNull,
    helo: text,
    from: text,
    size: fc.nat(),
    end: fc.constantFrom('complete', 'aborted'),
    ms: fc.nat(),
    stages: fc.record({ content: fc.nat(), rules: fc.nat(), delivery: fc.nat() }),
    recipients: fc.array(recipient, { maxLength: 6 }),
  },
  { requiredKeys: ['id', 'listener', 'client', 'helo', 'from', 'size', 'end', 'ms', 'recipients'] },
);

test('a transaction is printed as JSON prints it', () => {
  fc.assert(
    fc.property(transaction, (record) => {
      assert.equal(`{${printTransaction(record)}`, JSON.stringify(record));
    }),
    { numRuns: 2_000 },
  );
});

test('a recipient that is like the one before but for one thing shows it', () => {
  fc.assert(
    fc.property(transaction, recipient, fc.constantFrom(...KEYS), recipient, (record, one, key, other) => {
      const recipients = [one, { ...one, [key]: other[key] }, one];
      const changed = { ...record, recipients: recipients.map(withoutUndefined) };
      assert.equal(`{${printTransaction(changed)}`, JSON.stringify(changed));
    }),
    { numRuns: 2_000 },
  );
});

const KEYS = [
  ...(['to', 'list', 'role', 'ruleset', 'rule', 'verdict', 'phase', 'reply', 'downstream', 'ms'] as const),
  ...(['redirect', 'copies', 'notes', 'score', 'shadow'] as const),
];

/** In the order in which records are made. */
function withoutUndefined(one: RecipientRecord): RecipientRecord {
  const entries = KEYS.flatMap((key) => (one[key] === undefined ? [] : [[key, one[key]] as const]));
  return Object.fromEntries(entries) as unknown as RecipientRecord;
}
