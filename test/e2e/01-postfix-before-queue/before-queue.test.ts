/**
 * before-queue - examples/postfix-before-queue with a real Postfix: client -> smtpd -> Postern -> smtpd -> queue -> list
 * manager. What the remote client is told, and what arrives.
 *
 * A tap stands before Postern and one behind it: what Postfix sent and what Postfix got are compared octet for octet.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Example } from '../example.ts';
import { oddMessage } from '../odd-message.ts';
import { Postern, putAway } from '../postern.ts';
import { Postfix, whyNoPostfix } from '../postfix.ts';
import { RecordingServer } from '../recording-server.ts';
import { freeAddress, Sandbox, until } from '../sandbox.ts';
import { SmtpClient, submit } from '../smtp-client.ts';
import { suite } from '../suite.ts';
import { contents, Tap } from '../tap.ts';

const GARDENERS = 'gardeners@lists.example.org';
const NEWS = 'news@lists.example.org';
const FRIEND = 'NAME=mail.example.net ADDR=192.0.2.10 PORT=40001 HELO=mail.example.net PROTO=ESMTP';
const NAMELESS = 'NAME=[UNAVAILABLE] ADDR=203.0.113.9 PORT=40003 HELO=[203.0.113.9] PROTO=ESMTP';
const BLOCKED = 'NAME=[UNAVAILABLE] ADDR=198.51.100.66 PORT=40002 HELO=bulk.example PROTO=ESMTP';

suite('Postfix smtpd_proxy_filter in front of Postern', whyNoPostfix(), () => {
  const sandbox = new Sandbox('before-queue');
  let front = '';
  let config = '';
  let listener = '';
  let postfix: Postfix;
  let postern: Postern;
  let listManager: RecordingServer;
  /** The author's own mail server: a remote client with a queue. */
  let authorsPostfix: Postfix;
  let authorsDoor = '';
  /** Mailboxes of authors, as their own mail server reaches them. */
  let authorsHome: RecordingServer;
  /** Everybody whom our Postfix could send something to. */
  let elsewhere: RecordingServer;
  let tapBefore: Tap;
  let tapBehind: Tap;

  before(async () => {
    front = await freeAddress();
    listener = await freeAddress();
    const toPostern = await freeAddress();
    const toAfterFilter = await freeAddress();
    const afterFilter = await freeAddress();
    const lmtp = await freeAddress();
    const world = await freeAddress();
    const home = await freeAddress();
    authorsDoor = await freeAddress();

    const example = new Example(sandbox, 'postfix-before-queue');
    example.replace('postern.yaml', { '127.0.0.1:10025': listener, '127.0.0.1:10026': toAfterFilter });
    config = example.path('postern.yaml');

    listManager = await RecordingServer.start(sandbox, lmtp, { protocol: 'lmtp' });
    elsewhere = await RecordingServer.start(sandbox, world, { protocol: 'smtp' });
    authorsHome = await RecordingServer.start(sandbox, home, { protocol: 'smtp' });
    tapBefore = await Tap.start(sandbox, toPostern, listener);
    tapBehind = await Tap.start(sandbox, toAfterFilter, afterFilter);
    postfix = await Postfix.start(sandbox, {
      main: example.replace('postfix/main.cf', { '127.0.0.1:8024': lmtp }),
      master: example.replace('postfix/master.cf', {
        'smtp      inet': `${front} inet`,
        'smtpd_proxy_filter=127.0.0.1:10025': `smtpd_proxy_filter=${toPostern}`,
        '127.0.0.1:10026 inet': `${afterFilter} inet`,
      }),
      listens: [front, afterFilter],
      elsewhere: world,
    });
    authorsPostfix = await Postfix.start(sandbox, {
      name: 'authors-postfix',
      main: `myhostname = mail.example.net
transport_maps = inline:{ { lists.example.org = smtp:${front.replace(/^(.*):/, '[$1]:')} } }\n`,
      master: `${authorsDoor} inet n - n - - smtpd\n`,
      listens: [authorsDoor],
      elsewhere: home,
    });
    postern = await Postern.start(sandbox, ['--config', config], [listener]);
  });

  after(() => putAway(sandbox, postern));

  const send = (subject: string, more: { author?: string; from?: string; to: readonly string[]; xclient?: string }) => {
    const author = more.author ?? 'ann@example.net';
    return submit(front, {
      from: more.from ?? author,
      to: more.to,
      content: oddMessage({ author, to: more.to.join(', '), subject }),
      xclient: more.xclient ?? FRIEND,
    });
  };
  const arrived = (subject: string) =>
    listManager.messages.filter((message) => message.content.includes(`subject:   ${subject}\r\n`));
  /** What XFORWARD said of the client of that message, sorted; without IDENT, which is each hop's own. */
  const forwarded = (tap: Tap, subject: string): readonly string[] => {
    const transactions = tap.sessions.flatMap((session) => session.fromClient.split('\r\n.\r\n'));
    const transaction = transactions.find((one) => one.includes(`subject:   ${subject}\r\n`)) ?? '';
    const lines = transaction.match(/^XFORWARD .*$/gm) ?? [];
    const attributes = lines.flatMap((line) => line.trim().split(' ').slice(1));
    return attributes.filter((attribute) => !attribute.startsWith('IDENT=')).sort();
  };
  /** Nothing of a message is behind Postern: no content was ever committed to the after-filter smtpd. */
  const assertStopped = (subject: string): void => {
    const behind = tapBehind.sessions.flatMap(contents).filter((content) => content.includes(subject));
    assert.deepEqual(behind, []);
    assert.deepEqual(arrived(subject), []);
  };

  test('an accepted message: the reply is the one of the queue, the octets are the same', async (t) => {
    t.diagnostic(postfix.version);
    const answers = await send('tulips', { to: [GARDENERS] });
    assert.deepEqual(answers.rcpt, ['250 2.1.5 Ok']);
    assert.match(answers.final, /^250 2\.0\.0 Ok: queued as \w+$/);

    const message = await until('the list manager to get it', () => arrived('tulips')[0] ?? null);
    assert.deepEqual(message.recipients, [GARDENERS]);
    const original = oddMessage({ author: 'ann@example.net', to: GARDENERS, subject: 'tulips' });
    assert.deepEqual(message.content.subarray(message.content.length - original.length), original);

    const [sent] = tapBefore.sessions.flatMap(contents);
    const [got] = tapBehind.sessions.flatMap(contents);
    assert.ok(sent?.endsWith(original.toString('latin1')), 'the tap saw what Postfix sent');
    assert.equal(got, sent, 'what Postern sent on is what Postfix had sent');
  });

  test('the after-filter smtpd hears who the remote client is, in full', async () => {
    const clients = {
      'who is it': [FRIEND, 'mail.example.net[192.0.2.10]', '192.0.2.10'],
      'who is it without a name': [NAMELESS, 'unknown[203.0.113.9]', '203.0.113.9'],
    };
    for (const [subject, [xclient = '', logged = '', address]] of Object.entries(clients)) {
      const { final } = await send(subject, { to: [GARDENERS], xclient });
      assert.match(final, /^250 /);
      await until('the list manager to get it', () => arrived(subject).length > 0);
      assert.equal(forwarded(tapBefore, subject).length, 6, 'NAME ADDR PORT HELO PROTO SOURCE');
      assert.deepEqual(forwarded(tapBehind, subject), forwarded(tapBefore, subject));
      assert.ok(postfix.log().includes(`orig_client=${logged}`), `the log names ${logged}`);
      await until(`a log record of ${address}`, () => postern.transactions.some(({ client }) => client === address));
    }
  });

  test('a client_ip rule refuses every RCPT of the client that Postfix names', async () => {
    const answers = await send('from a blocked network', { to: [GARDENERS, NEWS], xclient: BLOCKED });
    for (const reply of answers.rcpt) {
      assert.match(reply, /^550 5\.7\.1 Mail from your network is not accepted here\. \(id \S+\)$/);
    }
    assertStopped('from a blocked network');
  });

  test('a recipient refused at RCPT does not keep the other from its mail', async () => {
    const answers = await send('half of it', { to: [NEWS, GARDENERS] });
    assert.match(
      answers.rcpt[0] ?? '',
      /^550 5\.7\.1 news@lists\.example\.org is for announcements: only its editors may post\./,
    );
    assert.equal(answers.rcpt[1], '250 2.1.5 Ok');
    assert.match(answers.final, /^250 /);
    const message = await until('the list manager to get it', () => arrived('half of it')[0] ?? null);
    assert.deepEqual(message.recipients, [GARDENERS]);
  });

  test('a refusal after the dot is told to the remote client; the log says the same, and which rule it was', async () => {
    const answers = await send('from a stranger', { author: 'eve@example.com', to: [GARDENERS] });
    assert.deepEqual(answers.rcpt, ['250 2.1.5 Ok']);
    assert.match(answers.final, /^550 5\.7\.1 Only subscribers may post to gardeners@lists\.example\.org\./);
    assertStopped('from a stranger');

    const [, id = ''] = /\(id (\w+)\)/.exec(answers.final) ?? [];
    const record = await until('the log record', () => postern.transactions.find((one) => one.id === id) ?? null);
    assert.equal(record.client, '192.0.2.10');
    const [recipient] = record.recipients;
    assert.deepEqual(
      [recipient?.to, recipient?.rule, recipient?.verdict, recipient?.downstream],
      [GARDENERS, 'members-only', 'reject', null],
    );
    assert.equal(recipient?.reply, answers.final);
  });

  test('two lists whose answers may differ: the second is asked for in a message of its own', async () => {
    const both = { author: 'eve@example.com', from: 'editor@example.org' };
    const answers = await send('one of two', { ...both, to: [NEWS, GARDENERS] });
    assert.equal(answers.rcpt[0], '250 2.1.5 Ok');
    assert.match(answers.rcpt[1] ?? '', /^452 4\.5\.3 /);
    assert.match(answers.final, /^250 2\.0\.0 Ok: queued as \w+$/);
    const other = await send('the other of two', { ...both, to: [GARDENERS] });
    assert.match(other.final, /^550 5\.7\.1 Only subscribers may post to gardeners@lists\.example\.org\./);
    assertStopped('the other of two');
  });

  test("the author's own server: each list's answer is its own, and the author hears of it from there", async () => {
    const to = [GARDENERS, NEWS];
    const content = oddMessage({ author: 'eve@example.com', to: to.join(', '), subject: 'from afar' });
    await submit(authorsDoor, { from: 'editor@example.org', to, content });
    await authorsPostfix.emptied();
    assert.equal(authorsPostfix.deliveries(NEWS).at(-1)?.status, 'sent');
    const refused = authorsPostfix.deliveries(GARDENERS).at(-1);
    assert.equal(refused?.status, 'bounced');
    assert.match(
      refused?.reason ?? '',
      /said: 550 5\.7\.1 Only subscribers may post to gardeners@lists\.example\.org\./,
    );

    const bounce = await until('the bounce', () => authorsHome.messagesFor('editor@example.org')[0] ?? null);
    assert.match(bounce.content.toString('latin1'), /^Reporting-MTA: dns; mail\.example\.net\r$/m);
    await until('the list manager to get it', () => arrived('from afar')[0] ?? null);
    assert.deepEqual(
      arrived('from afar').map((message) => message.recipients),
      [[NEWS]],
    );
    assert.deepEqual(elsewhere.messages, [], 'our Postfix sent no bounce');
  });

  test("Postern down: the mail waits in the queue of the author's own server and arrives once", async () => {
    assert.equal(await postern.stop(), 0);
    await tapBefore.stop();
    const content = oddMessage({ author: 'ann@example.net', to: GARDENERS, subject: 'waiting' });
    const attempts = authorsPostfix.deliveries(GARDENERS).length;
    await submit(authorsDoor, { from: 'ann@example.net', to: [GARDENERS], content });
    await until('the attempt to fail', () => authorsPostfix.deliveries(GARDENERS).length > attempts);
    const failed = authorsPostfix.deliveries(GARDENERS).at(-1);
    assert.equal(failed?.status, 'deferred');
    assert.match(failed?.reason ?? '', /said: 451 4\.3\.0 /);
    assert.deepEqual(authorsPostfix.queued(), [GARDENERS]);

    await tapBefore.open();
    postern = await Postern.start(sandbox, ['--config', config], [listener]);
    await authorsPostfix.emptied();
    await postfix.emptied();
    assert.equal(arrived('waiting').length, 1);
  });

  test('Postern ends in the middle of the content: 451, and nothing of it arrives', async () => {
    const client = await SmtpClient.open(front);
    await client.command('EHLO mail.example.net');
    await client.command('MAIL FROM:<ann@example.net>');
    assert.equal(await client.command(`RCPT TO:<${GARDENERS}>`), '250 2.1.5 Ok');
    assert.match(await client.command('DATA'), /^354 /);
    client.writeContent(oddMessage({ author: 'ann@example.net', to: GARDENERS, subject: 'cut off' }));
    await until('Postern to be asked', () => tapBefore.sessions.at(-1)?.fromClient.includes('DATA') ?? false);
    await postern.kill();
    assert.match(await client.command('.'), /^451 4\.3\.0 /);
    client.close();
    assertStopped('cut off');
    postern = await Postern.start(sandbox, ['--config', config], [listener]);
  });

  test('Postern down: 451 at RCPT; the client comes again later and nothing is lost or doubled', async () => {
    assert.equal(await postern.stop(), 0);
    await tapBefore.stop();
    const down = await send('patience', { to: [GARDENERS] });
    assert.match(down.rcpt[0] ?? '', /^451 4\.3\.0 /);
    await tapBefore.open();
    postern = await Postern.start(sandbox, ['--config', config], [listener]);
    const up = await send('patience', { to: [GARDENERS] });
    assert.match(up.final, /^250 2\.0\.0 Ok: queued as /);
    await until('the list manager to get it', () => arrived('patience').length > 0);
    assert.equal(arrived('patience').length, 1);
  });

  test('the after-filter smtpd down: 451, the client keeps its message', async () => {
    await tapBehind.stop();
    const answers = await send('no way out', { to: [GARDENERS] });
    assert.match(answers.final, /^451 4\.\d\.\d /);
    await tapBehind.open();
    assertStopped('no way out');
    const again = await send('no way out', { to: [GARDENERS] });
    assert.match(again.final, /^250 2\.0\.0 Ok: queued as /);
    await until('the list manager to get it', () => arrived('no way out').length > 0);
  });
});

suite('Postfix with speed_adjust, and refuse_at: data', whyNoPostfix(), () => {
  const sandbox = new Sandbox('speed-adjust');
  let front = '';
  let postern: Postern;
  let listManager: RecordingServer;
  let startPostern: () => Promise<Postern>;

  before(async () => {
    front = await freeAddress();
    const listener = await freeAddress();
    const afterFilter = await freeAddress();
    const lmtp = await freeAddress();
    const example = new Example(sandbox, 'postfix-before-queue');
    example.replace('postern-speed-adjust.yaml', { '127.0.0.1:10025': listener, '127.0.0.1:10026': afterFilter });
    listManager = await RecordingServer.start(sandbox, lmtp, { protocol: 'lmtp' });
    await Postfix.start(sandbox, {
      main: example.replace('postfix/main.cf', { '127.0.0.1:8024': lmtp }),
      master: example.replace('postfix/master-speed-adjust.cf', {
        'smtp      inet': `${front} inet`,
        '127.0.0.1:10025': listener,
        '127.0.0.1:10026 inet': `${afterFilter} inet`,
      }),
      listens: [front, afterFilter],
      elsewhere: await freeAddress(),
    });
    startPostern = () => Postern.start(sandbox, ['--config', example.path('postern-speed-adjust.yaml')], [listener]);
    postern = await startPostern();
  });

  after(async () => {
    await postern?.stop();
    await sandbox.close();
  });

  const send = (subject: string, more: { author?: string; to: readonly string[]; xclient?: string }) => {
    const author = more.author ?? 'ann@example.net';
    const content = oddMessage({ author, to: more.to.join(', '), subject });
    return submit(front, { from: 'editor@example.org', content, xclient: FRIEND, ...more });
  };
  const arrived = (subject: string) =>
    listManager.messages.filter((message) => message.content.includes(`subject:   ${subject}\r\n`));

  test('an accepted message reaches both lists in one transaction', async () => {
    const answers = await send('speedy', { to: [GARDENERS, NEWS] });
    assert.deepEqual(answers.rcpt, ['250 2.1.5 Ok', '250 2.1.5 Ok']);
    assert.match(answers.final, /^250 2\.0\.0 Ok: queued as \w+$/);
    const message = await until('the list manager to get it', () => arrived('speedy')[0] ?? null);
    assert.deepEqual(message.recipients, [GARDENERS, NEWS]);
  });

  test('a refusal by the envelope is told after the dot, for the message as a whole', async () => {
    const answers = await send('blocked', { to: [GARDENERS, NEWS], xclient: BLOCKED });
    assert.deepEqual(answers.rcpt, ['250 2.1.5 Ok', '250 2.1.5 Ok']);
    assert.match(answers.final, /^550.5\.7\.1 .*Mail from your network is not accepted here/);
  });

  test('one list refuses by the content: its refusal stands for all and names the list, nothing is delivered', async () => {
    const answers = await send('one of two', { author: 'eve@example.com', to: [NEWS, GARDENERS] });
    assert.deepEqual(answers.rcpt, ['250 2.1.5 Ok', '250 2.1.5 Ok']);
    assert.match(answers.final.split('\n')[0] ?? '', /^550[ -]5\.7\.1 .*gardeners@lists\.example\.org/);
    assert.deepEqual(arrived('one of two'), []);
  });

  test('Postern down: 451 after the dot; the client comes again later and nothing is lost or doubled', async () => {
    assert.equal(await postern.stop(), 0);
    const down = await send('patience', { to: [GARDENERS] });
    assert.deepEqual(down.rcpt, ['250 2.1.5 Ok']);
    assert.match(down.final, /^451 4\.3\.0 /);
    postern = await startPostern();
    assert.match((await send('patience', { to: [GARDENERS] })).final, /^250 /);
    await until('the list manager to get it', () => arrived('patience').length > 0);
    assert.equal(arrived('patience').length, 1);
  });
});
