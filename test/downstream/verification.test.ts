import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Verifications } from '../../src/downstream/verification.ts';
import { reply } from '../../src/core/reply.ts';
import { type Bench, bench } from './bench.ts';
import { envelope, recipient, show } from './envelope.ts';
import { all, close, hang, raw, reset, type Script, type ScriptedServerOptions } from './scripted-server.ts';

const OK = '250 2.0.0 Ok';
const ASKED = ['MAIL FROM:<>', 'RCPT TO:<a@lists.example>', 'RSET'];

interface Asking extends Bench {
  /** The refusal, or `go on`. */
  ask(to?: string): Promise<string>;
}

async function asking(
  t: TestContext,
  options: Omit<ScriptedServerOptions, 'protocol'> & { protocol?: 'lmtp' | 'smtp' } = {},
  own: Parameters<typeof bench>[2] = {},
): Promise<Asking> {
  const made = await bench(t, { protocol: 'lmtp', ...options }, { verifyRecipients: true, ...own });
  return {
    ...made,
    async ask(to = 'a@lists.example') {
      const refusal = await made.downstream.verify?.(envelope().transaction, recipient(to));
      return refusal === null || refusal === undefined ? 'go on' : show(refusal);
    },
  };
}

for (const protocol of ['lmtp', 'smtp'] as const) {
  test(`${protocol}: asked with MAIL, RCPT and RSET, and the connection goes on to carry mail`, async (t) => {
    const script = { rcpt: ['550-5.1.1 No such\n550 5.1.1 list'] };
    const { ask, deliver, commands, server } = await asking(t, { protocol, script });
    assert.equal(await ask(), '550 5.1.1 No such\nlist');
    assert.equal(await ask('b@lists.example'), 'go on');
    assert.deepEqual(await deliver(), [OK]);
    assert.equal(server.sessions.length, 1);
    assert.deepEqual(commands().slice(0, 7), [
      ...ASKED,
      'MAIL FROM:<>',
      'RCPT TO:<b@lists.example>',
      'RSET',
      'MAIL FROM:<author@example.net> SIZE=20',
    ]);
  });
}

test('a server is asked once, whatever it said', async (t) => {
  const { ask, commands } = await asking(t, { script: { rcpt: ['250 Ok', '553 Bad name'] } });
  for (let count = 0; count < 3; count++) {
    assert.equal(await ask('a@x'), 'go on');
    assert.equal(await ask('b@x'), '553 5.0.0 Bad name');
  }
  assert.equal(commands().length, 6);
});

test('nobody is asked where that is not wanted', async (t) => {
  const { ask, server } = await asking(t, { script: { rcpt: '550 No' } }, { verifyRecipients: false });
  assert.equal(await ask(), 'go on');
  assert.equal(server.sessions.length, 0);
});

const unsaid: { name: string; script: Script; told?: string; kept?: true }[] = [
  { name: 'RCPT: 4yz', script: { rcpt: ['451 4.2.1 Later'] }, kept: true },
  { name: 'MAIL: 5yz', script: { mail: ['550 5.7.1 No bounces here'] }, kept: true },
  { name: 'MAIL: 4yz', script: { mail: ['452 4.3.1 Full'] }, kept: true },
  { name: 'greeting: 554', script: { greeting: '554 5.3.2 No' }, told: 'greeting refused' },
  { name: 'hello: lost', script: { hello: close }, told: 'hello lost' },
  { name: 'MAIL: 421', script: { mail: all('421 4.3.2 Down', close) }, told: 'mail lost' },
  { name: 'MAIL: silent', script: { mail: hang }, told: 'mail silent' },
  { name: 'RCPT: lost', script: { rcpt: close }, told: 'rcpt lost' },
  { name: 'RCPT: reset', script: { rcpt: reset }, told: 'rcpt lost' },
  { name: 'RCPT: silent', script: { rcpt: hang }, told: 'rcpt silent' },
  { name: 'RCPT: garbled', script: { rcpt: raw('HTTP/1.1 400 Bad Request\r\n\r\n') }, told: 'rcpt garbled' },
  { name: 'RCPT: two replies', script: { rcpt: '550 No\n250 Ok' }, told: 'reset misplaced' },
  { name: 'RSET: refused', script: { rcpt: '550 No', rset: '500 What?' }, told: 'reset misplaced' },
];

for (const { name, script, told, kept } of unsaid) {
  test(`nobody is refused because the server could not be asked: ${name}`, async (t) => {
    const own = { timeouts: { connect: 2_000, reply: told?.endsWith('silent') ? 200 : 2_000 } };
    const { ask, deliver, server, warnings } = await asking(
      t,
      { script: (session) => (session === 0 ? script : {}) },
      own,
    );
    assert.equal(await ask(), 'go on');
    assert.deepEqual(warnings, told === undefined ? [] : [`downstream-not-asked ${told} undefined`]);
    assert.deepEqual(await deliver(), [OK]);
    assert.equal(server.sessions.length, kept ? 1 : 2, 'and no connection is used that is out of step');
  });
}

test('a kept connection that died: asked once more on a fresh one', async (t) => {
  const { ask, deliver, server, warnings } = await asking(t, {
    script: (session) => (session === 0 ? { mail: ['250 Ok', close] } : { rcpt: '550 5.1.1 No' }),
  });
  await deliver();
  assert.equal(await ask(), '550 5.1.1 No');
  assert.equal(server.sessions.length, 2);
  assert.deepEqual(warnings, []);
});

test('an address that needs SMTPUTF8 is asked of a server that offers it', async (t) => {
  const without = await asking(t, { script: { rcpt: '550 No' } });
  assert.equal(await without.ask('jos\u00e9@x'), 'go on');
  const { ask, commands } = await asking(t, { capabilities: ['SMTPUTF8'], script: { rcpt: '550 5.1.1 No' } });
  assert.equal(await ask('jos\u00e9@x'), '550 5.1.1 No');
  assert.equal(commands()[0], 'MAIL FROM:<> SMTPUTF8');
});

test('yes lasts an hour, no five minutes, and no more are kept than may be', () => {
  let now = 0;
  const verifications = new Verifications(() => now, 3);
  const [yes, no] = [{ refusal: null }, { refusal: reply(550, '5.1.1', 'No') }];
  verifications.set('yes@x', yes);
  verifications.set('no@x', no);
  const known = (): readonly string[] => ['yes@x', 'no@x'].filter((mailbox) => verifications.get(mailbox) !== null);
  now = 5 * 60_000 - 1;
  assert.deepEqual(known(), ['yes@x', 'no@x']);
  now += 1;
  assert.deepEqual(known(), ['yes@x']);
  now = 60 * 60_000;
  assert.deepEqual(known(), []);
  for (const mailbox of ['1@x', '2@x', '1@x', '3@x', '4@x']) verifications.set(mailbox, yes);
  assert.deepEqual(
    ['1@x', '2@x', '3@x', '4@x'].filter((mailbox) => verifications.get(mailbox) !== null),
    ['1@x', '3@x', '4@x'],
  );
});
