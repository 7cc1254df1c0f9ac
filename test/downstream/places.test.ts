import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Places } from '../../src/downstream/places.ts';
import { bench } from './bench.ts';
import { hang } from './scripted-server.ts';

const OK = '250 2.0.0 Ok';
const BUSY = '451 4.3.2 The mail system behind this server is busy; please try again later (id T1)';
const LATER = Number.POSITIVE_INFINITY;

test('who came first goes first; who gave up is passed over', async () => {
  const places = new Places(1);
  const { signal } = new AbortController();
  const leaving = new AbortController();
  const order: string[] = [];
  const wait = async (name: string, until: number, own = signal): Promise<void> => {
    order.push(`${name} ${await places.take(until, own)}`);
  };
  assert.equal(places.take(LATER, signal), true);
  const waits = [wait('late', 0), wait('left', LATER, leaving.signal), wait('first', LATER), wait('second', LATER)];
  leaving.abort();
  await Promise.all(waits.slice(0, 2));
  places.leave();
  await waits[2];
  places.leave();
  await waits[3];
  assert.deepEqual(order, ['left false', 'late false', 'first true', 'second true']);
  places.leave();
  assert.equal(places.take(0, signal), true, 'the place is free again');
});

test('no more transactions at a time than may be: the others take their turn on the same connections', async (t) => {
  const { deliver, server } = await bench(t, { protocol: 'lmtp' }, { connections: 2 });
  const replies = await Promise.all(Array.from({ length: 9 }, () => deliver()));
  assert.deepEqual(replies.flat(), new Array(9).fill(OK));
  assert.equal(server.sessions.length, 2);
});

test('who has had no turn by the deadline is told so, and nothing is sent for them', async (t) => {
  const { deliver, server, warnings } = await bench(
    t,
    { protocol: 'lmtp', script: (session) => (session === 0 ? { mail: hang } : {}) },
    { connections: 1, timeouts: { connect: 2_000, reply: 600 } },
  );
  const first = deliver();
  const late = await deliver({ to: ['a@x', 'b@x'] }, undefined, { deadline: Date.now() + 50 });
  assert.deepEqual(late, [BUSY, BUSY]);
  assert.deepEqual(warnings, ['downstream-failed connect crowded 2']);
  await first;
  assert.equal(server.sessions.length, 1);
  assert.deepEqual(await deliver(), [OK], 'the place of a failed transaction is free again');
});

test('a client that leaves while it waits is not sent for', async (t) => {
  const { deliver, server } = await bench(
    t,
    { protocol: 'lmtp', script: { mail: [hang] } },
    { connections: 1, timeouts: { connect: 2_000, reply: 200 } },
  );
  const client = new AbortController();
  const first = deliver();
  const waiting = deliver({}, undefined, { signal: client.signal });
  client.abort();
  assert.deepEqual(await waiting, ['451 4.4.2 The connection was lost (id T1)']);
  await first;
  assert.equal(server.sessions.length, 1);
});
