/**
 * lmtp - examples/postfix-lmtp with a real Postfix: client -> smtpd -> queue -> lmtp transport -> Postern -> list manager.
 * What becomes of each recipient, what the bounce says, what is tried again.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { Example } from '../example.ts';
import { oddMessage } from '../odd-message.ts';
import { Postern, putAway } from '../postern.ts';
import { Postfix, whyNoPostfix } from '../postfix.ts';
import { RecordingServer } from '../recording-server.ts';
import { freeAddress, Sandbox, until } from '../sandbox.ts';
import { submit } from '../smtp-client.ts';
import { suite } from '../suite.ts';

const GARDENERS = 'gardeners@lists.example.org';
const NEWS = 'news@lists.example.org';
const ORCHARD = 'orchard@lists.example.org';
const ANN = 'ann@example.net';
const FRIEND = 'NAME=mail.example.net ADDR=192.0.2.10 PORT=40001 HELO=mail.example.net PROTO=ESMTP';

for (const socket of ['tcp', 'unix'] as const) {
  suite(`Postfix's lmtp transport to Postern over ${socket}`, whyNoPostfix(), () => {
    const sandbox = new Sandbox(`lmtp-${socket}`);
    let front = '';
    let example: Example;
    let postfix: Postfix;
    let postern: Postern;
    let listManager: RecordingServer;
    let listManagerAddress = '';
    let mailHome: RecordingServer;
    let startPostern: () => Promise<Postern>;

    before(async () => {
      front = await freeAddress();
      listManagerAddress = await freeAddress();
      const listener = await freeAddress();
      const unixListener = `unix:${join(sandbox.folder, 'lmtp.sock')}`;
      const elsewhere = await freeAddress();

      example = new Example(sandbox, 'postfix-lmtp');
      example.replace('postern.yaml', {
        '127.0.0.1:10024': listener,
        'unix:/run/postern/lmtp.sock': unixListener,
        '127.0.0.1:8024': listManagerAddress,
      });
      startPostern = () => Postern.start(sandbox, ['--config', example.path('postern.yaml')], [listener, unixListener]);
      listManager = await RecordingServer.start(sandbox, listManagerAddress, { protocol: 'lmtp' });
      mailHome = await RecordingServer.start(sandbox, elsewhere, { protocol: 'smtp' });
      postfix = await Postfix.start(sandbox, {
        main: example.replace('postfix/main.cf', {
          'lmtp:inet:127.0.0.1:10024': `lmtp:${socket === 'unix' ? unixListener : `inet:${listener}`}`,
        }),
        master: `${front} inet n - n - - smtpd\n`,
        listens: [front],
        elsewhere,
      });
      postern = await startPostern();
    });

    after(() => putAway(sandbox, postern));

    const send = async (subject: string, to: readonly string[]): Promise<Buffer> => {
      const content = oddMessage({ author: ANN, to: to.join(', '), subject });
      const answers = await submit(front, { from: ANN, to, content });
      assert.match(answers.final, /^250 2\.0\.0 Ok: queued as /);
      return content;
    };
    const arrived = (subject: string) =>
      listManager.messages.filter((message) => message.content.includes(`subject:   ${subject}\r\n`));
    const lastAttempt = (to: string) =>
      until(`an attempt to deliver to ${to}`, () => postfix.deliveries(to).at(-1) ?? null);

    test('three recipients, three verdicts: each gets its own', async (t) => {
      t.diagnostic(postfix.version);
      const content = await send('three lists', [GARDENERS, NEWS, ORCHARD]);

      const relayed = await lastAttempt(GARDENERS);
      assert.equal(relayed.status, 'sent');
      assert.match(relayed.reason, /^250 2\.0\.0 Ok: recorded/);
      const refused = await lastAttempt(NEWS);
      assert.equal(refused.status, 'bounced');
      assert.equal(refused.dsn, '5.7.1');
      assert.match(
        refused.reason,
        /said: 550 5\.7\.1 news@lists\.example\.org is for announcements: only its editors may post\. \(id \S+\) /,
      );
      const deferred = await lastAttempt(ORCHARD);
      assert.equal(deferred.status, 'deferred');
      assert.equal(deferred.dsn, '4.7.1');
      assert.match(
        deferred.reason,
        /said: 451 4\.7\.1 orchard@lists\.example\.org is being moved; please try again later\./,
      );

      const [message, ...others] = arrived('three lists');
      assert.deepEqual(message?.recipients, [GARDENERS]);
      assert.deepEqual(others, []);
      assert.deepEqual(message?.content.subarray(message.content.length - content.length), content);
    });

    test('the bounce holds our reply, for the refused recipient alone', async () => {
      const bounce = await until('the bounce', () => mailHome.messagesFor(ANN)[0] ?? null);
      const text = bounce.content.toString('latin1').replace(/\r\n\s*/g, ' ');
      assert.match(
        text,
        /<news@lists\.example\.org>: host .* said: 550 5\.7\.1 news@lists\.example\.org is for announcements: only its editors may post\./,
      );
      assert.match(text, /Status: 5\.7\.1/);
      assert.match(text, /Diagnostic-Code: smtp; 550 5\.7\.1 /);
      assert.doesNotMatch(text, /Final-Recipient: rfc822; (gardeners|orchard)@/);
    });

    test('the deferred recipient is tried again alone, and arrives once the rule is gone', async () => {
      assert.deepEqual(postfix.queued(), [ORCHARD]);
      const attempts = postfix.deliveries(ORCHARD).length;
      postfix.flush();
      await until('the next attempt', () => postfix.deliveries(ORCHARD).length > attempts);
      assert.equal(postfix.deliveries(ORCHARD).at(-1)?.status, 'deferred');

      writeFileSync(
        example.path('rules/lists/lists.example.org/orchard.yaml'),
        `version: 1\nlist: ${ORCHARD}\nrules: []\n`,
      );
      await postfix.emptied();
      assert.deepEqual(
        arrived('three lists').map((message) => message.recipients),
        [[GARDENERS], [ORCHARD]],
      );
      assert.equal(postfix.deliveries(GARDENERS).length, 1);
    });

    test('Postern hears who gave the message to Postfix', async () => {
      const content = oddMessage({ author: ANN, to: GARDENERS, subject: 'who is it' });
      await submit(front, { from: ANN, to: [GARDENERS], content, xclient: FRIEND });
      await until('the message', () => arrived('who is it').length > 0);
      await until('its log record', () => postern.transactions.some(({ client }) => client === '192.0.2.10'));
    });

    test('a hundred messages at once: each arrives once', async () => {
      const count = 100;
      const load = [
        '-s',
        '10',
        '-m',
        String(count),
        '-l',
        '4096',
        '-S',
        'a hundred',
        '-f',
        ANN,
        '-t',
        GARDENERS,
        front,
      ];
      await promisify(execFile)('/usr/sbin/smtp-source', load);
      const ofLoad = () => listManager.messages.filter((message) => message.content.includes('Subject: a hundred\r\n'));
      await until('the hundred', () => ofLoad().length >= count);
      await until('the queue to be empty', () => postfix.queued().length === 0);
      const ids = new Set(
        ofLoad().map((message) => /^Message-Id: (.*)$/m.exec(message.content.toString('latin1'))?.[1]),
      );
      assert.equal(ofLoad().length, count);
      assert.equal(ids.size, count);
    });

    test('Postern down: the mail waits in the queue and is delivered once', async () => {
      assert.equal(await postern.stop(), 0);
      await send('patience', [GARDENERS]);
      await until('the attempt to fail', () => postfix.deliveries(GARDENERS).at(-1)?.status === 'deferred');
      postern = await startPostern();
      await postfix.emptied();
      assert.equal(arrived('patience').length, 1);
    });

    test('a list manager like Mailman, started anew: its reply for one recipient is handed on, the other gets its mail', async () => {
      const unknown = 'weeds@lists.example.org';
      await listManager.stop();
      listManager = await RecordingServer.start(sandbox, listManagerAddress, {
        protocol: 'lmtp',
        capabilities: ['SIZE 33554432', '8BITMIME', 'HELP'],
        reply: (line) => (line.includes(unknown) ? '550 Requested action not taken: mailbox unavailable' : null),
      });
      await send('a list nobody knows', [unknown, GARDENERS]);
      const refused = await lastAttempt(unknown);
      assert.equal(refused.status, 'bounced');
      assert.match(refused.reason, /said: 550 5\.\d\.\d Requested action not taken: mailbox unavailable/);
      const message = await until('the other recipient', () => arrived('a list nobody knows')[0] ?? null);
      assert.deepEqual(message.recipients, [GARDENERS]);
      assert.doesNotMatch(message.mail, /BODY=7BIT|RET=|ENVID=/, 'nothing that was not offered is sent');
    });
  });
}
