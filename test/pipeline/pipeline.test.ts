/**
 * admit and settle with rules and downstreams of the test's own.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import type { Recipient, Transaction } from '../../src/core/envelope.ts';
import type { TransactionRecord } from '../../src/core/log.ts';
import type { ContentEnd, IncomingContent } from '../../src/core/message.ts';
import { type Reply, reply } from '../../src/core/reply.ts';
import type { Verdict } from '../../src/core/verdict.ts';
import type { Downstream } from '../../src/downstream/downstream.ts';
import { Spool } from '../../src/mail/spool.ts';
import type { Entrance } from '../../src/pipeline/entrance.ts';
import { type Admission, createPipeline } from '../../src/pipeline/pipeline.ts';
import { combine } from '../../src/server/final-replies.ts';

const EACH: Entrance = {
  name: 'test',
  replies: 'each',
  mixed: 'strictest',
  refuseAt: 'rcpt',
  deadline: 5000,
  received: false,
};
const ONE: Entrance = { ...EACH, replies: 'one' };
const SPLIT: Entrance = { ...ONE, mixed: 'split' };
/** A client that asked for it, and one that did not. */
const PRDR: Entrance = { ...EACH, mixed: 'prdr' };
const NO_PRDR: Entrance = { ...ONE, mixed: 'prdr' };

type Say = Partial<Record<'envelope' | 'header' | 'content', 'relay' | 'reject' | 'defer' | 'discard'>>;

function verdictOf(kind: 'relay' | 'reject' | 'defer' | 'discard', phase: Verdict['phase'], name: string): Verdict {
  const by = { ruleset: 'test', rule: 'rule', phase };
  if (kind === 'relay') return { ...by, kind, downstream: null, edits: [] };
  if (kind === 'discard') return { ...by, kind, note: 'thrown away' };
  const text = `${name} says ${kind}`;
  return { ...by, kind, reply: kind === 'reject' ? reply(550, '5.7.1', text) : reply(451, '4.7.1', text) };
}

interface Given {
  readonly entrance?: Entrance;
  readonly recipients: readonly string[];
  /** What the rules say of a recipient (its local-part), and when. */
  readonly rules?: Readonly<Record<string, Say>>;
  /** What the downstream answers a local-part; default 250. */
  readonly downstream?: Readonly<Record<string, Reply>> | 'throws';
  /** Shadow rules that would have decided, by local-part. */
  readonly shadows?: Readonly<Record<string, readonly string[]>>;
  /** What the downstream says of a local-part at RCPT; left out: it is not asked. */
  readonly verify?: Readonly<Record<string, Reply>>;
  /** Whether the downstream said that it takes SMTPUTF8; left out: it has not been greeted. */
  readonly smtputf8?: boolean;
  readonly nullReversePath?: boolean;
  readonly end?: ContentEnd;
  /** Of a recipient, the name of the ruleset that is still undecided after RCPT; the same for all where it is left out. */
  readonly classes?: Readonly<Record<string, string>>;
  readonly memory?: Map<string, string>;
  readonly body?: string;
}

interface Seen {
  readonly atRcpt: readonly string[];
  /** Of whom the downstream was asked at RCPT. */
  readonly asked: readonly string[];
  readonly replies: readonly string[];
  readonly one: string | null;
  readonly delivered: readonly (readonly string[])[];
  readonly records: readonly TransactionRecord[];
  readonly answeredInOrder: readonly number[];
  /** Whose rules were told that a downstream took the message, with the body that they could read then. */
  readonly told: readonly string[];
}

function mailboxOf(localPart: string): Recipient {
  const domain = 'lists.example.org';
  return { forwardPath: { localPart, domain }, raw: `${localPart}@${domain}`, parameters: new Map() };
}

function contentOf(end: ContentEnd, body: string): IncomingContent {
  const state: { end: ContentEnd | null } = { end: null };
  return {
    get end() {
      return state.end;
    },
    async *[Symbol.asyncIterator]() {
      yield Buffer.from('Subject: x\r\n');
      yield Buffer.from(`Received: from a by b; ${Math.random()}\r\n\r\n${body}\r\n`);
      state.end = end;
    },
  };
}

const rulesets = new Map<string, object>();
function ruleset(name: string): object {
  const known = rulesets.get(name) ?? { name };
  rulesets.set(name, known);
  return known;
}

async function run(given: Given): Promise<Seen> {
  const records: TransactionRecord[] = [];
  const delivered: string[][] = [];
  const asked: string[] = [];
  const told: string[] = [];
  const entrance = given.entrance ?? EACH;
  const downstream: Downstream = {
    name: 'inbox',
    async deliver(envelope, content, options) {
      if (given.downstream === 'throws') throw new Error('a downstream that breaks its contract');
      assert.ok(content.size > 0);
      delivered.push(envelope.recipients.map(({ raw }) => raw));
      const answers = given.downstream ?? {};
      const results = envelope.recipients.map(
        ({ forwardPath }) => answers[forwardPath.localPart] ?? reply(250, '2.0.0', `ok ${forwardPath.localPart}`),
      );
      for (const [position, result] of results.entries()) options.onReply?.(position, result);
      return results;
    },
    ...(given.smtputf8 === undefined
      ? {}
      : { offers: () => ({ size: null, smtputf8: given.smtputf8 === true, dsn: false }) }),
    ...(given.verify === undefined
      ? {}
      : {
          verify: async (_: Transaction, { forwardPath: { localPart } }: Recipient) => {
            asked.push(localPart);
            return given.verify?.[localPart] ?? null;
          },
        }),
    close: async () => {},
  };
  const pipeline = createPipeline({
    hostname: 'lists.example.org',
    rulebook: {
      policyFor: ({ localPart }) => ({
        address: { list: `${localPart}@lists.example.org`, role: 'post', detail: '' },
        unavailable: localPart === 'unavailable' ? 'its file does not load' : null,
        start: () => ({
          trace: async () => [],
          redirected: null,
          accepted: async ({ message }) => {
            await setImmediate();
            let text = '';
            for await (const slice of message.content.slices()) text += slice.toString();
            told.push(`${localPart} ${text.split('\r\n\r\n')[1]?.trim()}`);
          },
          undecided: [ruleset(given.classes?.[localPart] ?? 'all')],
          pending: false,
          shadows: given.shadows?.[localPart] ?? [],
          advance: (facts) => {
            const say = given.rules?.[localPart]?.[facts.phase];
            if (say !== undefined) return verdictOf(say, facts.phase, localPart);
            return facts.phase === 'content' ? verdictOf('relay', 'content', localPart) : 'later';
          },
        }),
      }),
    },
    route: () => 'inbox',
    downstreams: new Map([['inbox', downstream]]),
    spool: new Spool({ memoryBudget: 1_000_000, perMessage: 100_000 }),
    memory: given.memory ?? new Map(),
    log: { transaction: (record) => records.push(record), info: () => {}, warn: () => {}, error: () => {} },
    now: () => 0,
  });
  const transaction: Transaction = {
    id: 'TESTTESTTE',
    client: { address: '192.0.2.1', name: null, port: null, helo: 'client.example', tls: false, protocol: 'LMTP' },
    reversePath: given.nullReversePath ? null : { localPart: 'ann', domain: 'example.net' },
    rawReversePath: given.nullReversePath ? '' : 'ann@example.net',
    parameters: new Map(),
    signal: new AbortController().signal,
  };
  const print = (r: Reply): string => `${r.code} ${r.text}`;
  const admissions: Admission[] = [];
  for (const localPart of given.recipients) {
    admissions.push(await pipeline.admit(entrance, transaction, mailboxOf(localPart), admissions));
  }
  const answeredInOrder: number[] = [];
  const content = contentOf(given.end ?? 'complete', given.body ?? 'body');
  const outcomes = await pipeline.settle(entrance, transaction, admissions, content, (position) =>
    answeredInOrder.push(position),
  );
  return {
    atRcpt: admissions.map(({ refusal }) => (refusal === null ? '250' : print(refusal))),
    replies: outcomes.map((outcome) => print(outcome.reply)),
    one: entrance.replies === 'one' ? print(combine(outcomes)) : null,
    asked,
    delivered,
    records,
    answeredInOrder,
    told,
  };
}

const cases: readonly { name: string; given: Given; expect: Partial<Omit<Seen, 'records'>> }[] = [
  {
    name: 'nothing decides: relayed, one transaction for all',
    given: { recipients: ['a', 'b'] },
    expect: { replies: ['250 ok a', '250 ok b'], delivered: [['a@lists.example.org', 'b@lists.example.org']] },
  },
  {
    name: 'each recipient has a verdict of its own',
    given: {
      recipients: ['a', 'b', 'c', 'd'],
      rules: { b: { content: 'reject' }, c: { header: 'defer' }, d: { envelope: 'discard' } },
    },
    expect: {
      replies: ['250 ok a', '550 b says reject', '451 c says defer', '250 Ok'],
      delivered: [['a@lists.example.org']],
    },
  },
  {
    name: 'what can be refused at RCPT is refused at RCPT',
    given: { recipients: ['a', 'b'], rules: { a: { envelope: 'reject' } } },
    expect: { atRcpt: ['550 a says reject', '250'], replies: ['250 ok b'] },
  },
  {
    name: 'refuse_at data: every RCPT is accepted, the refusal comes after the dot',
    given: { entrance: { ...EACH, refuseAt: 'data' }, recipients: ['a', 'b'], rules: { a: { envelope: 'reject' } } },
    expect: { atRcpt: ['250', '250'], replies: ['550 a says reject', '250 ok b'] },
  },
  {
    name: 'a null reverse-path is refused after the dot only',
    given: { nullReversePath: true, recipients: ['a'], rules: { a: { envelope: 'reject' } } },
    expect: { atRcpt: ['250'], replies: ['550 a says reject'], delivered: [] },
  },
  {
    name: 'the downstream is asked at RCPT of those whom the rules may relay, and its refusal is passed on',
    given: {
      recipients: ['a', 'b', 'c', 'd', 'e', 'f'],
      rules: {
        b: { envelope: 'reject' },
        c: { envelope: 'relay' },
        e: { envelope: 'discard' },
        f: { content: 'reject' },
      },
      verify: { a: reply(550, '5.1.1', 'no a'), c: reply(553, '5.1.3', 'no c'), e: reply(550, '5.1.1', 'no e') },
    },
    expect: {
      asked: ['a', 'c', 'd', 'f'],
      atRcpt: ['550 no a', '550 b says reject', '553 no c', '250', '250', '250'],
      replies: ['250 ok d', '250 Ok', '550 f says reject'],
      delivered: [['d@lists.example.org']],
    },
  },
  {
    name: 'what the downstream says at RCPT is told to those who verify an address too',
    given: {
      nullReversePath: true,
      recipients: ['a', 'b'],
      rules: { b: { envelope: 'reject' } },
      verify: { a: reply(550, '5.1.1', 'no a') },
    },
    expect: { asked: ['a'], atRcpt: ['550 no a', '250'], replies: ['550 b says reject'] },
  },
  {
    name: 'an address that its downstream cannot carry is refused at RCPT, and the others go on',
    given: { recipients: ['bücher', 'a'], smtputf8: false },
    expect: {
      atRcpt: [
        '550 The mail system behind this server does not take internationalized addresses (id TESTTESTTE)',
        '250',
      ],
      replies: ['250 ok a'],
    },
  },
  {
    name: 'an address goes on to who carries it, and while nobody knows',
    given: { recipients: ['bücher'], smtputf8: true },
    expect: { atRcpt: ['250'], replies: ['250 ok bücher'] },
  },
  {
    name: 'refuse_at data: the downstream is not asked at RCPT',
    given: {
      entrance: { ...EACH, refuseAt: 'data' },
      recipients: ['a'],
      verify: { a: reply(550, '5.1.1', 'no a') },
    },
    expect: { asked: [], atRcpt: ['250'], replies: ['250 ok a'] },
  },
  {
    name: 'the rules hear of what a downstream took, and of nothing else',
    given: {
      recipients: ['a', 'b', 'c', 'd', 'e'],
      rules: { a: { envelope: 'relay' }, b: { content: 'reject' }, c: { header: 'discard' } },
      downstream: { d: reply(451, '4.2.0', 'later') },
    },
    expect: { told: ['a body', 'e body'] },
  },
  {
    name: 'equal recipients go downstream once and are answered each',
    given: { recipients: ['a', 'b', 'a'], downstream: { a: reply(552, '5.2.2', 'full') } },
    expect: {
      replies: ['552 full', '250 ok b', '552 full'],
      delivered: [['a@lists.example.org', 'b@lists.example.org']],
    },
  },
  {
    name: 'a list whose rules cannot be applied is deferred',
    given: { recipients: ['unavailable', 'b'] },
    expect: {
      atRcpt: ['451 The rules for this recipient cannot be applied now; please try again later (id TESTTESTTE)', '250'],
      replies: ['250 ok b'],
    },
  },
  {
    name: 'a downstream that throws defers',
    given: { recipients: ['a', 'b'], downstream: 'throws' },
    expect: {
      replies: Array(2).fill('451 Internal error; please try again later (id TESTTESTTE)'),
    },
  },
  {
    name: 'content that is not whole is relayed to nobody',
    given: { recipients: ['a', 'b'], end: 'aborted' },
    expect: { replies: Array(2).fill('451 The message was not received completely (id TESTTESTTE)'), delivered: [] },
  },
  {
    name: 'a bare newline is refused for all, whatever the rules say',
    given: { recipients: ['a', 'b'], rules: { b: { content: 'reject' } }, end: 'bare-newline' },
    expect: {
      replies: Array(2).fill('550 The message holds a bare newline: lines must end with CR LF (id TESTTESTTE)'),
      delivered: [],
    },
  },
  {
    name: 'one reply, all well: that of the downstream',
    given: { entrance: ONE, recipients: ['a', 'b'] },
    expect: { one: '250 ok a' },
  },
  {
    name: 'one reply, the rules refuse one: nobody is served, the 5yz names it',
    given: { entrance: ONE, recipients: ['a', 'b'], rules: { b: { content: 'reject' } } },
    expect: { one: '550 Delivered to nobody, because of <b@lists.example.org>: b says reject', delivered: [] },
  },
  {
    name: 'one reply, refused by the header section while another is not yet decided',
    given: { entrance: ONE, recipients: ['a', 'b'], rules: { b: { header: 'defer' } } },
    expect: { one: '451 Delivered to nobody, because of <b@lists.example.org>: b says defer', delivered: [] },
  },
  {
    name: 'one reply, a 5yz goes before a 4yz of the rules',
    given: { entrance: ONE, recipients: ['a', 'b', 'c'], rules: { a: { content: 'defer' }, b: { content: 'reject' } } },
    expect: { one: '550 Delivered to nobody, because of <b@lists.example.org>: b says reject', delivered: [] },
  },
  {
    name: 'one reply, a 4yz of a downstream goes before its 5yz',
    given: {
      entrance: ONE,
      recipients: ['a', 'b', 'c'],
      downstream: { a: reply(452, '4.2.2', 'busy'), b: reply(550, '5.1.1', 'gone') },
    },
    expect: { one: '452 Not delivered yet to <a@lists.example.org>: busy' },
  },
  {
    name: 'one reply, a 5yz of a downstream is told although others have the message',
    given: { entrance: ONE, recipients: ['a', 'b'], downstream: { b: reply(550, '5.1.1', 'gone') } },
    expect: { one: '550 Delivered to the others, but not to <b@lists.example.org>: gone' },
  },
  {
    name: 'one reply for many: few are named, so that the reason stays on the first line',
    given: {
      entrance: ONE,
      recipients: ['ok', 'a', 'b', 'c', 'd', 'e'],
      downstream: Object.fromEntries(['a', 'b', 'c', 'd', 'e'].map((name) => [name, reply(550, '5.1.1', 'gone')])),
    },
    expect: {
      one: '550 Delivered to the others, but not to <a@lists.example.org>, <b@lists.example.org>, <c@lists.example.org> and 2 more: gone',
    },
  },
  {
    name: 'split: the first accepted recipient fixes the class, another class is asked to come alone',
    given: { entrance: SPLIT, recipients: ['a', 'b', 'c'], classes: { b: 'strict' } },
    expect: {
      atRcpt: ['250', '452 Please send this recipient a message of its own (id TESTTESTTE)', '250'],
      one: '250 ok a',
      delivered: [['a@lists.example.org', 'c@lists.example.org']],
    },
  },
  {
    name: 'split: a recipient refused at RCPT fixes nothing',
    given: { entrance: SPLIT, recipients: ['b', 'a'], classes: { b: 'strict' }, rules: { b: { envelope: 'reject' } } },
    expect: { atRcpt: ['550 b says reject', '250'], one: '250 ok a' },
  },
  {
    name: 'split: a class that is refused as a whole hears why',
    given: {
      entrance: SPLIT,
      recipients: ['a', 'b'],
      rules: { a: { content: 'reject' }, b: { content: 'reject' } },
    },
    expect: {
      one: '550 Delivered to nobody, not to <a@lists.example.org>: a says reject\n<b@lists.example.org>: b says reject',
    },
  },
  {
    name: 'prdr without asking: as split',
    given: { entrance: NO_PRDR, recipients: ['a', 'b', 'c'], classes: { b: 'strict' } },
    expect: {
      atRcpt: ['250', '452 Please send this recipient a message of its own (id TESTTESTTE)', '250'],
      delivered: [['a@lists.example.org', 'c@lists.example.org']],
    },
  },
  {
    name: 'prdr: recipients of any class share a transaction, each with a verdict of its own',
    given: {
      entrance: PRDR,
      recipients: ['a', 'b', 'c'],
      classes: { b: 'strict' },
      rules: { b: { content: 'reject' } },
    },
    expect: {
      replies: ['250 ok a', '550 b says reject', '250 ok c'],
      delivered: [['a@lists.example.org', 'c@lists.example.org']],
    },
  },
  {
    name: 'split: a class that falls apart is served to nobody and sent again',
    given: { entrance: SPLIT, recipients: ['a', 'b'], rules: { b: { content: 'reject' } } },
    expect: {
      one: '451 The recipients of this message need different answers; please send it again (id TESTTESTTE)',
      delivered: [],
    },
  },
];

test('split: the retry of a class that fell apart is taken one recipient at a time', async () => {
  const memory = new Map<string, string>();
  const rules = { b: { content: 'reject' } } as const;
  const first = await run({ entrance: SPLIT, recipients: ['a', 'b'], rules, memory });
  assert.match(first.one ?? '', /^451 /);
  const again = await run({ entrance: SPLIT, recipients: ['a', 'b'], rules, memory });
  assert.deepEqual(
    again.atRcpt.map((answer) => answer.slice(0, 3)),
    ['250', '452'],
  );
  assert.equal(again.one, '250 ok a');
  const alone = await run({ entrance: SPLIT, recipients: ['b'], rules, memory });
  assert.equal(alone.one, '550 b says reject');
});

test('one reply: who has the message although the client heard 4yz is not served twice by the retry', async () => {
  const memory = new Map<string, string>();
  const busy = { a: reply(452, '4.2.2', 'busy') };
  const first = await run({ entrance: ONE, recipients: ['a', 'b'], downstream: busy, memory });
  assert.match(first.one ?? '', /^452 /);
  const again = await run({ entrance: ONE, recipients: ['a', 'b'], memory });
  assert.deepEqual(again.delivered, [['a@lists.example.org']]);
  assert.deepEqual(again.replies, ['250 ok a', '250 Ok, received before']);
  const other = await run({ entrance: ONE, recipients: ['a', 'b'], memory, body: 'another body' });
  assert.deepEqual(other.delivered, [['a@lists.example.org', 'b@lists.example.org']]);
});

test('property: no mode says 2yz for a recipient whose rules refuse, and nobody is served twice or left without a reply', async () => {
  const kind = fc.constantFrom('relay' as const, 'reject' as const, 'defer' as const, 'discard' as const);
  const phase = fc.constantFrom('envelope' as const, 'header' as const, 'content' as const);
  const recipient = fc.record({ name: fc.constantFrom('a', 'b', 'c', 'd'), kind, phase });
  const entrance = fc.constantFrom(EACH, ONE, SPLIT, PRDR, NO_PRDR, { ...ONE, refuseAt: 'data' as const });
  const failing = fc.subarray(['a', 'b', 'c', 'd']);
  await fc.assert(
    fc.asyncProperty(
      entrance,
      fc.array(recipient, { minLength: 1, maxLength: 5 }),
      failing,
      async (how, given, down) => {
        const rules: Record<string, Say> = {};
        for (const one of given) rules[one.name] ??= { [one.phase]: one.kind };
        const refused = (name: string): boolean =>
          Object.values(rules[name] ?? {}).some((say) => /reject|defer/.test(say));
        const downstream = Object.fromEntries(down.map((name) => [name, reply(452, '4.2.2', 'busy')]));
        const seen = await run({ entrance: how, recipients: given.map(({ name }) => name), rules, downstream });
        const accepted = given.filter((_, index) => seen.atRcpt[index] === '250').map(({ name }) => name);
        const final = seen.one ?? null;
        for (const [index, name] of accepted.entries()) {
          const answer = final ?? seen.replies[index] ?? '';
          assert.match(answer, /^[245]\d\d /);
          if (refused(name)) assert.doesNotMatch(answer, /^2/, name);
          if (answer.startsWith('2'))
            assert.ok(!down.includes(name) || rules[name] === undefined || !isRelay(rules[name]));
        }
        const served = seen.delivered.flat();
        assert.equal(new Set(served).size, served.length, 'nobody is served twice');
        for (const address of served) assert.ok(!refused(address.split('@')[0] ?? ''), address);
      },
    ),
    { numRuns: 500 },
  );
});

function isRelay(say: Say | undefined): boolean {
  return Object.values(say ?? {}).includes('relay');
}

for (const { name, given, expect } of cases) {
  test(name, async () => {
    const seen = await run(given);
    for (const [key, value] of Object.entries(expect)) assert.deepEqual(seen[key as keyof Seen], value, key);
    const accepted = seen.atRcpt.filter((line) => line === '250').length;
    assert.equal(seen.replies.length, accepted, 'a reply for each accepted recipient');
    assert.deepEqual([...seen.answeredInOrder].sort(), [...Array(accepted).keys()], 'each is answered once');
    assert.equal(seen.records.length, 1, 'one record');
    assert.equal(seen.records[0]?.recipients.length, given.recipients.length);
  });
}

test('what the rules noted stands in the record', async () => {
  const { records } = await run({ recipients: ['a', 'b'], rules: { b: { envelope: 'discard' } } });
  assert.deepEqual(
    records[0]?.recipients.map(({ notes }) => notes),
    [undefined, ['thrown away']],
  );
});

test('the record names shadow rules that would have decided', async () => {
  const { records } = await run({ recipients: ['a', 'b'], shadows: { b: ['no-robots', 'members-only/strangers'] } });
  assert.deepEqual(
    records[0]?.recipients.map((recipient) => ['shadow' in recipient, recipient.shadow]),
    [
      [false, undefined],
      [true, ['no-robots', 'members-only/strangers']],
    ],
  );
});
