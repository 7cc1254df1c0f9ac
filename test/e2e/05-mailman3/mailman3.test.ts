/**
 * mailman3 - examples/mailman3 with a real Postfix and a real Mailman 3: client -> smtpd -> Postern -> Mailman's LMTP runner,
 * and out again through the smtpd behind Postern.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { Example } from '../example.ts';
import { whyNot } from '../needs.ts';
import { Postern, putAway } from '../postern.ts';
import { Postfix } from '../postfix.ts';
import { RecordingServer } from '../recording-server.ts';
import { freeAddress, portOf, Sandbox, until } from '../sandbox.ts';
import { type Answers, submit } from '../smtp-client.ts';
import { suite } from '../suite.ts';
import { contents, Tap } from '../tap.ts';
import { Mailman } from './mailman.ts';

const LIST = 'gardeners@lists.example.org';
const LIST_ID = 'gardeners.lists.example.org';
const ANN = 'ann@example.net';
const BOB = 'bob@example.com';
const EVE = 'eve@example.com';
const FOLDER = 'rules/lists';
const ROSTER = 'rules/lists/lists.example.org/rosters/gardeners.txt';

interface Mail {
  readonly author: string;
  readonly to?: string;
  /** Reverse-path; the author where it is left out. */
  readonly from?: string;
  readonly header?: readonly string[];
  readonly body?: readonly string[];
}

/** Header fields and body of a delivery status notification (RFC 3464) that says that a recipient's mailbox is gone. */
function failureReport(recipient: string): { header: readonly string[]; body: readonly string[] } {
  return {
    header: ['MIME-Version: 1.0', 'Content-Type: multipart/report; report-type=delivery-status; boundary=part'],
    body: [
      '--part',
      '',
      'I could not deliver your message.',
      '--part',
      'Content-Type: message/delivery-status',
      '',
      'Reporting-MTA: dns; mail.example.com',
      '',
      `Final-Recipient: rfc822; ${recipient}`,
      'Action: failed',
      'Status: 5.1.1',
      'Diagnostic-Code: smtp; 550 5.1.1 no such user',
      '',
      '--part--',
    ],
  };
}

suite(
  'Mailman 3 behind Postern, before the queue',
  whyNot({ postfix: '/usr/sbin/postfix', mailman3: '/usr/lib/mailman3/bin/master' }),
  () => {
    const sandbox = new Sandbox('mailman3');
    let front = '';
    let postfix: Postfix;
    let postern: Postern;
    let mailman: Mailman;
    let example: Example;
    let toMailman: Tap;
    /** Where everybody else's mail goes: what the list sends out, what is no list's. */
    let world: RecordingServer;

    before(async () => {
      front = await freeAddress();
      const listener = await freeAddress();
      const afterFilter = await freeAddress();
      const lmtp = await freeAddress();
      const tapped = await freeAddress();
      const rest = await freeAddress();
      const elsewhere = await freeAddress();

      example = new Example(sandbox, 'mailman3');
      example.replace('postern.yaml', {
        '127.0.0.1:10025': listener,
        '127.0.0.1:10026': afterFilter,
        '127.0.0.1:8024': tapped,
      });
      world = await RecordingServer.start(sandbox, elsewhere, { protocol: 'smtp' });
      toMailman = await Tap.start(sandbox, tapped, lmtp);
      postfix = await Postfix.start(sandbox, {
        main: example.replace('postfix/main.cf', { '127.0.0.1:8024': lmtp }),
        master: example.replace('postfix/master.cf', {
          'smtp      inet': `${front} inet`,
          '127.0.0.1:10025': listener,
          '127.0.0.1:10026 inet': `${afterFilter} inet`,
        }),
        listens: [front, afterFilter],
        elsewhere,
      });
      mailman = await Mailman.start(sandbox, {
        mta: example.replace('mailman3/mailman.cfg', { '8024': portOf(lmtp), '10026': portOf(afterFilter) }),
        lmtp,
        rest,
      });
      await mailman.post('domains', { mail_host: 'lists.example.org' });
      await mailman.post('lists', { fqdn_listname: LIST });
      for (const subscriber of [ANN, BOB]) {
        const settled = {
          pre_verified: 'true',
          pre_confirmed: 'true',
          pre_approved: 'true',
          send_welcome_message: 'false',
        };
        await mailman.post('members', { list_id: LIST_ID, subscriber, ...settled });
      }
      await mailman.post(`lists/${LIST_ID}/header-matches`, { header: 'x-postern-hold', pattern: '.', action: 'hold' });
      postern = await Postern.start(sandbox, ['--config', example.path('postern.yaml')], [listener]);
    });

    after(() => putAway(sandbox, postern));

    /** A message whose Message-ID is the subject without its blanks. */
    const send = (subject: string, { author, to = LIST, from = author, header = [], body = ['Hello'] }: Mail) => {
      const lines = [
        `From: ${author}`,
        `To: ${to}`,
        `Subject: ${subject}`,
        `Message-ID: <${subject.replaceAll(' ', '.')}@example.net>`,
        'Date: Wed, 25 Nov 2026 14:28:00 +0000',
        ...header,
        '',
        ...body,
      ];
      return submit(front, { from, to: [to], content: Buffer.from(`${lines.join('\r\n')}\r\n`, 'latin1') });
    };
    const assertTaken = (answers: Answers): void => {
      assert.deepEqual(answers.rcpt, ['250 2.1.5 Ok']);
      assert.match(answers.final, /^250 /);
    };
    const outside = (to: string, text: string) =>
      until(`a message to ${to} with ${text}`, () => {
        const found = world.messagesFor(to).find((message) => message.content.includes(text));
        return found ?? null;
      });
    const count = async (path: string) => (await mailman.get(path)).total_size;

    test("the roster is written from Mailman's own members", (t) => {
      t.diagnostic(postfix.version);
      t.diagnostic(mailman.version);
      const script = example.path('mailman3/write-rosters');
      execFileSync('chown', ['-R', 'list:list', example.path(FOLDER)]);
      mailman.run(script, [example.path(FOLDER)]);
      assert.deepEqual(readFileSync(example.path(ROSTER), 'utf8').trim().split('\n').sort(), [ANN, BOB]);
    });

    test("a subscriber's post is accepted in the dialogue, and the other subscriber gets it from the list", async () => {
      const answers = await send('tulips', { author: `Ann <${ANN}>`, from: ANN });
      assertTaken(answers);
      const copy = await outside(BOB, 'tulips');
      assert.match(copy.mail, /^<gardeners-bounces[@+]/);
      assert.match(copy.content.toString('latin1'), /^List-Id: <gardeners\.lists\.example\.org>\r$/m);
      assert.deepEqual(postfix.deliveries(LIST), [], 'no queue before the list');
    });

    test('a stranger is refused in the dialogue, and Mailman never sees it', async () => {
      await until('Mailman to be idle', () =>
        ['in', 'pipeline', 'out'].every((queue) => mailman.queued(queue).length === 0),
      );
      const before = mailman.queued();
      const answers = await send('from a stranger', { author: EVE });
      assert.match(
        answers.final,
        /^550 5\.7\.1 Only subscribers may post to gardeners@lists\.example\.org\. To become one /,
      );
      assert.deepEqual(mailman.queued(), before);
      assert.deepEqual(mailman.holds('from.a.stranger'), []);
      assert.equal(await count(`lists/${LIST_ID}/held`), 0);
      const seen = toMailman.sessions.flatMap(contents).filter((content) => content.includes('from a stranger'));
      assert.deepEqual(seen, []);
    });

    test('hold: it waits for the moderator, and the list does not get it', async () => {
      assertTaken(await send('wheelbarrow for sale', { author: ANN }));
      await until('the moderation queue', async () => (await count(`lists/${LIST_ID}/held`)) === 1);
      const { entries = [] } = await mailman.get(`lists/${LIST_ID}/held`);
      assert.equal(entries[0]?.subject, 'wheelbarrow for sale');
      assert.match(entries[0]?.reason ?? '', /x-postern-hold/i);
      assert.match(entries[0]?.msg ?? '', /X-Postern-Hold: an offer/);
      assert.deepEqual(
        world.messagesFor(BOB).filter((message) => message.content.includes('wheelbarrow')),
        [],
      );
    });

    test('nobody outside can hold a message: the field is removed', async () => {
      assertTaken(await send('forged', { author: ANN, header: ['X-Postern-Hold: gotcha'] }));
      await outside(BOB, 'forged');
    });

    test('a stranger asks for help and asks to join: the list answers', async () => {
      assertTaken(await send('help', { author: EVE, to: 'gardeners-request@lists.example.org' }));
      assertTaken(await send('let me in', { author: EVE, to: 'gardeners-join@lists.example.org' }));
      await outside(EVE, 'Email Address Registration Confirmation');
      const help = await outside(EVE, 'The results of your email command');
      assert.match(help.mail, /^<gardeners-bounces@lists\.example\.org>/);
    });

    test('bounces reach Mailman and are counted: to -bounces, and to the VERP address of a subscriber', async () => {
      const bounces = { [ANN]: 'gardeners-bounces', [BOB]: 'gardeners-bounces+bob=example.com' };
      for (const [subscriber, localPart] of Object.entries(bounces)) {
        const to = `${localPart}@lists.example.org`;
        const bounce = { author: 'MAILER-DAEMON@example.com', from: '', to, ...failureReport(subscriber) };
        assertTaken(await send(`Undelivered Mail ${subscriber.length}`, bounce));
        const member = `lists/${LIST_ID}/member/${subscriber}`;
        await until(
          `the bounce of ${subscriber} to be counted`,
          async () => (await mailman.get(member)).bounce_score === 1,
        );
      }
    });

    test('<> may not post; a list that Mailman does not know is refused at RCPT in its own words', async () => {
      const bounce = await send('to the list itself', { author: 'MAILER-DAEMON@example.com', from: '' });
      assert.match(bounce.final, /^550 5\.7\.1 gardeners@lists\.example\.org takes no bounces/);
      assert.deepEqual(mailman.holds('to.the.list.itself'), []);
      const unknown = await send('no such list', { author: ANN, to: 'weeds@lists.example.org' });
      assert.match(unknown.rcpt[0] ?? '', /^550 5\.\d\.\d Requested action not taken: mailbox unavailable/);
    });

    test('what is no list goes on to Postfix, a bounce too', async () => {
      const bounce = { author: 'MAILER-DAEMON@example.com', from: '', to: 'ann@example.org' };
      assertTaken(await send('for a mailbox', bounce));
      await outside('ann@example.org', 'Subject: for a mailbox');
    });

    test('Mailman away: the client is asked to come again, and then it arrives once', async () => {
      await toMailman.stop();
      const away = await send('patience', { author: ANN });
      assert.match(away.final, /^451 4\.4\.1 /);
      await toMailman.open();
      assertTaken(await send('patience', { author: ANN }));
      await outside(BOB, 'patience');
      assert.equal(world.messagesFor(BOB).filter((message) => message.content.includes('patience')).length, 1);
    });
  },
);
