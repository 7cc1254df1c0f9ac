/**
 * Redirects, quarantines and copies: who gets the message, how often, and what the client hears where one of them fails.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Recipient, Transaction } from '../../src/core/envelope.ts';
import type { TransactionRecord } from '../../src/core/log.ts';
import { type Mailbox, printMailbox } from '../../src/core/mailbox.ts';
import type { IncomingContent } from '../../src/core/message.ts';
import { type Reply, reply } from '../../src/core/reply.ts';
import type { Copy, HeaderEdit, Verdict } from '../../src/core/verdict.ts';
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

function mailbox(name: string): Mailbox {
  return { localPart: name, domain: 'lists.example.org' };
}

const by = { ruleset: 'test', rule: 'rule', phase: 'content' } as const;
const tag = (value: string): HeaderEdit => ({ kind: 'add', name: 'X-Tag', value });
const copyTo = (name: string, ...edits: readonly HeaderEdit[]): Copy => ({ to: mailbox(name), edits });
const relay = (...copies: readonly Copy[]): Verdict => ({ ...by, kind: 'relay', downstream: null, edits: [], copies });
const redirect = (
  name: string,
  edits: readonly HeaderEdit[] = [],
  downstream: string | null = null,
  copies: readonly Copy[] = [],
): Verdict => ({
  ...by,
  kind: 'redirect',
  to: mailbox(name),
  downstream,
  edits,
  copies,
});
const discard = (...copies: readonly Copy[]): Verdict => ({ ...by, kind: 'discard', note: 'gone', copies });
const quarantine: Verdict = { ...by, kind: 'quarantine', downstream: 'junk', edits: [tag('odd')] };

interface Given {
  readonly entrance?: Entrance;
  readonly recipients: readonly string[];
  /** Those not named are relayed. */
  readonly verdicts?: Readonly<Record<string, Verdict>>;
  /** Known at RCPT already. */
  readonly early?: boolean;
  /** What a downstream answers an address; by default 250. */
  readonly answers?: Readonly<Record<string, Reply>>;
  readonly refusedAtRcpt?: readonly string[];
  /** Where a list's rules have sent the message, before there is a verdict. */
  readonly redirected?: Readonly<Record<string, string>>;
  readonly header?: string;
  readonly memory?: Map<string, string>;
}

interface Seen {
  readonly atRcpt: readonly string[];
  readonly replies: readonly string[];
  readonly one: string;
  /** `downstream: recipients / fields added`, in the order in which they went out. */
  readonly sent: readonly string[];
  readonly record: TransactionRecord | undefined;
  readonly parameters: readonly string[];
}

async function run(given: Given): Promise<Seen> {
  const sent: string[] = [];
  const parameters: string[] = [];
  const records: TransactionRecord[] = [];
  const downstream = (name: string): Downstream => ({
    name,
    async deliver({ recipients }, content, { onReply }) {
      let text = '';
      for await (const slice of content.slices()) text += slice.toString();
      const added = text.slice(0, text.indexOf('Subject:')).trimEnd().split('\r\n').join(', ');
      sent.push(
        [`${name}: ${recipients.map(({ forwardPath }) => forwardPath.localPart).join(' ')}`, added].join(' / '),
      );
      for (const one of recipients) for (const [key, value] of one.parameters) parameters.push(`${key}=${value}`);
      const results = recipients.map(
        ({ forwardPath }) => given.answers?.[forwardPath.localPart] ?? reply(250, '2.0.0', 'taken'),
      );
      for (const [position, result] of results.entries()) onReply?.(position, result);
      return results;
    },
    async verify(_: Transaction, { forwardPath }: Recipient) {
      return given.refusedAtRcpt?.includes(forwardPath.localPart) ? reply(550, '5.1.1', 'no such user') : null;
    },
    close: async () => {},
  });
  const pipeline = createPipeline({
    hostname: 'lists.example.org',
    rulebook: {
      policyFor: ({ localPart }) => ({
        address: { list: `${localPart.split('-')[0]}@lists.example.org`, role: 'post', detail: '' },
        unavailable: null,
        start: () => ({
          trace: async () => [],
          redirected: given.redirected?.[localPart] === undefined ? null : mailbox(given.redirected[localPart]),
          accepted() {},
          undecided: [],
          pending: false,
          shadows: [],
          advance: ({ phase }) =>
            phase === 'content' || given.early ? (given.verdicts?.[localPart] ?? relay()) : 'later',
        }),
      }),
    },
    route: ({ localPart }) => (localPart === 'archive' ? 'archive' : 'lists'),
    downstreams: new Map(['lists', 'archive', 'junk'].map((name) => [name, downstream(name)])),
    spool: new Spool({ memoryBudget: 1_000_000, perMessage: 100_000 }),
    memory: given.memory ?? new Map(),
    log: {
      transaction: (record) => records.push(record),
      info() {},
      warn() {},
      error: (_, error) => assert.fail(`${error}`),
    },
    now: () => 0,
  });
  const transaction: Transaction = {
    id: 'TESTTESTTE',
    client: { address: '192.0.2.1', name: null, port: null, helo: 'client.example', tls: false, protocol: 'LMTP' },
    reversePath: { localPart: 'ann', domain: 'example.net' },
    rawReversePath: 'ann@example.net',
    parameters: new Map(),
    signal: new AbortController().signal,
  };
  const print = (r: Reply): string => `${r.code} ${r.text}`;
  const entrance = given.entrance ?? EACH;
  const admissions: Admission[] = [];
  for (const name of given.recipients) {
    const recipient = { forwardPath: mailbox(name), raw: printMailbox(mailbox(name)), parameters: new Map() };
    admissions.push(await pipeline.admit(entrance, transaction, recipient, admissions));
  }
  const content: { end: IncomingContent['end'] } & IncomingContent = {
    end: null,
    async *[Symbol.asyncIterator]() {
      yield Buffer.from(`Subject: x\r\n${given.header ?? ''}\r\nbody\r\n`);
      content.end = 'complete';
    },
  };
  const outcomes = await pipeline.settle(entrance, transaction, admissions, content);
  return {
    atRcpt: admissions.map(({ refusal }) => (refusal === null ? '250' : print(refusal))),
    replies: outcomes.map((outcome) => print(outcome.reply)),
    one: print(combine(outcomes)),
    sent,
    record: records[0],
    parameters,
  };
}

const FULL = reply(452, '4.2.2', 'full');
const UNKNOWN = reply(550, '5.1.1', 'unknown');
const TAKEN = '250 taken';
const WAIT = '451 The message cannot be delivered to all it is for; please try again later (id TESTTESTTE)';
const LOOP = '550 Mail loop: this message was sent on from this address before (id TESTTESTTE)';
const MARK = 'X-Loop: gardeners@lists.example.org';

const cases: readonly { readonly name: string; readonly given: Given; readonly expect: Partial<Seen> }[] = [
  {
    name: 'a redirected recipient is served under the other address, with its edits and the mark',
    given: { recipients: ['gardeners'], verdicts: { gardeners: redirect('roses', [tag('a')]) } },
    expect: { replies: [TAKEN], sent: [`lists: roses / X-Tag: a, ${MARK}`] },
  },
  {
    name: 'a redirect goes where the routes send the other address, or where the rules say',
    given: {
      recipients: ['a', 'b'],
      verdicts: { a: redirect('archive'), b: redirect('archive', [], 'lists') },
    },
    expect: {
      sent: ['archive: archive / X-Loop: a@lists.example.org', 'lists: archive / X-Loop: b@lists.example.org'],
    },
  },
  {
    name: 'two that are redirected to one address go once, with the marks of both',
    given: { recipients: ['gardeners', 'b'], verdicts: { gardeners: redirect('roses'), b: redirect('roses') } },
    expect: { replies: [TAKEN, TAKEN], sent: [`lists: roses / ${MARK}, X-Loop: b@lists.example.org`] },
  },
  {
    name: 'one that is redirected to another recipient goes once, as that recipient gets it; the one reply answers both',
    given: {
      recipients: ['gardeners', 'roses'],
      verdicts: { gardeners: redirect('roses', [tag('a')]) },
      answers: { roses: FULL },
    },
    expect: { replies: ['452 full', '452 full'], sent: ['lists: roses / '] },
  },
  {
    name: 'a redirect to the address itself leaves no mark',
    given: { recipients: ['gardeners'], verdicts: { gardeners: redirect('gardeners') } },
    expect: { replies: [TAKEN], sent: ['lists: gardeners / '] },
  },
  {
    name: 'what has the mark is not sent on once more',
    given: {
      recipients: ['gardeners', 'b'],
      verdicts: { gardeners: redirect('roses') },
      header: `${MARK.toUpperCase()}\r\n`,
    },
    expect: { replies: [LOOP, TAKEN], sent: ['lists: b / '] },
  },
  {
    name: 'the mark of another address, or on what is only relayed, means nothing',
    given: { recipients: ['gardeners', 'b'], verdicts: { b: redirect('roses') }, header: `${MARK}\r\n` },
    expect: { replies: [TAKEN, TAKEN] },
  },
  {
    name: 'at RCPT it is the other address that the downstream is asked for',
    given: {
      recipients: ['gone', 'b'],
      verdicts: { gone: redirect('roses'), b: redirect('gone') },
      early: true,
      refusedAtRcpt: ['gone'],
    },
    expect: { atRcpt: ['250', '550 no such user'], replies: [TAKEN] },
  },
  {
    name: 'also where the last layer of the system has yet to be asked',
    given: {
      recipients: ['gone'],
      verdicts: { gone: redirect('roses') },
      redirected: { gone: 'roses' },
      refusedAtRcpt: ['gone'],
    },
    expect: { atRcpt: ['250'], replies: [TAKEN] },
  },
  {
    name: 'quarantined is in the Maildir of the list, whatever the address',
    given: { recipients: ['gardeners-owner', 'b'], verdicts: { 'gardeners-owner': quarantine } },
    expect: { replies: [TAKEN, TAKEN], sent: ['lists: b / ', 'junk: gardeners / X-Tag: odd'] },
  },
  {
    name: 'what the Maildir cannot take is not taken',
    given: { recipients: ['gardeners'], verdicts: { gardeners: quarantine }, answers: { gardeners: FULL } },
    expect: { replies: ['452 full'] },
  },
  {
    name: 'a copy goes first, with the edits before it, and nobody is told of its fate but us',
    given: {
      recipients: ['gardeners'],
      verdicts: {
        gardeners: {
          ...by,
          kind: 'relay',
          downstream: null,
          edits: [tag('a'), tag('b')],
          copies: [copyTo('archive', tag('a'))],
        },
      },
    },
    expect: {
      replies: [TAKEN],
      sent: [`archive: archive / X-Tag: a, ${MARK}`, 'lists: gardeners / X-Tag: a, X-Tag: b'],
      parameters: ['NOTIFY=NEVER'],
    },
  },
  ...[FULL, UNKNOWN].map((answer) => ({
    name: `LMTP: who wants a copy that fails (${answer.code}) has to wait, others do not`,
    given: {
      recipients: ['gardeners', 'b'],
      verdicts: { gardeners: relay(copyTo('archive')) },
      answers: { archive: answer },
    },
    expect: { replies: [WAIT, TAKEN], sent: [`archive: archive / ${MARK}`, 'lists: b / '] },
  })),
  {
    name: 'SMTP: all have to wait',
    given: {
      entrance: ONE,
      recipients: ['gardeners', 'b'],
      verdicts: { gardeners: relay(copyTo('archive')) },
      answers: { archive: UNKNOWN },
    },
    expect: { one: WAIT, sent: [`archive: archive / ${MARK}`] },
  },
  {
    name: 'copies of several recipients to one address go once, and one that fails keeps all of these waiting',
    given: {
      recipients: ['gardeners', 'b', 'c'],
      verdicts: { gardeners: relay(copyTo('archive')), b: relay(copyTo('archive')) },
      answers: { archive: FULL },
    },
    expect: {
      replies: [WAIT, WAIT, TAKEN],
      sent: [`archive: archive / ${MARK}, X-Loop: b@lists.example.org`, 'lists: c / '],
    },
  },
  {
    name: 'who is a recipient itself gets no copy beside',
    given: { recipients: ['gardeners', 'b'], verdicts: { gardeners: relay(copyTo('b')) } },
    expect: { replies: [TAKEN, TAKEN], sent: ['lists: gardeners b / '] },
  },
  {
    name: 'what is discarded is sent to those who get a copy',
    given: { recipients: ['gardeners'], verdicts: { gardeners: discard(copyTo('archive')) }, early: true },
    expect: { replies: ['250 Ok'], sent: [`archive: archive / ${MARK}`] },
  },
  {
    name: 'it is not discarded before they have it',
    given: {
      recipients: ['gardeners'],
      verdicts: { gardeners: discard(copyTo('archive')) },
      answers: { archive: FULL },
    },
    expect: { replies: [WAIT] },
  },
  {
    name: 'what has the mark is not copied once more, nor delivered without its copy',
    given: {
      recipients: ['gardeners', 'b'],
      verdicts: { gardeners: relay(copyTo('archive')) },
      header: `${MARK}\r\n`,
    },
    expect: { replies: [LOOP, TAKEN], sent: ['lists: b / '] },
  },
  {
    name: 'nothing is copied where the rules refuse somebody over SMTP',
    given: {
      entrance: ONE,
      recipients: ['gardeners', 'b'],
      verdicts: {
        gardeners: discard(copyTo('archive')),
        b: { ...by, kind: 'reject', reply: reply(550, '5.7.1', 'No.') },
      },
    },
    expect: { one: '550 Delivered to nobody, because of <b@lists.example.org>: No.', sent: [] },
  },
  {
    name: 'split: what the rules take goes together, wherever it goes',
    given: {
      entrance: SPLIT,
      recipients: ['gardeners', 'roses', 'c', 'd'],
      verdicts: { gardeners: redirect('roses'), c: discard(), d: quarantine },
      early: true,
    },
    expect: {
      atRcpt: ['250', '250', '250', '250'],
      replies: [TAKEN, TAKEN, '250 Ok', TAKEN],
      sent: ['lists: roses / ', 'junk: d / X-Tag: odd'],
    },
  },
];

for (const { name, given, expect } of cases) {
  test(name, async () => {
    const seen = await run(given);
    const picked = Object.fromEntries(Object.keys(expect).map((key) => [key, seen[key as keyof Seen]]));
    assert.deepEqual(picked, expect);
  });
}

for (const entrance of [EACH, SPLIT]) {
  test(`${entrance.replies} reply: a copy that is out is not sent again while the client tries again`, async () => {
    const memory = new Map<string, string>();
    const given: Given = {
      entrance,
      recipients: ['gardeners'],
      verdicts: { gardeners: relay(copyTo('archive')) },
      memory,
    };
    const first = await run({ ...given, answers: { gardeners: FULL } });
    assert.deepEqual(first.sent, [`archive: archive / ${MARK}`, 'lists: gardeners / ']);
    assert.deepEqual(first.replies, ['452 full']);
    const second = await run(given);
    assert.deepEqual(second.sent, ['lists: gardeners / ']);
    assert.deepEqual(second.replies, [TAKEN]);
  });
}

test('of two copies the one that failed is sent again', async () => {
  const memory = new Map<string, string>();
  const verdicts = { gardeners: relay(copyTo('archive'), copyTo('b')) };
  const given: Given = { recipients: ['gardeners'], verdicts, memory };
  assert.deepEqual((await run({ ...given, answers: { archive: FULL } })).replies, [WAIT]);
  const second = await run(given);
  assert.deepEqual(second.sent, [`archive: archive / ${MARK}`, 'lists: gardeners / ']);
  assert.deepEqual(second.replies, [TAKEN]);
});

test('nothing is remembered where the client need not send again', async () => {
  const memory = new Map<string, string>();
  await run({ recipients: ['gardeners'], verdicts: { gardeners: relay(copyTo('archive')) }, memory });
  assert.equal(memory.size, 0);
});

test('the record names the other address and the copies, each with its reply', async () => {
  const verdict = redirect('roses', [], null, [copyTo('archive')]);
  const { record } = await run({ recipients: ['gardeners'], verdicts: { gardeners: verdict } });
  const [one] = record?.recipients ?? [];
  assert.deepEqual(
    [one?.verdict, one?.redirect, one?.downstream, one?.copies],
    [
      'redirect',
      'roses@lists.example.org',
      'lists',
      [{ to: 'archive@lists.example.org', downstream: 'archive', reply: '250 2.0.0 taken' }],
    ],
  );
});
