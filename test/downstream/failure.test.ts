import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Bench, bench, throughProgram } from './bench.ts';
import { big, type Given } from './envelope.ts';
import {
  type Act,
  all,
  CAPABILITIES,
  close,
  hang,
  nothing,
  raw,
  reset,
  type Script,
  stall,
} from './scripted-server.ts';

const UNREACHABLE = '451 4.4.1 The mail system behind this server cannot be reached; please try again later (id T1)';
const REFUSED = '451 4.3.2 The mail system behind this server is not available; please try again later (id T1)';
const LOST = '451 4.4.2 The connection to the mail system behind this server was lost; please try again later (id T1)';
const SILENT = '451 4.4.2 The mail system behind this server did not answer in time; please try again later (id T1)';
const BROKEN = '451 4.5.0 The mail system behind this server broke the protocol; please try again later (id T1)';
const OK = '250 2.0.0 Ok';

const GARBAGE = raw('HTTP/1.1 400 Bad Request\r\n\r\n');
const HALF = all(raw('25'), hang);
const REFUSAL = '550-5.7.1 First\n550 5.7.1 Second';
const REFUSAL_TEXT = '550 5.7.1 First\nSecond';

/** Shorthands: one reply for everyone, or what each of three gets. */
type Expected = string | readonly [string, string, string];

interface Row {
  readonly name: string;
  readonly script: Script;
  /** LMTP and SMTP where they do not differ. */
  readonly expect?: Expected;
  readonly lmtp?: Expected;
  readonly smtp?: Expected;
  /** The warning, without the count of recipients; null: none; `?`: it depends on protocol and recipients. */
  readonly warning: string | null;
  /** Whether the server got the message. */
  readonly sent?: true;
  /** Whether the connection is kept; without it that is left open, unless there is a warning. */
  readonly kept?: true;
}

/** The same in all three places of a reply. */
function everywhere(act: Act): readonly Act[] {
  return [act, act, act];
}

const rows: readonly Row[] = [
  { name: 'greeting: lost', script: { greeting: close }, expect: LOST, warning: 'failed greeting lost' },
  { name: 'greeting: silent', script: { greeting: hang }, expect: SILENT, warning: 'failed greeting silent' },
  {
    name: 'greeting: half',
    script: { greeting: all(raw('22'), hang) },
    expect: SILENT,
    warning: 'failed greeting silent',
  },
  { name: 'greeting: garbled', script: { greeting: GARBAGE }, expect: BROKEN, warning: 'failed greeting garbled' },
  {
    name: 'greeting: wrong class',
    script: { greeting: '354 Hello' },
    expect: BROKEN,
    warning: 'failed greeting misplaced',
  },
  {
    name: 'greeting: 421',
    script: { greeting: '421 4.3.2 Busy' },
    expect: REFUSED,
    warning: 'failed greeting refused',
  },
  { name: 'greeting: 554', script: { greeting: '554 5.7.1 No' }, expect: REFUSED, warning: 'failed greeting refused' },
  {
    name: 'greeting: twice',
    script: { greeting: '220 One\n220 Two' },
    expect: BROKEN,
    warning: 'failed hello misplaced',
  },

  { name: 'hello: lost', script: { hello: close }, expect: LOST, warning: 'failed hello lost' },
  { name: 'hello: silent', script: { hello: hang }, expect: SILENT, warning: 'failed hello silent' },
  { name: 'hello: garbled', script: { hello: GARBAGE }, expect: BROKEN, warning: 'failed hello garbled' },
  { name: 'hello: wrong class', script: { hello: '354 Hello' }, expect: BROKEN, warning: 'failed hello misplaced' },
  { name: 'hello: 5yz', script: { hello: '500 5.5.1 What?' }, expect: REFUSED, warning: 'failed hello refused' },
  { name: 'hello: 421', script: { hello: '421 4.3.2 Busy' }, expect: REFUSED, warning: 'failed hello refused' },

  { name: 'MAIL: lost', script: { mail: close }, expect: LOST, warning: 'failed mail lost' },
  { name: 'MAIL: reset', script: { mail: reset }, expect: LOST, warning: 'failed mail lost' },
  { name: 'MAIL: silent', script: { mail: hang }, expect: SILENT, warning: 'failed mail silent' },
  { name: 'MAIL: garbled', script: { mail: GARBAGE }, expect: BROKEN, warning: 'failed mail garbled' },
  { name: 'MAIL: wrong class', script: { mail: '354 Go on' }, expect: BROKEN, warning: 'failed mail misplaced' },
  { name: 'MAIL: half', script: { mail: HALF }, expect: SILENT, warning: 'failed mail silent' },
  { name: 'MAIL: two codes', script: { mail: '250-Ok\n550 No' }, expect: BROKEN, warning: 'failed mail garbled' },
  {
    name: 'MAIL: endless',
    script: { mail: raw('250-x\r\n'.repeat(5000)) },
    expect: BROKEN,
    warning: 'failed mail garbled',
  },
  {
    name: 'MAIL: 5yz stands for all',
    script: { mail: REFUSAL },
    expect: REFUSAL_TEXT,
    warning: null,
    kept: true,
  },
  {
    name: 'MAIL: 4yz without status',
    script: { mail: '452 Full' },
    expect: '452 4.0.0 Full',
    warning: null,
    kept: true,
  },
  {
    name: 'MAIL: 421 and gone',
    script: { mail: all('421 4.3.2 Going down', close) },
    expect: '451 4.3.2 Going down',
    warning: '?',
  },

  { name: 'RCPT: lost', script: { rcpt: close }, expect: LOST, warning: 'failed rcpt lost' },
  { name: 'RCPT: silent', script: { rcpt: hang }, expect: SILENT, warning: 'failed rcpt silent' },
  { name: 'RCPT: garbled', script: { rcpt: GARBAGE }, expect: BROKEN, warning: 'failed rcpt garbled' },
  { name: 'RCPT: wrong class', script: { rcpt: '354 Go on' }, expect: BROKEN, warning: 'failed rcpt misplaced' },
  {
    name: 'RCPT: partial, lost',
    script: { rcpt: [REFUSAL, '250 Ok', close] },
    expect: [REFUSAL_TEXT, LOST, LOST],
    warning: '?',
  },
  {
    name: 'RCPT: partial, silent',
    script: { rcpt: [REFUSAL, '250 Ok', hang] },
    expect: [REFUSAL_TEXT, SILENT, SILENT],
    warning: '?',
  },
  {
    name: 'RCPT: one refused',
    script: { rcpt: ['250 Ok', REFUSAL, '250 Ok'] },
    expect: [OK, REFUSAL_TEXT, OK],
    warning: null,
    sent: true,
    kept: true,
  },
  { name: 'RCPT: all refused', script: { rcpt: everywhere(REFUSAL) }, expect: REFUSAL_TEXT, warning: null, kept: true },
  {
    name: 'RCPT: 421 for one, kept open',
    script: { rcpt: ['250 Ok', '421 4.7.0 Slow down', '250 Ok'] },
    expect: [OK, '451 4.7.0 Slow down', OK],
    warning: null,
    sent: true,
    kept: true,
  },
  {
    name: 'RCPT: all refused, 354 all the same',
    script: { rcpt: everywhere(REFUSAL), data: '354 Go on' },
    expect: REFUSAL_TEXT,
    warning: '?',
  },

  { name: 'DATA: lost', script: { data: close }, expect: LOST, warning: 'failed data lost' },
  { name: 'DATA: silent', script: { data: hang }, expect: SILENT, warning: 'failed data silent' },
  { name: 'DATA: garbled', script: { data: GARBAGE }, expect: BROKEN, warning: 'failed data garbled' },
  { name: 'DATA: wrong class', script: { data: '250 Ok' }, expect: BROKEN, warning: 'failed data misplaced' },
  { name: 'DATA: 5yz', script: { data: REFUSAL }, expect: REFUSAL_TEXT, warning: null, kept: true },
  { name: 'DATA: 421', script: { data: '421 4.3.2 Later' }, expect: '451 4.3.2 Later', warning: null, kept: true },
  {
    name: 'DATA: two replies',
    script: { data: '354 Go on\n250 Ok' },
    expect: BROKEN,
    warning: 'failed content misplaced',
  },
  {
    name: 'DATA: 354 and at once 5yz',
    script: { data: '354 Go on\n552 5.3.4 Big' },
    expect: '552 5.3.4 Big',
    warning: null,
  },

  { name: 'dot: lost', script: { final: [close] }, expect: LOST, warning: 'unknown-outcome final lost', sent: true },
  { name: 'dot: reset', script: { final: [reset] }, expect: LOST, warning: 'unknown-outcome final lost', sent: true },
  {
    name: 'dot: silent',
    script: { final: [hang] },
    expect: SILENT,
    warning: 'unknown-outcome final silent',
    sent: true,
  },
  { name: 'dot: half', script: { final: [HALF] }, expect: SILENT, warning: 'unknown-outcome final silent', sent: true },
  {
    name: 'dot: garbled',
    script: { final: [GARBAGE] },
    expect: BROKEN,
    warning: 'unknown-outcome final garbled',
    sent: true,
  },
  {
    name: 'dot: wrong class',
    script: { final: ['354 More'] },
    expect: BROKEN,
    warning: 'unknown-outcome final misplaced',
    sent: true,
  },
  {
    name: 'dot: 221 unasked',
    script: { final: ['221 Bye'] },
    expect: BROKEN,
    warning: 'unknown-outcome final misplaced',
    sent: true,
  },
  {
    name: 'dot: partial, lost',
    script: { final: ['250 2.6.0 Taken', close] },
    lmtp: ['250 2.6.0 Taken', LOST, LOST],
    smtp: '250 2.6.0 Taken',
    warning: '?',
    sent: true,
  },
  {
    name: 'dot: partial, two of three',
    script: { final: ['250 2.6.0 Taken', REFUSAL, nothing, close] },
    lmtp: ['250 2.6.0 Taken', REFUSAL_TEXT, LOST],
    smtp: '250 2.6.0 Taken',
    warning: '?',
    sent: true,
  },
  {
    name: 'dot: partial, silent',
    script: { final: ['250 2.6.0 Taken', hang] },
    lmtp: ['250 2.6.0 Taken', SILENT, SILENT],
    smtp: '250 2.6.0 Taken',
    warning: '?',
    sent: true,
  },
  {
    name: 'dot: partial, garbled',
    script: { final: ['250 2.6.0 Taken', GARBAGE] },
    lmtp: ['250 2.6.0 Taken', BROKEN, BROKEN],
    smtp: '250 2.6.0 Taken',
    warning: '?',
    sent: true,
  },
  {
    name: 'dot: 421 for one',
    script: { final: ['421 4.2.0 Locked', '250 2.6.0 Taken', '450 4.2.0 Locked'] },
    lmtp: ['451 4.2.0 Locked', '250 2.6.0 Taken', '450 4.2.0 Locked'],
    smtp: '451 4.2.0 Locked',
    warning: null,
    sent: true,
  },
  { name: 'dot: 5yz', script: { final: everywhere(REFUSAL) }, expect: REFUSAL_TEXT, warning: null, sent: true },
];

/** Rows that end by the reply timeout wait so long, in milliseconds; no other row waits for anything. */
const PATIENCE = 1_000;

describe('what a downstream does wrong', { concurrency: 4 }, () => {
  for (const row of rows) {
    const silent = JSON.stringify(row.script).includes('"hang"');
    test(row.name, async (t) => {
      const onSockets = ['lmtp', 'smtp'].flatMap((protocol) =>
        [true, false].flatMap((pipelining) =>
          [1, 3].map((count) => ({ protocol, pipelining, count, isProgram: false })),
        ),
      );
      const variants = [...onSockets, { protocol: 'lmtp', pipelining: true, count: 3, isProgram: true }];
      await Promise.all(
        variants.map(async ({ protocol, pipelining, count, isProgram }) => {
          const where = `${isProgram ? 'program, ' : ''}${protocol}, ${count} recipients, ${pipelining ? '' : 'not '}pipelined`;
          const of = protocol === 'lmtp' ? 'lmtp' : 'smtp';
          const capabilities = pipelining ? CAPABILITIES : CAPABILITIES.slice(1);
          const { deliver, server, warnings, downstream }: Bench = await bench(
            t,
            { protocol: of, capabilities, script: row.script },
            {
              timeouts: { connect: 5_000, reply: silent ? (isProgram ? 2_000 : PATIENCE) : 5_000 },
              missingAfter: 5_000,
            },
            isProgram ? throughProgram : undefined,
          );
          const given: Given = { to: ['a@x', 'b@x', 'c@x'].slice(0, count) };
          const expected = row[of] ?? row.expect ?? [];
          const each =
            typeof expected === 'string' ? new Array<string>(count).fill(expected) : expected.slice(0, count);
          assert.deepEqual(await deliver(given), each, where);

          assert.equal(server.sessions.length, 1, `${where}: tried once`);
          const session = server.sessions[0];
          assert.equal(session?.messages.length, row.sent ? 1 : 0, `${where}: messages`);
          if (row.warning === null) assert.deepEqual(warnings, [], where);
          else if (row.warning !== '?') assert.deepEqual(warnings, [`downstream-${row.warning} ${count}`], where);
          await downstream.close();
          await session?.closed;
          // A connection that was kept gets QUIT, one in which nothing can be trusted any more gets nothing.
          if (row.kept || (row.warning !== null && row.warning !== '?'))
            assert.equal(session?.commands.includes('QUIT'), row.kept === true, where);
        }),
      );
    });
  }
});

test('no connection', async (t) => {
  const { server, deliver, warnings } = await bench(t, { protocol: 'lmtp' });
  await server.close();
  assert.deepEqual(await deliver({ to: ['a@x', 'b@x'] }), [UNREACHABLE, UNREACHABLE]);
  assert.deepEqual(warnings, ['downstream-failed connect unreachable 2']);
});

test('no such socket', async (t) => {
  const { deliver } = await bench(t, { protocol: 'lmtp' }, { addresses: [{ path: '/nonexistent/lmtp.sock' }] });
  assert.deepEqual(await deliver(), [UNREACHABLE]);
});

test('the deadline ends a wait before the reply timeout does', async (t) => {
  for (const script of [{ greeting: hang }, { rcpt: hang }, { final: ['250 2.0.0 Ok', hang] }]) {
    const { deliver } = await bench(t, { protocol: 'lmtp', script }, { timeouts: { connect: 60_000, reply: 60_000 } });
    const replies = await deliver({ to: ['a@x', 'b@x'] }, undefined, { deadline: Date.now() + PATIENCE });
    assert.equal(replies[1], SILENT);
  }
});

test('no dot behind the deadline', async (t) => {
  const { deliver, server } = await bench(t, { protocol: 'smtp' });
  const deadline = Date.now() + PATIENCE;
  async function* late(): AsyncIterable<Buffer> {
    yield Buffer.from('a\r\n');
    while (Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.deepEqual(await deliver({}, { size: 3, slices: late }, { deadline }), [SILENT]);
  await server.sessions[0]?.closed;
  assert.deepEqual(server.sessions[0]?.messages, []);
});

const THREE: Given = { to: ['a@x', 'b@x', 'c@x'] };

for (const protocol of ['lmtp', 'smtp'] as const) {
  test(`${protocol}: a refusal while content flows stands for all, and no dot follows`, async (t) => {
    const early = { after: 100_000, act: '552 5.3.4 Too big' };
    const { deliver, server } = await bench(t, { protocol, script: { early, rcpt: [REFUSAL] } });
    assert.deepEqual(await deliver(THREE, big(16 << 20)), [REFUSAL_TEXT, '552 5.3.4 Too big', '552 5.3.4 Too big']);
    await server.sessions[0]?.closed;
    assert.deepEqual(server.sessions[0]?.messages, []);
  });

  test(`${protocol}: an acceptance while content flows is none`, async (t) => {
    const early = { after: 100_000, act: '250 2.0.0 Ok' };
    const { deliver } = await bench(t, { protocol, script: { early } });
    assert.deepEqual(await deliver(THREE, big(16 << 20)), [BROKEN, BROKEN, BROKEN]);
  });

  test(`${protocol}: lost while content flows`, async (t) => {
    const { deliver, warnings } = await bench(t, { protocol, script: { early: { after: 100_000, act: reset } } });
    assert.deepEqual(await deliver(THREE, big(16 << 20)), [LOST, LOST, LOST]);
    assert.deepEqual(warnings, ['downstream-failed content lost 3']);
  });

  test(`${protocol}: a server that stops reading`, async (t) => {
    const { deliver, warnings } = await bench(
      t,
      { protocol, script: { early: { after: 1, act: stall } } },
      { timeouts: { connect: 5_000, reply: PATIENCE } },
    );
    assert.deepEqual(await deliver(THREE, big(32 << 20)), [SILENT, SILENT, SILENT]);
    assert.deepEqual(warnings, ['downstream-failed content silent 3']);
  });
}
