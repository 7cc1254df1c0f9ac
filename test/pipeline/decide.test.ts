/**
 * What the decisions of one transaction share: its time, and whom it has named so far.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Transaction } from '../../src/core/envelope.ts';
import type { Facts } from '../../src/core/facts.ts';
import { parseHeader } from '../../src/mail/header.ts';
import { decide, openCourse, openDecision } from '../../src/pipeline/decide.ts';
import type { Policy } from '../../src/rules/policy.ts';

const transaction: Transaction = {
  id: 'T1',
  client: { address: null, name: null, port: null, helo: '', tls: null, protocol: 'LMTP' },
  reversePath: null,
  rawReversePath: '',
  parameters: new Map(),
  signal: new AbortController().signal,
};

test('the facts count recipients and lists as they are named, and all of them from the header on', async () => {
  const seen: string[] = [];
  const policyOf = (list: string): Policy => ({
    address: { list, role: 'post', detail: '' },
    unavailable: null,
    start: () => ({
      trace: async () => [],
      redirected: null,
      accepted() {},
      undecided: [],
      pending: false,
      shadows: [],
      advance({ phase, now, addressees }: Facts) {
        seen.push(`${list} ${phase} ${now} ${addressees.recipients.size} ${addressees.lists.size}`);
        return 'later';
      },
    }),
  });
  const course = openCourse(17);
  const decisions = [];
  for (const [to, list] of [
    ['a', 'a'],
    ['A', 'a'],
    ['a-owner', 'a'],
    ['b', 'b'],
  ] as const) {
    const recipient = { forwardPath: { localPart: to, domain: 'x.example' }, raw: to, parameters: new Map() };
    const decision = openDecision(transaction, course, recipient, policyOf(list));
    decisions.push(decision);
    await decide(decision, { phase: 'envelope' });
  }
  const header = parseHeader(Buffer.from('\r\n'));
  for (const decision of decisions) await decide(decision, { phase: 'header', header });
  assert.deepEqual(seen, [
    'a envelope 17 1 1',
    'a envelope 17 1 1',
    'a envelope 17 2 1',
    'b envelope 17 3 2',
    ...['a', 'a', 'a', 'b'].map((list) => `${list} header 17 3 2`),
  ]);
});
