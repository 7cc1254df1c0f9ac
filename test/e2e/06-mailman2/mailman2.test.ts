/**
 * mailman2 - examples/mailman2 with a stand-in for Mailman's wrapper: how it is run, what each of its exit codes becomes,
 * and, where Postfix is installed, what Postfix makes of that.
 */
import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Example } from '../example.ts';
import { submitLmtp } from '../lmtp-client.ts';
import { oddMessage } from '../odd-message.ts';
import { Postern, putAway } from '../postern.ts';
import { Postfix, whyNoPostfix } from '../postfix.ts';
import { RecordingServer } from '../recording-server.ts';
import { freeAddress, Sandbox, until } from '../sandbox.ts';
import { submit } from '../smtp-client.ts';
import { suite } from '../suite.ts';

const DOMAIN = 'lists.example.org';
const GARDENERS = `gardeners@${DOMAIN}`;
const ANN = 'ann@example.net';
const WRAPPER = '/var/lib/mailman/mail/mailman';

/** One run of the wrapper. */
interface Run {
  readonly args: string;
  readonly content: Buffer;
}

interface Site {
  readonly sandbox: Sandbox;
  readonly example: Example;
  readonly listener: string;
  readonly postern: Postern;
  runs(): readonly Run[];
}

/** The example with the stand-in in the wrapper's place. */
async function startSite(name: string): Promise<Site> {
  const sandbox = new Sandbox(name);
  const listener = await freeAddress();
  const folder = join(sandbox.folder, 'mail');
  mkdirSync(join(folder, 'runs'), { recursive: true });
  const standIn = join(folder, 'mailman');
  copyFileSync(resolve('test', 'e2e', '06-mailman2', 'mailman'), standIn);
  chmodSync(standIn, 0o755);
  const example = new Example(sandbox, 'mailman2');
  example.replace('postern.yaml', { '127.0.0.1:10024': listener, [WRAPPER]: standIn });
  const postern = await Postern.start(sandbox, ['--config', example.path('postern.yaml')], [listener]);
  const runs = (): readonly Run[] =>
    readdirSync(join(folder, 'runs'))
      .filter((file) => !file.startsWith('.'))
      .map((file) => {
        const kept = readFileSync(join(folder, 'runs', file));
        const end = kept.indexOf('\n');
        return { args: kept.toString('latin1', 0, end), content: kept.subarray(end + 1) };
      });
  return { sandbox, example, listener, postern, runs };
}

const post = (subject: string, author = ANN): Buffer => oddMessage({ author, to: GARDENERS, subject });
const withSubject = (runs: readonly Run[], subject: string): readonly Run[] =>
  runs.filter(({ content }) => content.includes(`subject:   ${subject}\n`));

describe("Mailman 2.1's pipe interface", () => {
  let site: Site;
  before(async () => {
    site = await startSite('mailman2');
  });
  after(() => putAway(site.sandbox, site.postern));

  const send = (subject: string, to: readonly string[], author?: string) =>
    submitLmtp(site.listener, { from: author ?? ANN, to, content: post(subject, author) });

  test('each address runs what its alias would run', async (t) => {
    t.diagnostic('with a stand-in for the wrapper: Debian does not package Mailman 2.1 any more');
    const aliases = [...readFileSync(site.example.path('aliases'), 'utf8').matchAll(/^(\S+):\s+"\|(\S+) (.*)"$/gm)];
    assert.equal(aliases.length, 10);
    const same: Readonly<Record<string, string>> = { subscribe: 'join', unsubscribe: 'leave' };
    for (const [, name = '', program, args = ''] of aliases) {
      const [command = '', list] = args.split(' ');
      if (command === 'admin') continue;
      assert.equal(program, WRAPPER);
      const { final } = await send(`to ${name}`, [`${name}@${DOMAIN}`]);
      assert.match(final[0] ?? '', /^250 2\.0\.0 /);
      const runs = withSubject(site.runs(), `to ${name}`);
      assert.deepEqual(
        runs.map((run) => run.args),
        [`${same[command] ?? command} ${list}`],
      );
    }
  });

  test('a bounce to a VERP address reaches the bounce runner, from the null reverse-path', async () => {
    const to = [`gardeners-bounces+ann=example.net@${DOMAIN}`];
    const { final } = await submitLmtp(site.listener, {
      from: '',
      to,
      content: post('a bounce', 'mailer@bulk.example'),
    });
    assert.match(final[0] ?? '', /^250 2\.0\.0 /);
    assert.deepEqual(
      withSubject(site.runs(), 'a bounce').map((run) => run.args),
      ['bounces gardeners'],
    );
  });

  test('the content arrives as it was, lines ending in LF; one run for each recipient', async () => {
    const { final } = await send('two roles', [GARDENERS, `gardeners-owner@${DOMAIN}`]);
    for (const answer of final) assert.match(answer, /^250 2\.0\.0 /);
    const runs = withSubject(site.runs(), 'two roles');
    assert.deepEqual(runs.map((run) => run.args).sort(), ['owner gardeners', 'post gardeners']);
    const expected = post('two roles').toString('latin1').replaceAll('\r\n', '\n');
    for (const run of runs) assert.equal(run.content.toString('latin1'), expected);
  });

  test('a refusal by rule: Mailman is not run', async () => {
    const { final } = await send('buy now', [GARDENERS]);
    assert.match(final[0] ?? '', /^550 5\.7\.1 gardeners@lists\.example\.org takes no advertising\. \(id \S+\)$/);
    assert.deepEqual(withSubject(site.runs(), 'buy now'), []);
  });

  test("a stranger's post carries the field that Mailman's spam filter holds", async () => {
    const { final } = await send('first post', [GARDENERS], 'eve@example.com');
    assert.match(final[0] ?? '', /^250 /);
    const [run] = withSubject(site.runs(), 'first post');
    assert.match(run?.content.toString('latin1') ?? '', /^X-Postern-Hold: .*not a member/m);
  });

  test('every exit code has its reply, all in one transaction', async () => {
    // sysexits.h beside what Mailman's wrapper itself ends with (1 to 8), which says nothing of the message.
    const refusals: Readonly<Record<number, string>> = {
      64: '550 5.3.5',
      65: '550 5.6.0',
      66: '550 5.3.0',
      67: '550 5.1.1',
      68: '550 5.1.2',
      69: '550 5.3.0',
      70: '550 5.3.0',
      77: '550 5.7.1',
      78: '550 5.3.5',
    };
    const codes = [0, 1, 2, 3, 4, 5, 6, 8, 64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77, 78, 126, 127, 255];
    const lists = [...codes.map((code) => `exit-${code}`), 'killed'];
    const { final } = await send(
      'exit codes',
      lists.map((list) => `${list}@${DOMAIN}`),
    );
    const expected = [
      ...codes.map((code) => (code === 0 ? '250 2.0.0' : (refusals[code] ?? '451 4.3.0'))),
      '451 4.3.0',
    ];
    assert.deepEqual(
      final.map((answer) => answer.slice(0, 9)),
      expected,
    );
    assert.equal(withSubject(site.runs(), 'exit codes').length, lists.length);
  });

  test('what cannot be an argument is refused, and nothing is run', async () => {
    const before = site.runs().length;
    const { final } = await send('odd names', [`"-x"@${DOMAIN}`, `"../../bin/sh"@${DOMAIN}`]);
    for (const answer of final) assert.match(answer, /^550 5\.1\.3 /);
    assert.equal(site.runs().length, before);
  });
});

suite("Postfix, Postern and Mailman 2.1's pipe", whyNoPostfix(), () => {
  let site: Site;
  let front = '';
  let postfix: Postfix;
  let mailHome: RecordingServer;

  before(async () => {
    site = await startSite('mailman2-postfix');
    front = await freeAddress();
    const elsewhere = await freeAddress();
    mailHome = await RecordingServer.start(site.sandbox, elsewhere, { protocol: 'smtp' });
    postfix = await Postfix.start(site.sandbox, {
      main: site.example.replace('postfix/main.cf', {
        '127.0.0.1:10024': site.listener,
        '/etc/postfix/virtual.regexp': site.example.path('postfix/virtual.regexp'),
      }),
      master: `${front} inet n - n - - smtpd\n`,
      listens: [front],
      elsewhere,
    });
  });
  after(() => putAway(site.sandbox, site.postern));

  const send = async (subject: string, to: readonly string[]): Promise<void> => {
    const answers = await submit(front, { from: ANN, to, content: post(subject) });
    assert.match(answers.final, /^250 2\.0\.0 Ok: queued as /);
  };
  const lastAttempt = (to: string) =>
    until(`an attempt to deliver to ${to}`, () => postfix.deliveries(to).at(-1) ?? null);

  test("delivered, bounced with our words, kept: as each run's exit code says", async (t) => {
    t.diagnostic(postfix.version);
    const [refused, later] = [`exit-77@${DOMAIN}`, `exit-1@${DOMAIN}`];
    await send('three runs', [GARDENERS, refused, later]);
    assert.equal((await lastAttempt(GARDENERS)).status, 'sent');
    const bounced = await lastAttempt(refused);
    assert.equal(bounced.status, 'bounced');
    assert.equal(bounced.dsn, '5.7.1');
    assert.equal((await lastAttempt(later)).status, 'deferred');
    const bounce = await until('the bounce', () => mailHome.messagesFor(ANN)[0] ?? null);
    assert.match(
      bounce.content.toString('latin1').replace(/\r\n\s*/g, ' '),
      /550 5\.7\.1 You are not permitted to send/,
    );
    await until('the queue to hold nothing else', () => postfix.queued().join() === later);
  });

  test('LIST-admin is LIST-owner by then', async () => {
    await send('to the admin', [`gardeners-admin@${DOMAIN}`]);
    const runs = await until('the run', () => {
      const found = site.runs().filter(({ content }) => content.includes('subject:   to the admin\n'));
      return found.length > 0 ? found : null;
    });
    assert.deepEqual(
      runs.map((run) => run.args),
      ['owner gardeners'],
    );
  });
});
