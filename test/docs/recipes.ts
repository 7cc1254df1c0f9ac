/**
 * recipes - what procmail and Pigeonhole do with a message by a recipe of the documentation.
 *
 * `hold` is a mailbox other than the default one.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export type Outcome = 'relay' | 'hold' | 'discard' | 'reject' | 'defer';

export interface Delivery {
  readonly recipe: string;
  /** With LF line ends. */
  readonly message: string;
  /** Without brackets; empty for the null reverse-path. */
  readonly envelopeFrom: string;
  /** Files beside the recipe: their paths and their lines. */
  readonly files: ReadonlyMap<string, readonly string[]>;
}

export interface Peer {
  readonly program: string;
  /** Null where the recipe does what only a whole installation does. */
  deliver(delivery: Delivery): Outcome | null;
}

/** EX_TEMPFAIL of sysexits.h. */
const TEMPFAIL = 75;
/** It hands the message to sendmail, or reads files of its own. */
const OUTSIDE_PROCMAIL = /^!|^INCLUDERC/m;

const procmail: Peer = {
  program: '/usr/bin/procmail',
  deliver({ recipe, message, envelopeFrom, files }) {
    if (OUTSIDE_PROCMAIL.test(recipe)) return null;
    return inFolder((folder) => {
      for (const [path, lines] of files) {
        mkdirSync(join(folder, dirname(path)), { recursive: true });
        writeFileSync(join(folder, path), `${lines.join('\n')}\n`);
      }
      const head = `PATH=/usr/bin:/bin\nSHELL=/bin/sh\nMAILDIR=${folder}\nDEFAULT=inbox\nLOGFILE=log\n`;
      const rc = join(folder, 'recipe.rc');
      writeFileSync(rc, `${head}\n${recipe}`);
      const input = `From ${envelopeFrom || 'MAILER-DAEMON'}  Mon Jan  1 12:00:00 2024\n${message}`;
      const { status } = spawnSync(procmail.program, ['-m', rc], { input, cwd: folder });
      if (status !== 0) return status === TEMPFAIL ? 'defer' : 'reject';
      const boxes = readdirSync(folder).filter((name) => ['inbox', 'held'].includes(name));
      if (boxes.length === 0) return 'discard';
      return boxes.includes('held') ? 'hold' : 'relay';
    });
  },
};

/** It would send mail. */
const OUTSIDE_SIEVE = /\bredirect\b/;

const sieve: Peer = {
  program: '/usr/bin/sieve-test',
  deliver({ recipe, message, envelopeFrom }) {
    if (OUTSIDE_SIEVE.test(recipe)) return null;
    return inFolder((folder) => {
      const path = (name: string): string => join(folder, name);
      // It serves no mail of root's.
      chmodSync(folder, 0o755);
      const [uid, gid] = process.getuid?.() === 0 ? ['nobody', 'nogroup'] : [process.getuid?.(), process.getgid?.()];
      const location = `maildir:${path('mail')}`;
      writeFileSync(path('recipe.sieve'), recipe);
      writeFileSync(path('mail.eml'), message);
      writeFileSync(
        path('dovecot.conf'),
        `mail_uid = ${uid}\nmail_gid = ${gid}\nplugin {\n  sieve_extensions = +editheader\n}\nmail_location = ${location}\n`,
      );
      const envelope = ['-f', envelopeFrom, '-a', 'gardeners@lists.example.org'];
      const args = ['-c', path('dovecot.conf'), '-l', location, ...envelope, path('recipe.sieve'), path('mail.eml')];
      const env = { ...process.env, USER: 'nobody', HOME: folder };
      const { stdout, stderr, status } = spawnSync(sieve.program, args, { encoding: 'utf8', env });
      if (status !== 0) throw new Error(`sieve-test: ${stderr}`);
      if (/\* reject message/.test(stdout)) return 'reject';
      if (/\* store message in folder: Held/.test(stdout)) return 'hold';
      return /\* store message in folder: INBOX/.test(stdout) ? 'relay' : 'discard';
    });
  },
};

/** By the language of their blocks. */
export const peers: Readonly<Record<string, Peer>> = { procmail, sieve };

export function isInstalled({ program }: Peer): boolean {
  return existsSync(program);
}

function inFolder<T>(work: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'postern-recipe-'));
  try {
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
