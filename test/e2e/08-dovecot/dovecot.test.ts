/**
 * dovecot - examples/dovecot with a real Postfix and a real Dovecot: client -> smtpd -> queue -> Postern -> LMTP over a
 * unix socket -> Maildirs. What Dovecot says of a recipient is what Postern says.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Daemon, identity } from '../daemon.ts';
import { Example } from '../example.ts';
import { submitLmtp } from '../lmtp-client.ts';
import { whyNot } from '../needs.ts';
import { oddMessage } from '../odd-message.ts';
import { Postern, putAway } from '../postern.ts';
import { Postfix } from '../postfix.ts';
import { freeAddress, Sandbox, until } from '../sandbox.ts';
import { submit } from '../smtp-client.ts';
import { suite } from '../suite.ts';

const ANN = 'ann@example.net';
const BOB = 'bob@example.org';
const BOARD = 'board@example.org';
/** Has room for an empty message, for none of ours. */
const SMALL = 'small@example.org';
/** Full as soon as it holds one message. */
const FULL = 'full@example.org';
const NOBODY = 'nobody@example.org';
/** Who owns the Maildirs. */
const OWNER = 'mail';

/** Users in a file, Maildirs below the folder, one process group; the rest is the example's. */
function dovecotConf(folder: string, fragment: string): string {
  const { uid, gid } = identity(OWNER);
  return `base_dir = ${folder}/run
state_dir = ${folder}/state
log_path = ${folder}/dovecot.log
protocols = lmtp
listen = 127.0.0.1
ssl = no
hostname = mda.example.test
postmaster_address = postmaster@example.test
mail_location = maildir:~/Maildir
first_valid_uid = 1
auth_username_format = %n
passdb {
  driver = passwd-file
  args = username_format=%n ${folder}/users
}
userdb {
  driver = passwd-file
  args = username_format=%n ${folder}/users
  default_fields = uid=${uid} gid=${gid} home=${folder}/home/%n
}
!include ${fragment}
`;
}

suite(
  'Dovecot behind Postern',
  whyNot({ postfix: '/usr/sbin/postfix', 'dovecot-lmtpd': '/usr/lib/dovecot/lmtp' }),
  () => {
    const sandbox = new Sandbox('dovecot');
    const folder = join(sandbox.folder, 'dovecot-server');
    const socket = `unix:${join(folder, 'run', 'lmtp')}`;
    let front = '';
    let listener = '';
    let postfix: Postfix;
    let postern: Postern;

    const mailbox = (to: string): string => join(folder, 'home', to.slice(0, to.indexOf('@')), 'Maildir', 'new');
    const delivered = (to: string): readonly string[] =>
      existsSync(mailbox(to))
        ? readdirSync(mailbox(to)).map((file) => readFileSync(join(mailbox(to), file), 'latin1'))
        : [];

    before(async () => {
      front = await freeAddress();
      listener = await freeAddress();
      const example = new Example(sandbox, 'dovecot');
      example.replace('postern.yaml', { '127.0.0.1:10024': listener, 'unix:/run/dovecot/lmtp': socket });

      const { uid, gid } = identity(OWNER);
      mkdirSync(folder);
      chmodSync(folder, 0o755);
      chownSync(folder, uid, gid);
      writeFileSync(
        join(folder, 'users'),
        'bob:::::::\nboard:::::::\nsmall:::::::userdb_quota_rule=*:storage=1k\nfull:::::::userdb_quota_rule=*:messages=1\n',
      );
      const config = join(folder, 'dovecot.conf');
      writeFileSync(config, dovecotConf(folder, example.path('dovecot/95-postern.conf')));
      await Daemon.start(sandbox, { command: ['/usr/sbin/dovecot', '-F', '-c', config], listens: [socket] });

      postfix = await Postfix.start(sandbox, {
        main: example.replace('postfix/main.cf', { '127.0.0.1:10024': listener }),
        master: `${front} inet n - n - - smtpd\n`,
        listens: [front],
        elsewhere: await freeAddress(),
      });
      postern = await Postern.start(sandbox, ['--config', example.path('postern.yaml')], [listener]);
    });

    after(() => putAway(sandbox, postern));

    const message = (subject: string, author: string, to: string) => oddMessage({ author, to, subject });

    test('through Postfix and Postern into the mailbox, every octet of it', async (t) => {
      t.diagnostic(`Dovecot ${execFileSync('/usr/sbin/dovecot', ['--version'], { encoding: 'utf8' }).trim()}`);
      t.diagnostic(postfix.version);
      const content = message('tulips', ANN, BOB);
      const answers = await submit(front, { from: ANN, to: [BOB], content });
      assert.match(answers.final, /^250 2\.0\.0 Ok: queued as /);
      const stored = await until('the message', () => delivered(BOB)[0] ?? null);
      assert.ok(stored.endsWith(content.toString('latin1').replaceAll('\r\n', '\n')), 'the mailbox has LF line ends');
      const attempt = await until('the attempt in the log', () => postfix.deliveries(BOB).at(-1) ?? null);
      assert.match(attempt.reason, /^250 2\.0\.0 <bob@example\.org> \S+ Saved/);
    });

    test("Dovecot's replies are Postern's replies, recipient for recipient", async () => {
      const last = await submitLmtp(socket, { from: BOB, to: [FULL], content: message('the last', BOB, FULL) });
      assert.match(last.final[0] ?? '', /^250 /);

      const submission = { from: BOB, to: [NOBODY, SMALL, FULL, BOB], content: message('as it is', BOB, BOB) };
      const direct = await submitLmtp(socket, submission);
      assert.match(direct.rcpt[0] ?? '', /^550 5\.1\.1 .*User doesn't exist/);
      assert.match(direct.rcpt[2] ?? '', /^552 5\.2\.2 .*Quota exceeded/);
      assert.match(direct.final[1] ?? '', /^552 5\.2\.2 .*Quota exceeded/);

      const through = await submitLmtp(listener, submission);
      assert.deepEqual(through.final.slice(0, 3), direct.final.slice(0, 3));
      const atRcpt = through.rcpt.map((reply) => reply.slice(0, 3));
      assert.deepEqual(atRcpt, ['550', '250', '552', '250'], 'unknown and full at RCPT, too large after the dot');
      assert.match(through.final[3] ?? '', /^250 2\.0\.0 <bob@example\.org> \S+ Saved$/);
      assert.deepEqual([delivered(SMALL), delivered(FULL).length], [[], 1]);
    });

    test('beside them a rule refuses for its own mailbox alone, and Dovecot never hears of it', async () => {
      const content = message('from outside', ANN, BOARD);
      const answers = await submitLmtp(listener, { from: ANN, to: [BOARD, BOB], content });
      assert.match(answers.final[0] ?? '', /^550 5\.7\.1 board@example\.org is for colleagues\. .*\(id \w+\)$/);
      assert.match(answers.final[1] ?? '', /^250 /);
      assert.deepEqual(delivered(BOARD), []);
      const inside = await submitLmtp(listener, {
        from: BOB,
        to: [BOARD],
        content: message('from inside', BOB, BOARD),
      });
      assert.match(inside.final[0] ?? '', /^250 /);
      assert.equal(delivered(BOARD).length, 1);
    });

    test('the remote client hears of an unknown and of a full mailbox, before anything is queued', async () => {
      const answers = await submit(front, { from: ANN, to: [NOBODY, FULL, BOB], content: message('asked', ANN, BOB) });
      assert.match(answers.rcpt[0] ?? '', /^550 5\.1\.1 .*said: 550 5\.1\.1 .*User doesn't exist/);
      assert.match(answers.rcpt[1] ?? '', /^550 5\.1\.1 .*said: 552 5\.2\.2 .*Quota exceeded/);
      assert.equal(answers.rcpt[2], '250 2.1.5 Ok');
      assert.match(answers.final, /^250 /);
    });

    test('a mailbox that had room when it was asked: the bounce holds what Dovecot said', async () => {
      const answers = await submit(front, { from: ANN, to: [SMALL], content: message('too much', ANN, SMALL) });
      assert.match(answers.final, /^250 /);
      const attempt = await until(
        'the attempt',
        () => postfix.deliveries(SMALL).find((one) => one.status === 'bounced') ?? null,
      );
      assert.equal(attempt.dsn, '5.2.2');
      assert.match(attempt.reason, /said: 552 5\.2\.2 <small@example\.org> Quota exceeded/);
    });
  },
);
