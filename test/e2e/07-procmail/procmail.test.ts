/**
 * procmail - examples/procmail with the real procmail: what the old pair of rcfiles did with a message and what Postern's
 * rules do with it now are compared message by message.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Example } from '../example.ts';
import { submitLmtp } from '../lmtp-client.ts';
import { whyNot } from '../needs.ts';
import { oddMessage } from '../odd-message.ts';
import { Postern, putAway } from '../postern.ts';
import { PrivateSystem, whyNoPrivateSystem } from '../private-system.ts';
import { freeAddress, Sandbox } from '../sandbox.ts';
import { suite } from '../suite.ts';

const GARDENERS = 'gardeners@lists.example.org';
const ANN = 'ann@example.net';
const PROCMAIL = '/usr/bin/procmail';

interface Case {
  readonly name: string;
  readonly from: string;
  readonly author: string;
  readonly subject: string;
  /** A line of the header section. */
  readonly field?: string;
  readonly size?: number;
  /** What both make of it. */
  readonly exit: number;
  readonly reply: RegExp;
  /** Where it lies then, below the account's home. */
  readonly folder: 'Maildir' | 'held' | null;
}

const CASES: readonly Case[] = [
  { name: "a member's post", from: ANN, author: ANN, subject: 'tulips', exit: 0, reply: /^250 /, folder: 'Maildir' },
  {
    name: "a stranger's post",
    from: 'eve@example.com',
    author: 'eve@example.com',
    subject: 'roses',
    exit: 0,
    reply: /^250 /,
    folder: 'held',
  },
  {
    name: 'advertising',
    from: ANN,
    author: ANN,
    subject: 'Buy NOW',
    exit: 77,
    reply: /^550 5\.7\.1 gardeners@lists\.example\.org takes no advertising\. \(id/,
    folder: null,
  },
  {
    name: 'a bulk mailer',
    from: 'x@bulk.example',
    author: ANN,
    subject: 'offers',
    exit: 77,
    reply: /^550 5\.7\.1 Mail from x@bulk\.example is not accepted here\. \(id/,
    folder: null,
  },
  {
    name: 'out of the office',
    from: ANN,
    author: ANN,
    subject: 'away',
    field: 'Auto-Submitted: auto-replied',
    exit: 0,
    reply: /^250 /,
    folder: null,
  },
  {
    name: 'too large',
    from: ANN,
    author: ANN,
    subject: 'a film',
    size: 2_400_000,
    exit: 65,
    reply: /^552 5\.3\.4 Messages over 2 MB/,
    folder: null,
  },
];

function messageOf({ author, subject, field, size = 0 }: Case): Buffer {
  const message = oddMessage({ author, to: GARDENERS, subject }).toString('latin1');
  const filling = 'filling\r\n'.repeat(Math.ceil(size / 'filling\r\n'.length));
  return Buffer.from(`${field === undefined ? '' : `${field}\r\n`}${message}${filling}`, 'latin1');
}

/** The messages in a Maildir of the account. */
function stored(system: PrivateSystem, folder: string): readonly string[] {
  const path = join(system.home('gardeners'), folder, 'new');
  return existsSync(path) ? readdirSync(path).map((file) => readFileSync(join(path, file), 'latin1')) : [];
}

suite('procmail behind Postern', whyNot({ procmail: PROCMAIL }) || whyNoPrivateSystem(), () => {
  const sandbox = new Sandbox('procmail');
  let example: Example;
  let before_: PrivateSystem;
  let behind: PrivateSystem;
  let listener = '';
  let postern: Postern;

  before(async () => {
    listener = await freeAddress();
    example = new Example(sandbox, 'procmail');
    const users = ['gardeners', 'orchard'];
    const etc = { procmailrc: readFileSync(example.path('before/procmailrc'), 'utf8') };
    before_ = new PrivateSystem(sandbox, 'before', { users, etc });
    behind = new PrivateSystem(sandbox, 'behind', { users });
    copyFileSync(example.path('before/gardeners.procmailrc'), join(before_.home('gardeners'), '.procmailrc'));
    copyFileSync(
      example.path('rules/lists/lists.example.org/rosters/gardeners.txt'),
      join(before_.home('gardeners'), 'members'),
    );
    copyFileSync(example.path('home/procmailrc'), join(behind.home('gardeners'), '.procmailrc'));
    writeFileSync(join(behind.home('orchard'), '.procmailrc'), 'EXITCODE=67\nHOST\n');
    example.replace('postern.yaml', {
      '127.0.0.1:10024': listener,
      [`${PROCMAIL},`]: `${behind.wrapper}, ${PROCMAIL},`,
    });
    postern = await Postern.start(sandbox, ['--config', example.path('postern.yaml')], [listener]);
  });

  after(() => putAway(sandbox, postern));

  for (const each of CASES) {
    test(`${each.name}: the rcfiles before, the rules now`, async (t) => {
      const version = spawnSync(PROCMAIL, ['-v'], { encoding: 'utf8' }).stderr.split('\n')[0];
      t.diagnostic(version ?? '');
      const content = messageOf(each);
      const lines = content.toString('latin1').replaceAll('\r\n', '\n');

      const args = [PROCMAIL, '-t', '-Y', '-f', each.from, '-d', 'gardeners'];
      const { status, stderr } = spawnSync(before_.wrapper, args, {
        input: Buffer.from(lines, 'latin1'),
        encoding: 'utf8',
      });
      assert.equal(status, each.exit, stderr);
      const { final } = await submitLmtp(listener, { from: each.from, to: [GARDENERS], content });
      assert.match(final[0] ?? '', each.reply);

      for (const folder of ['Maildir', 'held']) {
        for (const system of [before_, behind]) {
          const found = stored(system, folder).filter((message) => message.includes(`subject:   ${each.subject}\n`));
          assert.equal(found.length, folder === each.folder ? 1 : 0, `${each.name} in ${folder}`);
          for (const message of found) {
            assert.match(message, /^X-Checked-For: gardeners\n/m);
            assert.equal(message.replace(/^X-(?:Checked-For|Postern-Hold): .*\n/gm, ''), lines);
          }
        }
      }
    });
  }

  test("an account's own refusal, an unknown account, an address with a detail", async () => {
    const content = messageOf({ ...(CASES[0] as Case), subject: 'three accounts' });
    const to = ['orchard', 'weeds', 'gardeners+spring'].map((name) => `${name}@lists.example.org`);
    const { final } = await submitLmtp(listener, { from: ANN, to, content });
    assert.match(final[0] ?? '', /^550 5\.1\.1 /, 'EXITCODE=67 of the account');
    assert.match(final[1] ?? '', /^550 5\.1\.1 /, 'no such account');
    assert.match(final[2] ?? '', /^250 2\.0\.0 /);
  });

  test('the page shows the files as they are', () => {
    const page = readFileSync(example.path('side-by-side.md'), 'utf8');
    const pairs = ['before/procmailrc', 'before/gardeners.procmailrc', 'home/procmailrc', 'rules/system.yaml'];
    for (const file of [...pairs, 'rules/lists/lists.example.org/gardeners.yaml'])
      assert.ok(page.includes(readFileSync(example.path(file), 'utf8').trimEnd()), `${file} stands in side-by-side.md`);
  });
});
