/**
 * postfix - a Postfix of a test's own: configuration, queue, log and ports below one folder.
 *
 * The system's own instance is neither used nor changed. A test adds what it wants to try to main.cf and master.cf,
 * mostly the fragments of an example. Needs root: the master runs its daemons as the user `postfix`.
 */
import { spawnSync } from 'node:child_process';
import {
  chownSync,
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { identity } from './daemon.ts';
import { whyNot } from './needs.ts';
import type { Address, Sandbox } from './sandbox.ts';
import { answers, until } from './sandbox.ts';

export interface PostfixOptions {
  /** Lines for the end of main.cf. */
  readonly main: string;
  /** Lines for the end of master.cf: the smtpd services above all. */
  readonly master: string;
  /** Addresses that accept connections once it runs. */
  readonly listens: readonly Address[];
  /** Server that takes mail for everybody whom main.cf does not route: bounces. */
  readonly elsewhere: Address;
  /** Its folder in the sandbox, where a test runs several; by default `postfix`. */
  readonly name?: string;
}

/** What became of one recipient in one attempt, from the log line of a delivery agent. */
export interface Delivery {
  readonly to: string;
  readonly status: 'sent' | 'bounced' | 'deferred';
  readonly dsn: string;
  /** What stands in brackets behind the status. */
  readonly reason: string;
}

/** Why Postfix cannot be used here, to skip a test with; false where it can. */
export function whyNoPostfix(): string | false {
  return whyNot({ postfix: '/usr/sbin/postfix' });
}

export class Postfix {
  readonly version: string;
  readonly #config: string;
  readonly #logFile: string;

  private constructor(config: string, logFile: string) {
    this.version = `Postfix ${run('postconf', ['-c', config, '-h', 'mail_version']).trim()}`;
    this.#config = config;
    this.#logFile = logFile;
  }

  /** Writes the configuration, starts the master and waits until every address accepts connections. */
  static async start(sandbox: Sandbox, options: PostfixOptions): Promise<Postfix> {
    const base = join(sandbox.folder, options.name ?? 'postfix');
    for (const folder of ['etc', 'queue', 'data', 'log'])
      mkdirSync(join(base, folder), { recursive: true, mode: 0o755 });
    chownSync(join(base, 'data'), identity('postfix').uid, statSync(base).gid);
    const config = join(base, 'etc');
    writeFileSync(join(config, 'main.cf'), `${mainCf(base, options.elsewhere)}\n${options.main}`);
    writeFileSync(join(config, 'master.cf'), `${MASTER_CF}\n${options.master}`);
    const postfix = new Postfix(config, join(base, 'log', 'mail.log'));
    run('postfix', ['-c', config, 'start']);
    sandbox.onClose(() => postfix.stop());
    for (const address of options.listens) await until(`Postfix to listen on ${address}`, () => answers(address));
    return postfix;
  }

  stop(): void {
    run('postfix', ['-c', this.#config, 'stop']);
  }

  /** Everything that was logged so far. */
  log(): string {
    return existsSync(this.#logFile) ? readFileSync(this.#logFile, 'utf8') : '';
  }

  /** What was logged behind the first `octets`. */
  logBehind(octets: number): Buffer {
    const file = openSync(this.#logFile, 'r');
    try {
      const news = Buffer.alloc(Math.max(0, fstatSync(file).size - octets));
      return news.subarray(0, readSync(file, news, 0, news.length, octets));
    } finally {
      closeSync(file);
    }
  }

  /** The attempts to deliver to that recipient, oldest first. */
  deliveries(to: string): readonly Delivery[] {
    const pattern = /: to=<([^>]*)>,.* dsn=([\d.]+), status=(sent|bounced|deferred) \((.*)\)$/gm;
    return [...this.log().matchAll(pattern)]
      .map(([, path = '', dsn = '', status, reason = '']) => ({
        to: path,
        dsn,
        status: status as Delivery['status'],
        reason,
      }))
      .filter((delivery) => delivery.to === to);
  }

  /** Tries everything in the queue now. */
  flush(): void {
    run('postqueue', ['-c', this.#config, '-f']);
  }

  /** Tries the queue again and again until nothing waits in it. */
  async emptied(): Promise<void> {
    const patience = 60_000;
    const empty = (): boolean => {
      if (this.queued().length === 0) return true;
      this.flush();
      return false;
    };
    await until('Postfix to have delivered everything', empty, patience);
  }

  /** Recipients who still wait in the queue. */
  queued(): readonly string[] {
    return run('postqueue', ['-c', this.#config, '-j'])
      .split('\n')
      .filter((line) => line !== '')
      .flatMap((line) => (JSON.parse(line) as { recipients: { address: string }[] }).recipients)
      .map((recipient) => recipient.address);
  }
}

function run(program: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(`/usr/sbin/${program}`, args, { encoding: 'utf8' });
  if (status !== 0)
    throw new Error(`${program} ${args.join(' ')}: ${error?.message ?? `exit ${status}`}\n${stdout}${stderr}`);
  return stdout;
}

/** No DNS, no aliases, no local delivery; short waits, so that a queue run finds deferred mail at once. */
function mainCf(base: string, elsewhere: Address): string {
  return `compatibility_level = 3.6
queue_directory = ${base}/queue
data_directory = ${base}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
maillog_file = ${base}/log/mail.log
maillog_file_prefixes = ${base}
mail_owner = postfix
setgid_group = postdrop
myhostname = mx.example.test
mydomain = example.test
myorigin = example.test
mydestination =
local_transport = error:nobody lives here
local_recipient_maps =
alias_maps =
alias_database =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtp_dns_support_level = disabled
smtp_host_lookup = native
lmtp_host_lookup = native
default_transport = smtp:${elsewhere.replace(/^(.*):/, '[$1]:')}
smtpd_authorized_xclient_hosts = 127.0.0.0/8
smtpd_client_connection_rate_limit = 0
smtpd_client_connection_count_limit = 0
minimal_backoff_time = 1s
maximal_backoff_time = 2s
queue_run_delay = 1h
notify_classes =`;
}

/** The services behind the doors; none in a chroot. The doors themselves are the test's. */
const MASTER_CF = `pickup    unix  n - n 60 1 pickup
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
verify    unix  - - n - 1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n - - proxymap
smtp      unix  - - n - - smtp
relay     unix  - - n - - smtp
lmtp      unix  - - n - - lmtp
showq     unix  n - n - - showq
error     unix  - - n - - error
retry     unix  - - n - - error
discard   unix  - - n - - discard
anvil     unix  - - n - 1 anvil
scache    unix  - - n - 1 scache
tlsmgr    unix  - - n 1000? 1 tlsmgr
postlog   unix-dgram n - n - 1 postlogd`;
