/**
 * private-system - how programs see the system in a test: users, files below /etc and mailboxes of the test's own.
 *
 * Programs that look up users and write to /var/mail, such as mail.local and procmail, are run by a wrapper in a mount
 * namespace of their own. The system itself is neither used nor changed. Needs root.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Sandbox } from './sandbox.ts';

export interface PrivateSystemOptions {
  /** Names of the users that are there beside the system's own, each with a home of its own. */
  readonly users: readonly string[];
  /** File below /etc -> its text. */
  readonly etc?: Readonly<Record<string, string>>;
  /** Folder of the system that exists -> what the programs see in its place. */
  readonly mounts?: Readonly<Record<string, string>>;
}

const FIRST_ID = 64_001;
/** The group `mail` of Debian. */
const MAIL = 8;

/** Why there can be none here, to skip a test with; false where it can be. */
export function whyNoPrivateSystem(): string | false {
  if (process.getuid?.() !== 0) return 'not run as root: no users and mailboxes of a test can be made';
  if (spawnSync('unshare', ['--mount', 'true']).status !== 0)
    return 'no mount namespace can be made here (unshare --mount)';
  return false;
}

export class PrivateSystem {
  /** Runs what follows it as its arguments with the test's users, files and mailboxes. */
  readonly wrapper: string;
  /** What those programs see as /var/mail. */
  readonly mailboxes: string;
  readonly #homes: string;

  constructor(sandbox: Sandbox, name: string, { users, etc = {}, mounts = {} }: PrivateSystemOptions) {
    const base = join(sandbox.folder, name);
    const copy = join(base, 'etc');
    this.#homes = join(base, 'home');
    this.mailboxes = join(base, 'mail');
    this.wrapper = join(base, 'run');

    for (const folder of [this.#homes, this.mailboxes]) mkdirSync(folder, { recursive: true });
    chmodSync(base, 0o755);
    chownSync(this.mailboxes, 0, MAIL);
    chmodSync(this.mailboxes, 0o2775);
    cpSync('/etc', copy, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
    users.forEach((user, position) => {
      const id = FIRST_ID + position;
      setEntry(join(copy, 'passwd'), user, `x:${id}:${id}::${this.home(user)}:/bin/sh`);
      setEntry(join(copy, 'group'), user, `x:${id}:`);
      mkdirSync(this.home(user), { mode: 0o755 });
      chownSync(this.home(user), id, id);
    });
    for (const [file, text] of Object.entries(etc)) {
      mkdirSync(dirname(join(copy, file)), { recursive: true });
      writeFileSync(join(copy, file), text);
    }

    const all = { '/etc': copy, '/var/mail': this.mailboxes, ...mounts };
    const commands = Object.entries(all).map(([target, source]) => `mount --bind '${source}' '${target}'`);
    const script = `exec unshare --mount sh -c "${commands.join(' && ')} && exec \\"\\$@\\"" sh "$@"`;
    writeFileSync(this.wrapper, `#!/bin/sh\n${script}\n`);
    chmodSync(this.wrapper, 0o755);
  }

  home(user: string): string {
    return join(this.#homes, user);
  }
}

/** One line of passwd or group, in place of one that is there. */
function setEntry(file: string, name: string, rest: string): void {
  const others = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith(`${name}:`));
  writeFileSync(file, `${[...others, `${name}:${rest}`].join('\n')}\n`);
}
