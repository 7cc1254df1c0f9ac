/**
 * exim - examples/exim with a real Exim: its three ways to Postern from the queue, PRDR among them, and cutthrough delivery,
 * where the remote client hears Postern's own reply.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Exim, whyNoExim } from '../exim.ts';
import { oddMessage } from '../odd-message.ts';
import { RecordingServer } from '../recording-server.ts';
import { freeAddress, portOf, until } from '../sandbox.ts';
import { Site } from '../site.ts';
import { submit } from '../smtp-client.ts';
import { suite } from '../suite.ts';

const GARDENERS = 'gardeners@lists.example.org';
const NEWS = 'news@lists.example.org';
const ORCHARD = 'orchard@lists.example.org';
const ANN = 'ann@example.net';
const EDITORS_ONLY = 'news@lists.example.org is for announcements: only its editors may post.';

interface Options {
  readonly transport: 'postern_now' | 'postern_smtp' | 'postern_lmtp' | 'postern_socket';
  /** Whether Exim asks Postern while the client waits. */
  readonly cutthrough?: boolean;
  /** Changes of the transport file beyond ports and paths. */
  readonly changes?: Readonly<Record<string, string>>;
}

class EximSite extends Site<Options> {
  exim!: Exim;
  listManager!: RecordingServer;

  protected async start({ transport, cutthrough = false, changes = {} }: Options): Promise<void> {
    const { sandbox, example } = this;
    const addresses = await Promise.all(Array.from({ length: 6 }, freeAddress));
    const [now = '', lmtp = '', smtp = '', downstream = '', elsewhere = '', front = ''] = addresses;
    const socket = join(sandbox.folder, 'lmtp.sock');
    example.replace('postern.yaml', {
      '127.0.0.1:10024': lmtp,
      '127.0.0.1:10025': smtp,
      '127.0.0.1:10026': now,
      'unix:/run/postern/lmtp.sock': `unix:${socket}`,
      '127.0.0.1:8024': downstream,
    });
    example.replace('exim/transport', {
      'port = 10024': `port = ${portOf(lmtp)}`,
      'port = 10025': `port = ${portOf(smtp)}`,
      'port = 10026': `port = ${portOf(now)}`,
      '/run/postern/lmtp.sock': socket,
      ...changes,
    });
    example.replace('exim/router', { 'transport = postern_now': `transport = ${transport}` });
    if (transport === 'postern_socket')
      example.replace('exim/router', {
        'driver = manualroute': 'driver = accept',
        '  route_data = 127.0.0.1\n': '',
        '  self = send\n': '',
      });

    this.front = front;
    this.listManager = await RecordingServer.start(sandbox, downstream, { protocol: 'lmtp' });
    this.mailHome = await RecordingServer.start(sandbox, elsewhere, { protocol: 'smtp' });
    this.listens = [now, lmtp, smtp, `unix:${socket}`];
    await this.startPostern();
    this.exim = await Exim.start(sandbox, {
      acl: cutthrough ? example.path('exim/acl') : null,
      router: example.path('exim/router'),
      transport: example.path('exim/transport'),
      listen: front,
      elsewhere,
    });
  }

  arrived(subject: string) {
    return this.listManager.messages.filter((message) => message.content.includes(`subject:   ${subject}\r\n`));
  }

  lastAttempt(to: string) {
    return until(`an attempt to deliver to ${to}`, () => this.exim.deliveries(to).at(-1) ?? null);
  }
}

function withSite(name: string, options: Options, run: (site: EximSite) => Promise<void>): Promise<void> {
  return new EximSite('exim', name).use(options, run);
}

suite("Exim's queue, then Postern", whyNoExim(), () => {
  for (const transport of ['postern_smtp', 'postern_lmtp', 'postern_socket'] as const) {
    test(`${transport}: three recipients, three verdicts, one transaction`, async (t) => {
      await withSite(`exim-${transport}`, { transport }, async (site) => {
        t.diagnostic(site.exim.version);
        const content = oddMessage({ author: ANN, to: [GARDENERS, NEWS, ORCHARD].join(', '), subject: 'three lists' });
        const answers = await submit(site.front, { from: ANN, to: [GARDENERS, NEWS, ORCHARD], content });
        assert.match(answers.final, /^250 OK id=/);

        assert.equal((await site.lastAttempt(GARDENERS)).status, 'delivered');
        const refused = await site.lastAttempt(NEWS);
        assert.equal(refused.status, 'bounced');
        assert.ok(refused.text.includes(`550 5.7.1 ${EDITORS_ONLY} (id `), refused.text);
        const deferred = await site.lastAttempt(ORCHARD);
        assert.equal(deferred.status, 'deferred');
        assert.match(deferred.text, /451 4\.7\.1 orchard@lists\.example\.org is being moved; please try again later\./);
        assert.equal(site.postern.transactions.length, 1);
        assert.equal(site.postern.transactions[0]?.recipients.length, 3);

        const [message, ...others] = site.arrived('three lists');
        assert.deepEqual(message?.recipients, [GARDENERS]);
        assert.deepEqual(others, []);
        assert.deepEqual(message?.content.subarray(message.content.length - content.length), content);

        const bounce = await until('the bounce', () => site.mailHome.messagesFor(ANN)[0] ?? null);
        const text = bounce.content.toString('latin1').replace(/\r\n\s*/g, ' ');
        assert.ok(text.includes(`550 5.7.1 ${EDITORS_ONLY}`), text);
        assert.doesNotMatch(text, /Final-Recipient: rfc822;(gardeners|orchard)@/);

        assert.deepEqual(site.exim.queued(), [ORCHARD]);
        const list = site.example.path('rules/lists/lists.example.org/orchard.yaml');
        writeFileSync(list, `version: 1\nlist: ${ORCHARD}\nrules: []\n`);
        await until('the message for orchard', async () => {
          await site.exim.flush();
          return site.arrived('three lists').length > 1;
        });
        assert.deepEqual(
          site.arrived('three lists').map(({ recipients }) => recipients),
          [[GARDENERS], [ORCHARD]],
        );
        await until('the queue to be empty', () => site.exim.queued().length === 0);
        assert.equal(site.exim.deliveries(GARDENERS).length, 1);
      });
    });
  }

  test('a client that does not ask for PRDR is told to send separately, and Exim does', async () => {
    const changes = { '\n\n# From the queue: LMTP over TCP': '\n  hosts_try_prdr =\n\n# LMTP over TCP' };
    await withSite('exim-split', { transport: 'postern_smtp', changes }, async (site) => {
      await site.send('apart', [GARDENERS, NEWS]);
      await until('both to be answered for good', async () => {
        await site.exim.flush();
        return site.exim.queued().length === 0;
      });
      assert.equal(site.exim.deliveries(GARDENERS).at(-1)?.status, 'delivered');
      assert.equal(site.exim.deliveries(NEWS).at(-1)?.status, 'bounced');
      assert.equal(site.arrived('apart').length, 1);
    });
  });

  test('Postern down: the mail waits in the queue and is delivered once', async () => {
    await withSite('exim-down', { transport: 'postern_lmtp' }, async (site) => {
      assert.equal(await site.postern.stop(), 0);
      await site.send('patience', [GARDENERS]);
      assert.equal((await site.lastAttempt(GARDENERS)).status, 'deferred');
      await site.startPostern();
      await until('the message', async () => {
        await site.exim.flush();
        return site.exim.queued().length === 0;
      });
      assert.equal(site.arrived('patience').length, 1);
    });
  });
});

suite("Postern while Exim's client waits: cutthrough delivery", whyNoExim(), () => {
  const options = { transport: 'postern_now', cutthrough: true } as const;

  test('the client hears what Postern says; nothing is queued, nothing bounces', async (t) => {
    await withSite('exim-cutthrough', options, async (site) => {
      t.diagnostic(site.exim.version);
      const taken = await site.send('tulips', [GARDENERS]);
      assert.match(taken.final, /^250 /);
      assert.equal(site.arrived('tulips').length, 1, 'it was there before the client heard 250');

      const refused = await site.send('not an editor', [NEWS]);
      assert.ok(refused.final.startsWith(`550 5.7.1 ${EDITORS_ONLY} (id `), refused.final);

      const atRcpt = await site.send('offers', [GARDENERS], 'x@bulk.example');
      assert.match(atRcpt.rcpt[0] ?? '', /^550/);
      assert.match(atRcpt.rcpt[0] ?? '', /550 5\.7\.1 Mail from x@bulk\.example is not accepted here\./);

      const later = await site.send('not yet', [ORCHARD]);
      assert.match(later.rcpt[0] ?? '', /^451 /, 'in words of Exim: the reason is in its log');
      assert.match(site.exim.log(), /temporarily rejected RCPT <orchard@\S+ .*451 4\.7\.1 orchard@\S+ is being moved/);

      const both = await site.send('two lists', [GARDENERS, NEWS]);
      assert.deepEqual(
        both.rcpt.map((answer) => answer.slice(0, 3)),
        ['250', '250'],
      );
      assert.match(both.final, /^550 5\.7\.1 Delivered to nobody, because of <news@lists\.example\.org>: /);
      assert.deepEqual(site.arrived('two lists'), []);

      assert.deepEqual(site.exim.queued(), []);
      assert.deepEqual(site.mailHome.messages, []);
    });
  });

  test('Postern or the list manager down: the client keeps its message', async () => {
    await withSite('exim-cut-down', options, async (site) => {
      await site.listManager.stop();
      assert.match((await site.send('nobody there', [GARDENERS])).final, /^4\d\d /);
      assert.equal(await site.postern.stop(), 0);
      assert.match((await site.send('nobody at all', [GARDENERS])).rcpt[0] ?? '', /^451 /);
      assert.deepEqual(site.exim.queued(), []);
    });
  });
});
