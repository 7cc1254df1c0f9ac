import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bench } from './bench.ts';
import type { Given } from './envelope.ts';
import { all, close, hang, reset, type Script, stall } from './scripted-server.ts';

const OK = '250 2.0.0 Ok';
const LOST = '451 4.4.2 The connection to the mail system behind this server was lost; please try again later (id T1)';
const ONE = ['MAIL FROM:<author@example.net> SIZE=20', 'RCPT TO:<a@lists.example>', 'DATA'];

test('a connection is used again, without RSET where the last transaction was complete', async (t) => {
  const { deliver, commands, server } = await bench(t, { protocol: 'lmtp' });
  for (let count = 0; count < 3; count++) assert.deepEqual(await deliver(), [OK]);
  assert.equal(server.sessions.length, 1);
  assert.deepEqual(commands(), [...ONE, ...ONE, ...ONE]);
});

const incomplete: { name: string; script: Script }[] = [
  { name: 'MAIL', script: { mail: ['550 No'] } },
  { name: 'RCPT', script: { rcpt: ['550 No'] } },
  { name: 'DATA', script: { data: ['550 No'] } },
];

for (const { name, script } of incomplete) {
  for (const capabilities of [['SIZE', 'PIPELINING'], ['SIZE']]) {
    test(`RSET behind a refused ${name}, ${capabilities.join(' ')}`, async (t) => {
      const { deliver, commands, server } = await bench(t, { protocol: 'lmtp', script, capabilities });
      assert.deepEqual(await deliver(), ['550 5.0.0 No']);
      assert.deepEqual(await deliver(), [OK]);
      assert.deepEqual(await deliver(), [OK]);
      assert.equal(server.sessions.length, 1);
      assert.deepEqual(commands().slice(commands().indexOf('RSET')), ['RSET', ...ONE, ...ONE]);
    });
  }
}

test('a refused RSET: a fresh connection', async (t) => {
  const { deliver, server } = await bench(t, { protocol: 'lmtp', script: { rcpt: ['550 No'], rset: '500 What?' } });
  await deliver();
  assert.deepEqual(await deliver(), ['550 5.0.0 No']);
  assert.equal(server.sessions.length, 2);
});

const dying: { name: string; script: Script; expect?: readonly string[]; sessions?: number }[] = [
  { name: 'lost at MAIL', script: { mail: ['250 Ok', close] } },
  { name: 'reset at MAIL', script: { mail: ['250 Ok', reset] } },
  { name: '421 at MAIL', script: { mail: ['250 Ok', all('421 4.4.2 Timeout', close)] } },
  { name: 'garbage at MAIL', script: { mail: ['250 Ok', 'What?'] } },
  { name: 'silent at MAIL', script: { mail: ['250 Ok', hang] } },
  { name: 'lost at RCPT: it had answered', script: { rcpt: ['250 Ok', close] }, expect: [LOST], sessions: 1 },
  { name: 'lost at DATA: it had answered', script: { data: ['354 Go', close] }, expect: [LOST], sessions: 1 },
];

for (const { name, script, expect = [OK], sessions = 2 } of dying) {
  test(`a kept connection that died: ${name}`, async (t) => {
    const { deliver, server } = await bench(
      t,
      { protocol: 'smtp', script: (connection) => (connection === 0 ? script : {}) },
      { timeouts: { connect: 5_000, reply: 300 } },
    );
    assert.deepEqual(await deliver(), [OK]);
    assert.deepEqual(await deliver(), expect);
    assert.equal(server.sessions.length, sessions);
  });
}

test('a kept connection that says nothing is not waited for as long as a server at work', async (t) => {
  const { deliver, server } = await bench(
    t,
    { protocol: 'smtp', script: (connection) => (connection === 0 ? { mail: ['250 Ok', hang] } : {}) },
    { timeouts: { connect: 200, reply: 60_000 } },
  );
  assert.deepEqual(await deliver(), [OK]);
  assert.deepEqual(await deliver({}, undefined, { deadline: Date.now() + 5_000 }), [OK]);
  assert.equal(server.sessions.length, 2);
});

test('a kept connection that dies behind the dot: never tried again', async (t) => {
  const { deliver, server, warnings } = await bench(t, {
    protocol: 'smtp',
    script: { final: [close], rcpt: ['550 No'] },
  });
  assert.deepEqual(await deliver(), ['550 5.0.0 No']);
  assert.deepEqual(await deliver(), [LOST]);
  assert.equal(server.sessions.length, 1);
  assert.deepEqual(warnings, ['downstream-unknown-outcome final lost 1']);
});

test('tried once more, not twice', async (t) => {
  const { deliver, server } = await bench(t, {
    protocol: 'lmtp',
    script: (connection) => ({ mail: connection === 0 ? ['250 Ok', close] : close }),
  });
  assert.deepEqual(await deliver(), [OK]);
  assert.deepEqual(await deliver(), [LOST]);
  assert.equal(server.sessions.length, 2);
});

test('a fresh connection is not tried again', async (t) => {
  const { deliver, server } = await bench(t, { protocol: 'lmtp', script: { mail: all('421 4.3.2 No', close) } });
  assert.deepEqual(await deliver(), ['451 4.3.2 No']);
  assert.equal(server.sessions.length, 1);
});

for (const [name, act] of [
  ['closes', close],
  ['says 421', '421 4.4.2 Idle too long'],
] as const) {
  test(`a kept connection on which the server ${name} is dropped`, async (t) => {
    const { deliver, server } = await bench(t, { protocol: 'lmtp' });
    await deliver();
    server.sessions[0]?.say(act);
    await server.sessions[0]?.closed;
    assert.deepEqual(await deliver(), [OK]);
    assert.equal(server.sessions.length, 2);
    assert.ok(!server.sessions[0]?.commands.includes('QUIT'));
  });
}

test('a reply too many: the connection is not used again', async (t) => {
  const { deliver, server } = await bench(t, {
    protocol: 'smtp',
    script: { final: ['250 2.0.0 Ok\n250 2.0.0 Again'] },
  });
  assert.deepEqual(await deliver(), [OK]);
  assert.deepEqual(await deliver(), [OK]);
  assert.equal(server.sessions.length, 2);
});

test('QUIT behind the idle limit', async (t) => {
  const { deliver, server } = await bench(t, { protocol: 'lmtp' }, { idleLimit: 20 });
  await deliver();
  await server.sessions[0]?.closed;
  assert.equal(server.sessions[0]?.commands.at(-1), 'QUIT');
  assert.deepEqual(await deliver(), [OK]);
  assert.equal(server.sessions.length, 2);
});

test('no more are kept than may be', async (t) => {
  const { deliver, server } = await bench(t, { protocol: 'lmtp' }, { maxIdle: 1 });
  await Promise.all([deliver(), deliver(), deliver()]);
  assert.equal(server.sessions.length, 3);
  await Promise.race(server.sessions.map(({ closed }) => closed));
  const quits = (): number => server.sessions.filter(({ commands }) => commands.includes('QUIT')).length;
  while (quits() < 2) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(await deliver(), [OK]);
  assert.equal(server.sessions.length, 3);
  assert.equal(quits(), 2);
});

test('close says QUIT to those kept and waits for those under way', async (t) => {
  const { deliver, downstream, server } = await bench(t, {
    protocol: 'lmtp',
    script: (connection) => (connection === 1 ? { final: [{ kind: 'slowly', reply: '250 2.0.0 Ok' }] } : {}),
  });
  const to: Given = {};
  await deliver(to);
  const [first, second] = [deliver(to), deliver(to)];
  await first;
  const order: string[] = [];
  await Promise.all([
    second.then((replies) => order.push(...replies)),
    downstream.close().then(() => order.push('closed')),
  ]);
  assert.deepEqual(order, [OK, 'closed']);
  await Promise.all(server.sessions.map(({ closed }) => closed));
  assert.deepEqual(
    server.sessions.map(({ commands }) => commands.at(-1)),
    ['QUIT', 'QUIT'],
  );
});

test('close does not wait for a server that does not answer QUIT for long', async (t) => {
  const { deliver, downstream } = await bench(t, { protocol: 'lmtp', script: { quit: stall } });
  await deliver();
  await downstream.close();
});

test('many deliveries leave no listeners behind', async (t) => {
  const warned: string[] = [];
  const onWarning = (warning: Error): void => void warned.push(warning.message);
  process.on('warning', onWarning);
  t.after(() => process.off('warning', onWarning));
  const { deliver, server } = await bench(t, { protocol: 'lmtp', capabilities: [] });
  for (let count = 0; count < 50; count++) await deliver({ to: ['a@x', 'b@x', 'c@x'] });
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(warned, []);
  assert.equal(server.sessions.length, 1);
});
