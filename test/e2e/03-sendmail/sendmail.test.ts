/**
 * sendmail - examples/sendmail with a real Sendmail and a real mail.local: client -> Sendmail -> queue -> Postern -> mailbox,
 * over its three mailers.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { PrivateSystem } from '../private-system.ts';
import { RecordingServer } from '../recording-server.ts';
import { freeAddress, portOf, until } from '../sandbox.ts';
import { MAIL_LOCAL, Sendmail, whyNoSendmail } from '../sendmail.ts';
import { Site } from '../site.ts';
import { suite } from '../suite.ts';

const GARDENERS = 'gardeners@lists.example.org';
const NEWS = 'news@lists.example.org';
const ORCHARD = 'orchard@lists.example.org';
const WEEDS = 'weeds@lists.example.org';
const ANN = 'ann@example.net';
const EDITORS_ONLY = 'news@lists.example.org is for announcements: only its editors may post.';

interface Options {
  /** As in the mailertable. */
  readonly mailer: string;
  readonly deliveryMode?: string;
}

class SendmailSite extends Site<Options> {
  sendmail!: Sendmail;
  mailboxes!: PrivateSystem;

  protected async start({ mailer, deliveryMode = 'background' }: Options): Promise<void> {
    const { sandbox, example } = this;
    const addresses = await Promise.all(Array.from({ length: 4 }, freeAddress));
    const [lmtp = '', smtp = '', elsewhere = '', front = ''] = addresses;
    const sockets = join(sandbox.folder, 'sockets');
    mkdirSync(sockets);
    this.mailboxes = new PrivateSystem(sandbox, 'mailboxes', { users: ['gardeners', 'news', 'orchard'] });
    example.replace('postern.yaml', {
      '127.0.0.1:10024': lmtp,
      '127.0.0.1:10025': smtp,
      'unix:/run/postern/lmtp.sock': `unix:${sockets}/lmtp.sock`,
      '[/usr/bin/setpriv': `[${this.mailboxes.wrapper}, /usr/bin/setpriv`,
      '/usr/libexec/sendmail/mail.local': MAIL_LOCAL,
    });
    example.replace('sendmail/mailers.mc', {
      '$h 10024': `$h ${portOf(lmtp)}`,
      '$h 10025': `$h ${portOf(smtp)}`,
      '/run/postern/lmtp.sock': '/srv/lmtp.sock',
    });
    const table = example.path('sendmail/mailertable');
    example.replace('sendmail/mailertable', { 'postern:[127.0.0.1]\n': `${mailer}\n` });
    this.front = front;
    this.mailHome = await RecordingServer.start(sandbox, elsewhere, { protocol: 'smtp' });
    this.listens = [lmtp, smtp, `unix:${sockets}/lmtp.sock`];
    await this.startPostern();
    this.sendmail = await Sendmail.start(sandbox, {
      features: example.path('sendmail/features.mc'),
      mailers: example.path('sendmail/mailers.mc'),
      mailertable: table,
      relayDomains: example.path('sendmail/relay-domains'),
      listen: front,
      elsewhere,
      srv: sockets,
      deliveryMode,
    });
  }

  /** The mailbox of an account, or nothing. */
  mailbox(account: string): string {
    const file = join(this.mailboxes.mailboxes, account);
    return existsSync(file) ? readFileSync(file, 'latin1') : '';
  }
}

function withSite(name: string, options: Options, run: (site: SendmailSite) => Promise<void>): Promise<void> {
  return new SendmailSite('sendmail', name).use(options, run);
}

suite('Sendmail, Postern, mail.local', whyNoSendmail(), () => {
  for (const [name, mailer] of [
    ['LMTP over TCP', 'postern:[127.0.0.1]'],
    ['LMTP over the unix socket', 'postern_socket:localhost'],
  ] as const) {
    test(`${name}: four recipients in reverse order, each with a verdict of its own`, async (t) => {
      await withSite('sendmail-lmtp', { mailer }, async (site) => {
        t.diagnostic(site.sendmail.version);
        const answers = await site.send('four lists', [GARDENERS, NEWS, ORCHARD, WEEDS]);
        assert.match(answers.final, /^250 2\.0\.0 \S+ Message accepted for delivery/);

        await until('the others to be out of the queue', () => site.sendmail.queued().join() === ORCHARD);
        const [transaction, ...more] = site.postern.transactions;
        assert.deepEqual(more, []);
        assert.deepEqual(
          transaction?.recipients.map(({ to, reply }) => [to, reply.slice(0, 9)]),
          [
            [WEEDS, '550 5.1.1'],
            [ORCHARD, '451 4.7.1'],
            [NEWS, '550 5.7.1'],
            [GARDENERS, '250 2.1.5'],
          ],
        );
        const mailbox = site.mailbox('gardeners');
        assert.match(mailbox, /^From ann@example\.net .*\n/);
        assert.match(mailbox, /^subject: {3}four lists$/im);
        assert.match(mailbox, /^x{998}$/m);
        assert.match(mailbox, /^raw octets: \xe9\xdf\xff$/m);
        assert.equal(site.mailbox('news') + site.mailbox('orchard'), '');

        const bounce = await until('the bounce', () => site.mailHome.messagesFor(ANN)[0] ?? null);
        const text = bounce.content.toString('latin1');
        assert.ok(text.includes(`<<< 550 5.7.1 ${EDITORS_ONLY}`), text);
        assert.ok(text.includes(`Diagnostic-Code: SMTP; 550 5.7.1 ${EDITORS_ONLY}`), text);
        assert.match(text, /Diagnostic-Code: SMTP; 550 5\.1\.1 User unknown/, 'the words of mail.local');
        assert.doesNotMatch(text, /Final-Recipient: RFC822; (gardeners|orchard)@/);

        await site.sendmail.flush();
        assert.deepEqual(site.sendmail.queued(), [ORCHARD]);
        const list = site.example.path('rules/lists/lists.example.org/orchard.yaml');
        writeFileSync(list, `version: 1\nlist: ${ORCHARD}\nrules: []\n`);
        await until('the queue to be empty', async () => {
          await site.sendmail.flush();
          return site.sendmail.queued().length === 0;
        });
        assert.match(site.mailbox('orchard'), /^subject: {3}four lists$/im);
        assert.equal(site.mailbox('gardeners'), mailbox, 'only who was deferred is tried again');
      });
    });
  }

  test('SMTP: lists whose rules differ come one by one, each with an answer of its own', async () => {
    await withSite('sendmail-relay', { mailer: 'postern_relay:[127.0.0.1]' }, async (site) => {
      await site.send('two lists', [GARDENERS, NEWS]);
      await until('the queue to be empty', async () => {
        await site.sendmail.flush();
        return site.sendmail.queued().length === 0;
      });
      assert.equal(site.mailbox('gardeners').match(/^subject: {3}two lists$/gim)?.length, 1);
      const bounce = await until('the bounce', () => site.mailHome.messagesFor(ANN)[0] ?? null);
      assert.ok(bounce.content.toString('latin1').includes(`<<< 550 5.7.1 ${EDITORS_ONLY}`));
      assert.equal(site.mailHome.messages.length, 1);
    });
  });

  test('Postern down: the mail waits in the queue and is delivered once', async () => {
    await withSite('sendmail-down', { mailer: 'postern:[127.0.0.1]' }, async (site) => {
      assert.equal(await site.postern.stop(), 0);
      await site.send('patience', [GARDENERS]);
      await until('the attempt to fail', () => site.sendmail.queue().includes('Deferred: Connection refused'));
      await site.startPostern();
      await until('the queue to be empty', async () => {
        await site.sendmail.flush();
        return site.sendmail.queued().length === 0;
      });
      assert.equal(site.mailbox('gardeners').match(/^subject: {3}patience$/gim)?.length, 1);
    });
  });

  test('interactive delivery is behind the queue too: the client hears 250, the author gets a bounce', async () => {
    const options = { mailer: 'postern:[127.0.0.1]', deliveryMode: 'interactive' };
    await withSite('sendmail-interactive', options, async (site) => {
      assert.match((await site.send('not an editor', [NEWS])).final, /^250 /);
      await until('the bounce', () => site.mailHome.messagesFor(ANN)[0] ?? null);
    });
  });
});
