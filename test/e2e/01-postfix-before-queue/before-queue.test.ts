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
import { Postern } from '../postern.ts';
import { Postfix, whyNoPostfix } from '../postfix.ts';
import { RecordingServer } from '../recording-server.ts';
import { freeAddress, Sandbox, until } from '../sandbox.ts';
import { SmtpClient, submit } from '../smtp-client.ts';
import { suite } from '../suite.ts';
import { contents, Tap } from '../tap.ts';

const GARDENERS = 'gardeners@lists.example.org';
const NEWS = 'news@lists.example.org';
const FRIEND = 'NAME=mail.example.net ADDR=192.0.2.10 PORT=40001 HELO=mail.example.net PROTO=ESMTP';
const BLOCKED = 'NAME=[UNAVAILABLE] ADDR=198.51.100.66 PORT=40002 HELO=bulk.example PROTO=ESMTP';

suite('Postfix smtpd_proxy_filter in front of Postern', whyNoPostfix(), () => {
  const sandbox = new Sandbox('before-queue');
  let front = '';
  let config = '';
  let listener = '';
  let postfix: Postfix;
  let postern: Postern;
  let listManager: RecordingServer;
  let tapBefore: Tap;
  let tapBehind: Tap;

  before(async () => {
    front = await freeAddress();
    listener = await freeAddress();
    const toPostern = await freeAddress();
    const toAfterFilter = await freeAddress();
    const afterFilter = await freeAddress();
    const lmtp = await freeAddress();

    const example = new Example(sandbox, 'postfix-before-queue');
    example.replace('postern.yaml', { '127.0.0.1:10025': listener, '127.0.0.1:10026': toAfterFilter });
    config = example.path('postern.yaml');

    listManager = await RecordingServer.start(lmtp, { protocol: 'lmtp' });
    sandbox.onClose(() => listManager.stop());
    tapBefore = await Tap.start(toPostern, listener);
    sandbox.onClose(() => tapBefore.stop());
    tapBehind = await Tap.start(toAfterFilter, afterFilter);
    sandbox.onClose(() => tapBehind.stop());
    postfix = await Postfix.start(sandbox, {
      main: example.replace('postfix/main.cf', { '127.0.0.1:8024': lmtp }),
      master: example.replace('postfix/master.cf', {
        'smtp      inet': `${front} inet`,
        'smtpd_proxy_filter=127.0.0.1:10025': `smtpd_proxy_filter=${toPostern}`,
        '127.0.0.1:10026 inet': `${afterFilter} inet`,
      }),
      listens: [front, afterFilter],
      elsewhere: await freeAddress(),
    });
    postern = await Postern.start(sandbox, ['--config', config], [listener]);
  });

  after(async () => {
    const status = await postern?.stop();
    await sandbox.close();
    assert.equal(status, 0, 'Postern ends with exit code 0 on SIGTERM');
  });

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

  test('the after-filter smtpd hears who the remote client is', async () => {
    await send('who is it', { to: [GARDENERS] });
    await until('the list manager to get it', () => arrived('who is it').length > 0);
    const session = tapBehind.sessions.find((one) => one.fromClient.includes('who is it'));
    assert.match(session?.fromClient ?? '', /^XFORWARD .*\bADDR=192\.0\.2\.10\b/m);
    assert.match(postfix.log(), /after-filter\/smtpd.*orig_client=mail\.example\.net\[192\.0\.2\.10\]/);
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

  test('mixed verdicts after the dot: the refusal stands for all and names the list, nothing is delivered', async () => {
    const answers = await send('one of two', {
      author: 'eve@example.com',
      from: 'editor@example.org',
      to: [NEWS, GARDENERS],
    });
    assert.deepEqual(answers.rcpt, ['250 2.1.5 Ok', '250 2.1.5 Ok']);
    assert.match(answers.final.split('\n')[0] ?? '', /^550[ -]5\.7\.1 .*gardeners@lists\.example\.org/);
    assertStopped('one of two');
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

  before(async () => {
    front = await freeAddress();
    const listener = await freeAddress();
    const afterFilter = await freeAddress();
    const lmtp = await freeAddress();
    const example = new Example(sandbox, 'postfix-before-queue');
    example.replace('postern.yaml', {
      '127.0.0.1:10025': listener,
      '127.0.0.1:10026': afterFilter,
      'mixed: strictest': 'refuse_at: data\n    mixed: strictest',
    });
    listManager = await RecordingServer.start(lmtp, { protocol: 'lmtp' });
    sandbox.onClose(() => listManager.stop());
    await Postfix.start(sandbox, {
      main: example.replace('postfix/main.cf', { '127.0.0.1:8024': lmtp }),
      master: example.replace('postfix/master.cf', {
        'smtp      inet': `${front} inet`,
        'smtpd_proxy_filter=127.0.0.1:10025': `smtpd_proxy_filter=${listener}\n  -o smtpd_proxy_options=speed_adjust`,
        '127.0.0.1:10026 inet': `${afterFilter} inet`,
      }),
      listens: [front, afterFilter],
      elsewhere: await freeAddress(),
    });
    postern = await Postern.start(sandbox, ['--config', example.path('postern.yaml')], [listener]);
  });

  after(async () => {
    await postern?.stop();
    await sandbox.close();
  });

  test('a refusal by the envelope is told after the dot, for the message as a whole', async () => {
    const content = oddMessage({ author: 'ann@example.net', to: GARDENERS, subject: 'speedy' });
    const refused = await submit(front, { from: 'ann@example.net', to: [GARDENERS, NEWS], content, xclient: BLOCKED });
    assert.deepEqual(refused.rcpt, ['250 2.1.5 Ok', '250 2.1.5 Ok']);
    assert.match(refused.final, /^550.5\.7\.1 .*Mail from your network is not accepted here/);

    const accepted = await submit(front, { from: 'ann@example.net', to: [GARDENERS], content, xclient: FRIEND });
    assert.match(accepted.final, /^250 2\.0\.0 Ok: queued as \w+$/);
    await until('the list manager to get it', () => listManager.messages.length > 0);
    assert.deepEqual(listManager.messages[0]?.recipients, [GARDENERS]);
  });
});
