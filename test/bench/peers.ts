/**
 * peers - what else could stand in the path, configured to do about as little as it can while it looks at the mail.
 *
 * None of them is a dependency: what is not installed is named, and left out.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Postfix, whyNoPostfix } from '../e2e/postfix.ts';
import { freeAddress, socketOptions } from '../e2e/sandbox.ts';
import { isInstalled, run, type Subject, type Surroundings } from './programs.ts';
import type { PeerName } from './scenarios.ts';

interface Peer {
  /** What is missing and where it comes from; null where it can run. */
  whyNot(): string | null;
  start(around: Surroundings): Promise<Subject>;
}

const FOLDER = resolve('test', 'bench', 'peers');
/** Debian's: its modules are not found by another one that may be first on PATH. */
const PYTHON = '/usr/bin/python3';

export const PEER: Readonly<Record<PeerName, Peer>> = {
  'postfix, proxy filter': {
    whyNot: () => whyNoPostfix() || null,
    async start({ sandbox, sink }) {
      const address = await freeAddress();
      await Postfix.start(sandbox, {
        name: 'proxy-filter',
        main: 'message_size_limit = 0\nsmtpd_relay_restrictions = permit_mynetworks, reject\n',
        master: `${address} inet n - n - - smtpd\n  -o smtpd_proxy_filter=${sink}\n`,
        listens: [address],
        elsewhere: sink,
      });
      const pidFile = join(sandbox.folder, 'proxy-filter', 'queue', 'pid', 'master.pid');
      return { address, pid: Number(readFileSync(pidFile, 'utf8')) };
    },
  },
  'aiosmtpd, one regex': {
    whyNot: () =>
      spawnSync(PYTHON, ['-c', 'import aiosmtpd']).status === 0 ? null : 'aiosmtpd: apt-get install python3-aiosmtpd',
    async start({ sandbox, sink }) {
      const address = await freeAddress();
      return run(sandbox, 'aiosmtpd', address, PYTHON, [join(FOLDER, 'aiosmtpd_relay.py'), address, sink]);
    },
  },
  'haraka, one regex': {
    whyNot: () => (isInstalled('haraka') ? null : 'Haraka: npm install --global --ignore-scripts Haraka'),
    async start({ sandbox, sink }) {
      const address = await freeAddress();
      const folder = join(sandbox.folder, 'haraka');
      cpSync(join(FOLDER, 'haraka'), folder, { recursive: true });
      const to = socketOptions(sink);
      if (!('port' in to)) throw new Error('Haraka forwards over TCP');
      writeFileSync(join(folder, 'config', 'smtp.ini'), `listen=${address}\n`);
      writeFileSync(join(folder, 'config', 'smtp_forward.ini'), `host=${to.host}\nport=${to.port}\n`);
      return run(sandbox, 'haraka', address, 'haraka', ['-c', folder]);
    },
  },
};
