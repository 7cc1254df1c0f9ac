import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Log } from '../../src/core/log.ts';
import type { Content } from '../../src/core/message.ts';
import type { DeliverOptions } from '../../src/downstream/downstream.ts';
import { createPipeDownstream, type PipeOptions } from '../../src/downstream/pipe.ts';
import { splitAddress } from '../../src/rules/select.ts';
import { big, content, envelope, type Given, show, warnings } from './envelope.ts';
import { standIn } from './stand-in.ts';

const OK = '250 2.0.0 Ok';
const FAILED = '451 4.3.0 The program behind this server could not take the message; please try again later (id T1)';
const SILENT = '451 4.4.2 The mail system behind this server did not answer in time; please try again later (id T1)';
const UNSAFE = '550 5.1.3 This address cannot be passed on (id T1)';
const GONE = '451 4.4.2 The connection was lost (id T1)';

interface Taken {
  readonly words: readonly string[];
  readonly content: string;
}

function pipeBench(t: TestContext, behaviour: (file: string) => readonly string[], own: Partial<PipeOptions> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'postern-pipe-'));
  const file = join(folder, 'taken');
  const log = warnings();
  const downstream = createPipeDownstream({
    name: 'mailman2',
    program: standIn(...behaviour(file)),
    connections: 2,
    split: (mailbox) => splitAddress(mailbox, 'mailman'),
    timeout: 20_000,
    log,
    ...own,
  });
  t.after(async () => {
    await downstream.close();
    rmSync(folder, { recursive: true });
  });
  return {
    file,
    downstream,
    warnings: log.lines,
    taken: (): readonly Taken[] =>
      existsSync(file)
        ? readFileSync(file, 'utf8')
            .trimEnd()
            .split('\n')
            .map((line) => JSON.parse(line) as Taken)
        : [],
    async deliver(given: Given = {}, message: Content = content('a\r\n'), options: Partial<DeliverOptions> = {}) {
      const { signal } = new AbortController();
      const deadline = Date.now() + 20_000;
      const replies = await downstream.deliver(envelope(given), message, { signal, deadline, ...options });
      return replies.map(show);
    },
  };
}

const WORDS = ['{command}', '{list}', '{domain}', '{detail}', '{envelope_from}', 'a {list}+{detail} b', '{other}'];

const calls: { to: string; from?: string; expect: readonly string[] }[] = [
  {
    to: 'Dev@Lists.Example',
    expect: ['post', 'dev', 'lists.example', '', 'author@example.net', 'a dev+ b', '{other}'],
  },
  {
    to: 'dev-confirm+c0ffee@x',
    expect: ['confirm', 'dev', 'x', 'c0ffee', 'author@example.net', 'a dev+c0ffee b', '{other}'],
  },
  { to: 'dev-subscribe@x', from: '', expect: ['join', 'dev', 'x', '', '', 'a dev+ b', '{other}'] },
  { to: '$(id); `id` | id&*@x', from: "'q'@x", expect: [] },
];

for (const { to, from = 'author@example.net', expect } of calls) {
  test(`arguments for ${to}`, async (t) => {
    const { deliver, taken } = pipeBench(t, (file) => ['take', file, '0', ...WORDS]);
    assert.deepEqual(await deliver({ to: [to], from }), [OK]);
    const list = '$(id); `id` | id&*';
    const shell = ['post', list, 'x', '', "'q'@x", `a ${list}+ b`, '{other}'];
    assert.deepEqual(taken()[0]?.words, expect.length === 0 ? shell : expect);
  });
}

const unsafe: { name: string; given: Given }[] = [
  { name: 'a list like an option', given: { to: ['-rf@x'] } },
  { name: 'a list like a path', given: { to: ['../../etc/passwd@x'] } },
  { name: 'a list of dots', given: { to: ['..@x'] } },
  { name: 'a control character', given: { to: ['a\u0000b@x'] } },
  { name: 'a line feed in the detail', given: { to: ['dev+a\nb@x'] } },
  { name: 'a detail like an option', given: { to: ['dev+-x@x'] } },
  { name: 'a reverse-path like an option', given: { from: '-oQ/tmp@x' } },
];

for (const { name, given } of unsafe) {
  test(`never passed on: ${name}`, async (t) => {
    const { deliver, taken } = pipeBench(t, (file) => ['take', file, '0', '{list}', '{detail}', '{envelope_from}']);
    assert.deepEqual(await deliver(given), [UNSAFE]);
    assert.deepEqual(taken(), []);
  });
}

test('what no argument names does not matter', async (t) => {
  const { deliver } = pipeBench(t, (file) => ['take', file, '0', '{list}']);
  assert.deepEqual(await deliver({ from: '-x@y' }), [OK]);
});

test('content with LF line ends, wherever it is cut, and bare CR and dots as they are', async (t) => {
  const { deliver, taken } = pipeBench(t, (file) => ['take', file, '0']);
  await deliver({}, content('Subject: x\r', '\n\r\n.dot\r\na\rb\r', '\r\nend \xe9'));
  assert.equal(taken()[0]?.content, 'Subject: x\n\n.dot\na\rb\r\nend \xe9');
});

test('one run for each recipient, no more at a time than may be, and each its own reply', async (t) => {
  const { deliver, taken } = pipeBench(t, (file) => ['take', file, '0', '{list}'], { connections: 1 });
  assert.deepEqual(await deliver({ to: ['a@x', '-b@x', 'c@x'] }), [OK, UNSAFE, OK]);
  assert.deepEqual(
    taken().map(({ words }) => words),
    [['a'], ['c']],
  );
});

const exits: readonly (readonly [code: number, expect: string])[] = [
  [0, OK],
  [1, FAILED],
  [2, FAILED],
  [64, '550 5.3.5 '],
  [65, '550 5.6.0 '],
  [66, '550 5.3.0 '],
  [67, '550 5.1.1 '],
  [68, '550 5.1.2 '],
  [69, '550 5.3.0 '],
  [70, '550 5.3.0 '],
  [71, FAILED],
  [72, FAILED],
  [73, FAILED],
  [74, FAILED],
  [75, FAILED],
  [76, FAILED],
  [77, '550 5.7.1 '],
  [78, '550 5.3.5 '],
  [79, FAILED],
  [255, FAILED],
];

test('exit codes', async (t) => {
  for (const [code, expect] of exits) {
    const { deliver, warnings } = pipeBench(t, (file) => ['take', file, String(code)]);
    const [given = ''] = await deliver();
    assert.ok(given.startsWith(expect), `${code}: ${given}`);
    assert.deepEqual(warnings, code === 0 ? [] : [`downstream-failed final exit ${code} undefined`]);
  }
});

test('a program that does not read its input: its exit code counts', async (t) => {
  for (const [code, expect] of [
    ['0', OK],
    ['75', FAILED],
  ] as const) {
    const { deliver } = pipeBench(t, () => ['leave', code]);
    assert.deepEqual(await deliver({}, big(4 << 20)), [expect]);
  }
});

test('a program that a signal ends', async (t) => {
  const { deliver, warnings } = pipeBench(t, () => ['die']);
  assert.deepEqual(await deliver(), [FAILED]);
  assert.deepEqual(warnings, ['downstream-failed final ended by SIGKILL undefined']);
});

test('a program that is not there', async (t) => {
  const { deliver, warnings } = pipeBench(t, () => [], { program: ['/nonexistent/mailman', 'post'] });
  assert.deepEqual(await deliver({ to: ['a@x', 'b@x', 'c@x'] }), [FAILED, FAILED, FAILED]);
  assert.deepEqual(warnings, new Array(3).fill('downstream-failed connect unreachable undefined'));
});

test('a program that does not end is answered for in time, and is ended', async (t) => {
  const { deliver, downstream, warnings } = pipeBench(t, () => ['deaf'], { timeout: 300 });
  assert.deepEqual(await deliver(), [SILENT]);
  assert.deepEqual(warnings, ['downstream-unknown-outcome final silent undefined']);
  await downstream.close();
});

test('who has had no turn by the deadline is told so', async (t) => {
  const { deliver } = pipeBench(t, () => ['deaf'], { connections: 1 });
  const busy = '451 4.3.2 The mail system behind this server is busy; please try again later (id T1)';
  assert.deepEqual(await deliver({ to: ['a@x', 'b@x'] }, undefined, { deadline: Date.now() + 300 }), [SILENT, busy]);
});

/** A log that calls back when the program says that it is ready. */
function whenReady(then: () => void): Log {
  const nothing = (): void => undefined;
  const warn: Log['warn'] = (event, detail) => {
    if (event === 'downstream-stderr' && detail?.['line'] === 'ready') then();
  };
  return { transaction: nothing, info: nothing, warn, error: nothing };
}

test('a client that leaves while the content flows: the program is ended, and never by the end of its input', async (t) => {
  const client = new AbortController();
  const left = new Promise<void>((resolve) => client.signal.addEventListener('abort', () => resolve()));
  const { deliver, downstream, file } = pipeBench(t, (name) => ['slow', name], {
    log: whenReady(() => client.abort()),
  });
  async function* slices(): AsyncIterable<Buffer> {
    yield Buffer.from('half\r\n');
    await left;
    yield Buffer.from('half\r\n');
  }
  assert.deepEqual(await deliver({}, { size: 12, slices }, { signal: client.signal }), [GONE]);
  await downstream.close();
  assert.equal(existsSync(file), false);
});

test('content that cannot be read, or is less than was promised, is never ended', async (t) => {
  async function* broken(): AsyncIterable<Buffer> {
    yield Buffer.from('half\r\n');
    throw new Error('EIO');
  }
  for (const message of [
    { size: 12, slices: broken },
    { ...content('half\r\n'), size: 12 },
  ]) {
    const { deliver, taken, downstream } = pipeBench(t, (file) => ['take', file, '0']);
    assert.deepEqual(await deliver({}, message), ['451 4.3.0 Internal error; please try again later (id T1)']);
    await downstream.close();
    assert.deepEqual(taken(), []);
  }
});

test('nothing is started for a client that has left', async (t) => {
  const { deliver, taken } = pipeBench(t, (file) => ['take', file, '0']);
  assert.deepEqual(await deliver({}, undefined, { signal: AbortSignal.abort() }), [GONE]);
  assert.deepEqual(taken(), []);
});
