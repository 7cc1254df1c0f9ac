/**
 * sendmail - examples/sendmail with a real Sendmail and a real mail.local: client -> Sendmail -> queue -> Postern -> mailbox,
 * over its three mailers.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Example } from '../example.ts';
import { oddMessage } from '../odd-message.ts';
import { Postern } from '../postern.ts';
import { PrivateSystem } from '../private-system.ts';
import { RecordingServer } from '../recording-server.ts';
import { freeAddress, Sandbox, until } from '../sandbox.ts';
import { type Answers, submit } from '../smtp-client.ts';
import { MAIL_LOCAL, Sendmail, whyNoSendmail } from '../sendmail.ts';
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

class Site {
  readonly sandbox: Sandbox;
  readonly example: Example;
  front = '';
  sendmail!: Sendmail;
  postern!: Postern;
  mailboxes!: PrivateSystem;
  mailHome!: RecordingServer;
  startPostern!: () => Promise<Postern>;

  constructor(name: string) {
    this.sandbox = new Sandbox(name);
    this.example = new Example(this.sandbox, 'sendmail');
  }

  async start({ mailer, deliveryMode = 'background' }: Options): Promise<void> {
    const { sandbox, example } = this;
    const addresses = await Promise.all(Array.from({ length: 4 }, freeAddress));
    const [lmtp = '', smtp = '', elsewhere = '', front = ''] = addresses;
    const port = (address: string): string => address.slice(address.lastIndexOf(':') + 1);
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
      '$h 10024': `$h ${port(lmtp)}`,
      '$h 10025': `$h ${port(smtp)}`,
      '/run/postern/lmtp.sock': '/srv/lmtp.sock',
    });
    const table = example.path('sendmail/mailertable');
    example.replace('sendmail/mailertable', { 'postern:[127.0.0.1]\n': `${mailer}\n` });
    this.front = front;
    this.mailHome = await RecordingServer.start(elsewhere, { protocol: 'smtp' });
    sandbox.onClose(() => this.mailHome.stop());
    this.startPostern = () =>
      Postern.start(sandbox, ['--config', example.path('postern.yaml')], [lmtp, smtp, `unix:${sockets}/lmtp.sock`]);
    this.postern = await this.startPostern();
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

  send(subject: string, to: readonly string[], from = ANN): Promise<Answers> {
    return submit(this.front, { from, to, content: oddMessage({ author: from, to: to.join(', '), subject }) });
  }

  /** The mailbox of an account, or nothing. */
  mailbox(account: string): string {
    const file = join(this.mailboxes.mailboxes, account);
    return existsSync(file) ? readFileSync(file, 'latin1') : '';
  }

  async stop(): Promise<void> {
    const status = await this.postern.stop();
    await this.sandbox.close();
    assert.equal(status, 0, 'Postern ends with exit code 0 on SIGTERM');
  }
}

async function withSite(name: string, options: Options, run: (site: Site) => Promise<void>): Promise<void> {
  const site = new Site(name);
  try {
    await site.start(options);
    await run(site);
  } catch (error) {
    await site.sandbox.close();
    throw error;
  }
  await site.stop();
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
      site.postern = await site.startPostern();
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
