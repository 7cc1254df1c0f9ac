import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bench } from './bench.ts';
import type { Given } from './envelope.ts';
import { all, close, hang, nothing, type Script } from './scripted-server.ts';

const LOST = '451 4.4.2 The connection to the mail system behind this server was lost; please try again later (id T1)';
const SILENT = '451 4.4.2 The mail system behind this server did not answer in time; please try again later (id T1)';
const THREE: Given = { to: ['a@x', 'b@x', 'c@x'] };

/** What is not offered by Mailman 3: PIPELINING, enhanced status codes. */
const MAILMAN = ['SIZE 33554432', '8BITMIME', 'HELP'];

const table: { name: string; script: Script; expect: readonly string[]; quit: boolean }[] = [
  {
    name: 'one refusal for all, 221 proves it',
    script: { final: ['501 Message has defects'] },
    expect: ['501 5.0.0 Message has defects', '501 5.0.0 Message has defects', '501 5.0.0 Message has defects'],
    quit: true,
  },
  {
    name: 'two refusals for three, the last stands',
    script: { final: ['501 One', '452 Two'] },
    expect: ['501 5.0.0 One', '452 4.0.0 Two', '452 4.0.0 Two'],
    quit: true,
  },
  {
    name: 'closed without 221: no proof',
    script: { final: ['501 One'], quit: close },
    expect: ['501 5.0.0 One', LOST, LOST],
    quit: true,
  },
  {
    name: 'silent to QUIT too: no proof',
    script: { final: ['501 One'], quit: hang },
    expect: ['501 5.0.0 One', SILENT, SILENT],
    quit: true,
  },
  {
    name: 'the replies were only late',
    script: { final: ['501 One'], quit: all('250 Two', '550 Three', '221 Bye', close) },
    expect: ['501 5.0.0 One', '250 2.0.0 Two', '550 5.0.0 Three'],
    quit: true,
  },
  {
    name: 'one was late, then 221: behind a 2yz it proves nothing',
    script: { final: ['501 One'], quit: all('250 Two', '221 Bye', close) },
    expect: [
      '501 5.0.0 One',
      '250 2.0.0 Two',
      '451 4.5.0 The mail system behind this server broke the protocol; please try again later (id T1)',
    ],
    quit: true,
  },
  {
    name: 'missing behind a 2yz: QUIT is not tried',
    script: { final: ['250 One', '501 Two', hang] },
    expect: ['250 2.0.0 One', '501 5.0.0 Two', SILENT],
    quit: false,
  },
  {
    name: 'missing from the start: QUIT is not tried',
    script: { final: [nothing] },
    expect: [SILENT, SILENT, SILENT],
    quit: false,
  },
];

for (const { name, script, expect, quit } of table) {
  test(`too few replies: ${name}`, async (t) => {
    const { deliver, server } = await bench(
      t,
      { protocol: 'lmtp', capabilities: MAILMAN, script },
      { timeouts: { connect: 5_000, reply: 300 }, missingAfter: 30 },
    );
    assert.deepEqual(await deliver(THREE), expect);
    await server.sessions[0]?.closed;
    assert.equal(server.sessions[0]?.commands.includes('QUIT'), quit);
    assert.equal(server.sessions.length, 1);
  });
}

test('a refusal for each in time: no QUIT, and the connection is kept', async (t) => {
  const script = { final: ['550 One', '550 Two', '550 Three'] };
  const { deliver, server } = await bench(t, { protocol: 'lmtp', script }, { missingAfter: 60_000 });
  await deliver(THREE);
  await deliver(THREE);
  assert.equal(server.sessions.length, 1);
  assert.ok(!server.sessions[0]?.commands.includes('QUIT'));
});
