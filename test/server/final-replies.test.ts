/**
 * The one reply for many outcomes: never a 250 while anybody has nothing.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Reply, reply } from '../../src/core/reply.ts';
import type { Outcome, Verdict } from '../../src/core/verdict.ts';
import { combine } from '../../src/server/final-replies.ts';

const by = { ruleset: 'test', rule: 'rule', phase: 'content' } as const;
const relay: Verdict = { ...by, kind: 'relay', downstream: null, edits: [] };
const discard: Verdict = { ...by, kind: 'discard', note: 'gone' };
const OK = reply(250, '2.0.0', 'ok');
const FULL = reply(452, '4.3.1', 'no storage');
const LATER = reply(451, '4.3.0', 'later');
const NO = reply(550, '5.7.1', 'no');

function outcome(name: string, verdict: Verdict | null, told: Reply, downstream: string | null = null): Outcome {
  const recipient = { forwardPath: { localPart: name, domain: 'x.example' }, raw: name, parameters: new Map() };
  return { recipient, verdict, reply: told, downstream, copies: [], ms: null };
}
const refused = (told: Reply): Verdict => ({ ...by, kind: 'reject', reply: told });

const cases: readonly { readonly name: string; readonly outcomes: readonly Outcome[]; readonly expect: string }[] = [
  { name: 'nobody', outcomes: [], expect: '451 4.3.0' },
  { name: 'all the same', outcomes: [outcome('a', relay, OK, 'd'), outcome('b', discard, OK)], expect: '250 2.0.0 ok' },
  {
    name: 'one is discarded, and there is no storage for the other',
    outcomes: [outcome('a', discard, OK), outcome('b', relay, FULL)],
    expect: '452 4.3.1 Not delivered yet to <b>: no storage',
  },
  {
    name: 'one has it since an earlier attempt, the copy of the other failed',
    outcomes: [outcome('a', relay, OK, 'd'), outcome('b', relay, LATER)],
    expect: '451 4.3.0 Not delivered yet to <b>: later',
  },
  {
    name: 'one is sent on no more, the copy of the other failed',
    outcomes: [outcome('a', relay, NO), outcome('b', relay, LATER)],
    expect: '451 4.3.0 Not delivered yet to <b>: later',
  },
  {
    name: 'refused by rules, the other withheld',
    outcomes: [outcome('a', refused(NO), NO), outcome('b', relay, LATER)],
    expect: '550 5.7.1 Delivered to nobody, because of <a>: no',
  },
  {
    name: 'refused by one downstream, taken by another',
    outcomes: [outcome('a', relay, NO, 'd'), outcome('b', relay, OK, 'd')],
    expect: '550 5.7.1 Delivered to the others, but not to <a>: no',
  },
  {
    name: 'refused for good and for now by rules alone',
    outcomes: [outcome('a', refused(NO), NO), outcome('b', refused(LATER), LATER)],
    expect: '451 4.3.0 Not delivered yet to <b>: later',
  },
];

for (const { name, outcomes, expect } of cases) {
  test(name, () => {
    const { code, status, text } = combine(outcomes);
    const [first = ''] = `${code} ${status} ${text}`.split('\n');
    assert.ok(first.startsWith(expect), first);
  });
}
