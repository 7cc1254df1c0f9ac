import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { userInfo } from 'node:os';
import { test, type TestContext } from 'node:test';
import type { Log } from '../../src/core/log.ts';
import { hasExited, start, terminate } from '../../src/downstream/child.ts';
import { ProgramStream } from '../../src/downstream/program-stream.ts';
import { bench } from './bench.ts';
import { content } from './envelope.ts';
import { all, close, type Script } from './scripted-server.ts';
import { standIn } from './stand-in.ts';

const OK = '250 2.0.0 Ok';
const UNREACHABLE = '451 4.4.1 The mail system behind this server cannot be reached; please try again later (id T1)';

/** A program that bridges to a scripted server. */
async function programBench(t: TestContext, script: Script = {}, own: { log?: Log; behaviour?: string } = {}) {
  const { behaviour = 'bridge', ...options } = own;
  return bench(t, { protocol: 'lmtp', script }, { connections: 2, ...options }, ({ address }) => [
    { program: standIn(behaviour, JSON.stringify(address)) },
  ]);
}

test('a program is kept running from one transaction to the next', async (t) => {
  const { deliver, server } = await programBench(t);
  for (let count = 0; count < 3; count++) assert.deepEqual(await deliver(), [OK]);
  assert.equal(server.sessions.length, 1);
  assert.equal(server.sessions[0]?.messages.length, 3);
});

test('one transaction at a time for each process, and no more processes than may be', async (t) => {
  const { deliver, server } = await programBench(t);
  const replies = await Promise.all(Array.from({ length: 6 }, () => deliver({ to: ['a@x', 'b@x'] })));
  assert.deepEqual(replies.flat(), new Array(12).fill(OK));
  assert.equal(server.sessions.length, 2);
});

test('what a program says is passed on without the paths of its files', async (t) => {
  const said = [
    ['450 4.2.0 Write /var/mail/u: Disk quota exceeded', '450 4.2.0 Write [file]: Disk quota exceeded'],
    ['550 5.2.0 "/home/u/Mail": irregular file', '550 5.2.0 "[file]": irregular file'],
    ['550 5.7.1 See https://lists.example.org/rules/ 24/7', '550 5.7.1 See https://lists.example.org/rules/ 24/7'],
    ['451 4.3.0 lockmailbox u failed; error code 75', '451 4.3.0 lockmailbox u failed; error code 75'],
  ] as const;
  for (const [reply, expected] of said) {
    const { deliver } = await programBench(t, { final: [reply] });
    assert.deepEqual(await deliver(), [expected]);
  }
  const { deliver } = await bench(t, { protocol: 'lmtp', script: { final: ['550 5.2.0 /var/mail/u is full'] } });
  assert.deepEqual(await deliver(), ['550 5.2.0 /var/mail/u is full'], 'a server on the network says what it says');
});

test('a large message goes through whole', async (t) => {
  const { deliver, server } = await programBench(t);
  const message = content('All work and no play.\r\n'.repeat(50_000), '.\r\n'.repeat(50_000));
  assert.deepEqual(await deliver({}, message), [OK]);
  const given = Buffer.concat([...(message.slices() as readonly Buffer[])]);
  assert.ok(server.sessions[0]?.messages[0]?.content.equals(given));
});

test('a program that ended while it was idle is started again', async (t) => {
  const { deliver, server } = await programBench(t);
  await deliver();
  server.sessions[0]?.say(close);
  await server.sessions[0]?.closed;
  assert.deepEqual(await deliver(), [OK]);
  assert.equal(server.sessions.length, 2);
});

test('close says QUIT and waits until the program has gone', async (t) => {
  const { deliver, downstream, server } = await programBench(t);
  await deliver();
  await downstream.close();
  await server.sessions[0]?.closed;
  assert.equal(server.sessions[0]?.commands.at(-1), 'QUIT');
});

test('last words before the program ends are heard', async (t) => {
  const { deliver } = await programBench(t, { mail: all('451 4.3.0 No room', close) });
  assert.deepEqual(await deliver(), ['451 4.3.0 No room']);
});

for (const { name, program } of [
  { name: 'is not there', program: ['/nonexistent/mail.local', '-l'] },
  { name: 'is no program', program: ['/etc'] },
]) {
  test(`a program that ${name}`, async (t) => {
    const { deliver, warnings } = await bench(t, { protocol: 'lmtp' }, { addresses: [{ program }] });
    assert.deepEqual(await deliver(), [UNREACHABLE]);
    assert.deepEqual(warnings, ['downstream-failed connect unreachable 1']);
  });
}

for (const [name, program, failure] of [
  ['ends at once', standIn('nonsense'), 'lost'],
  ['reads and says nothing', standIn('deaf'), 'silent'],
] as const) {
  test(`a program that ${name}`, async (t) => {
    const own = { addresses: [{ program }], timeouts: { connect: 5_000, reply: 500 } };
    const { deliver, warnings } = await bench(t, { protocol: 'lmtp' }, own);
    assert.match(String(await deliver()), /^451 4\.4\.2 /);
    assert.deepEqual(warnings, [`downstream-failed greeting ${failure} 1`]);
  });
}

test('standard error goes to the log line by line, cut and counted', async (t) => {
  const lines: unknown[] = [];
  let hear: () => void = () => undefined;
  const heard = new Promise<void>((resolve) => {
    hear = resolve;
  });
  const log: Log = {
    transaction: () => undefined,
    info: () => undefined,
    warn: (event, detail) => {
      assert.equal(event, 'downstream-stderr');
      lines.push(detail?.['line']);
      if (String(detail?.['line']).startsWith('(')) hear();
    },
    error: () => undefined,
  };
  const { deliver, downstream } = await programBench(t, {}, { log, behaviour: 'loud' });
  assert.deepEqual(await deliver(), [OK]);
  await downstream.close();
  await heard;
  assert.deepEqual(lines.slice(0, 3), ['one ? line', 'long '.repeat(80), 'many']);
  assert.deepEqual(lines.slice(50), ['(953 more lines)']);
});

test('SIGTERM, then SIGKILL for a program that does not heed it', async () => {
  let hear: (line: string) => void = () => undefined;
  const ready = new Promise<string>((resolve) => {
    hear = resolve;
  });
  const child = await start(standIn('stubborn'), (line) => hear(line));
  assert.ok(!(child instanceof Error));
  assert.equal(await ready, 'ready');
  terminate(child);
  const [code, signal] = await once(child, 'exit');
  assert.deepEqual([code, signal], [null, 'SIGKILL']);
  assert.ok(hasExited(child));
});

test('a stream that is destroyed takes its program along', async () => {
  const stream = new ProgramStream(standIn('deaf'), 1024, () => undefined);
  await once(stream, 'connect');
  stream.destroy();
  await once(stream, 'close');
});

const MAIL_LOCAL = ['/usr/libexec/sendmail/mail.local', '/usr/libexec/mail.local', '/usr/lib/sm.bin/mail.local'];

test('mail.local of sendmail', async (t) => {
  const path = MAIL_LOCAL.find((one) => existsSync(one));
  if (path === undefined) {
    t.skip(`mail.local is not here (looked for ${MAIL_LOCAL.join(', ')}): NOT tried against the real program`);
    return;
  }
  const { deliver } = await bench(t, { protocol: 'lmtp' }, { addresses: [{ program: [path, '-l'] }] });
  // Whether the mailbox can be written is the machine's business; that nobody has this name is sure.
  const [known, unknown] = await deliver({ to: [`${userInfo().username}@x`, 'no-such-user-here@x'] });
  assert.match(known ?? '', /^(250 2\.1\.5|45\d 4\.)/);
  assert.match(unknown ?? '', /^550 5\.1\.1 /);
});
