import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bench } from './bench.ts';
import { type Act, all, CAPABILITIES, close, hang, nothing, raw, reset, type Script } from './scripted-server.ts';

const GOOD = '250 2.0.0 Ok';
const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Act>(GOOD) },
  {
    weight: 4,
    arbitrary: fc.constantFrom<Act>(
      '550 5.7.1 No',
      '450-4.2.0 Not\n450 4.2.0 now',
      '421 4.3.2 Bye',
      '354 Go on',
      '250 Ok\n250 Ok',
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Act>(close, reset, hang, nothing, raw('25'), raw('?\r\n'), all('421 Bye', close)),
  },
);
const acts = fc.array(act, { maxLength: 3 });
const script: fc.Arbitrary<Script> = fc.record(
  { greeting: act, hello: acts, mail: acts, rcpt: acts, rset: acts, quit: acts, final: acts, data: acts },
  { requiredKeys: [] },
);

test('property: whatever a server does, each recipient has one reply, and 2yz only where the server said so', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(script, { minLength: 1, maxLength: 2 }),
      fc.constantFrom('lmtp', 'smtp'),
      fc.boolean(),
      async (scripts, protocol, pipelining) => {
        const { deliver, server, downstream } = await bench(
          t,
          {
            protocol: protocol === 'lmtp' ? 'lmtp' : 'smtp',
            capabilities: pipelining ? CAPABILITIES : [],
            script: (connection) => scripts[connection] ?? {},
          },
          { timeouts: { connect: 1_000, reply: 40 }, missingAfter: 10 },
        );
        for (let turn = 0; turn < 2; turn++) {
          const before = server.sessions.flatMap(({ messages }) => messages).length;
          const told: number[] = [];
          const onReply = (position: number): void => void told.push(position);
          const replies = await deliver({ to: ['a@x', 'b@x', 'c@x'] }, undefined, { onReply });
          assert.deepEqual(told.toSorted(), [0, 1, 2]);
          assert.ok(
            replies.every((reply) => /^(2\d\d 2|4\d\d 4|5\d\d 5)\.\d+\.\d+ /.test(reply) && !reply.startsWith('421')),
          );
          const sent = server.sessions.flatMap(({ messages }) => messages).length - before;
          assert.ok(sent <= 1, 'never sent twice');
          if (sent === 0) assert.ok(replies.every((reply) => !reply.startsWith('2')));
        }
        await Promise.all([server.close(), downstream.close()]);
      },
    ),
    { numRuns: 60 },
  );
});
