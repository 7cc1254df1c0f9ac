/**
 * exim - an Exim of a test's own: configuration, spool, log and port below one folder.
 *
 * The binary is unpacked, not installed, because its package conflicts with Postfix. It runs with a private view of the
 * system, in which its user exists and its configuration is trusted. Needs root.
 */
import { execFile, spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Daemon } from './daemon.ts';
import { PrivateSystem, whyNoPrivateSystem } from './private-system.ts';
import { type Address, portOf, type Sandbox } from './sandbox.ts';
import { unpacked, whyNotUnpacked } from './unpacked.ts';

export interface EximOptions {
  /** Files that are included: statements of the RCPT ACL, routers, transports. */
  readonly acl: string | null;
  readonly router: string;
  readonly transport: string;
  readonly listen: Address;
  /** Server that takes mail for everybody whom the routers do not know: bounces. */
  readonly elsewhere: Address;
}

/** What became of one recipient in one attempt, from the main log. */
export interface EximDelivery {
  readonly status: 'delivered' | 'bounced' | 'deferred';
  /** The rest of the log line. */
  readonly text: string;
}

const USER = 'Debian-exim';
const BINARY = 'usr/sbin/exim4';

export function whyNoExim(): string | false {
  return whyNotUnpacked('exim', BINARY) || whyNoPrivateSystem();
}

export class Exim {
  readonly version: string;
  readonly #command: readonly string[];
  readonly #wrapper: string;
  readonly #log: string;

  private constructor(wrapper: string, config: string, log: string) {
    this.#wrapper = wrapper;
    this.#command = [unpacked('exim', BINARY), '-C', config];
    this.#log = log;
    this.version = /^Exim version \S+/m.exec(this.#run(['-bV']))?.[0] ?? '';
  }

  /** Writes the configuration, starts the daemon and waits until it accepts connections. */
  static async start(sandbox: Sandbox, options: EximOptions): Promise<Exim> {
    const base = join(sandbox.folder, 'exim-of-the-test');
    const config = join(base, 'exim.conf');
    mkdirSync(base);
    const system = new PrivateSystem(sandbox, 'exim-system', {
      users: [USER],
      etc: { 'exim4/trusted_configs': `${config}\n` },
    });
    const { uid, gid } = statSync(system.home(USER));
    for (const folder of ['spool', 'log'].map((name) => join(base, name))) {
      mkdirSync(folder);
      chownSync(folder, uid, gid);
    }
    writeFileSync(config, eximConf(base, options));
    const exim = new Exim(system.wrapper, config, join(base, 'log', 'mainlog'));
    await Daemon.start(sandbox, { command: [system.wrapper, ...exim.#command, '-bdf'], listens: [options.listen] });
    return exim;
  }

  /** Everything that was logged so far. */
  log(): string {
    return existsSync(this.#log) ? readFileSync(this.#log, 'utf8') : '';
  }

  /** The attempts to deliver to that recipient, oldest first; `>>` is a delivery while the client waited. */
  deliveries(to: string): readonly EximDelivery[] {
    const statuses = {
      '=>': 'delivered',
      '->': 'delivered',
      '>>': 'delivered',
      '**': 'bounced',
      '==': 'deferred',
    } as const;
    return [...this.log().matchAll(/^\S+ \S+ \S+ (=>|->|>>|\*\*|==) (?:\S+ <)?([^\s>]+)>? (.*)$/gm)]
      .filter(([, , path]) => path === to)
      .map(([, mark, , text = '']) => ({ status: statuses[mark as keyof typeof statuses], text }));
  }

  /** Tries everything in the queue now; over when that is. */
  async flush(): Promise<void> {
    await promisify(execFile)(this.#wrapper, [...this.#command, '-qff']);
  }

  /** Recipients who still wait in the queue. */
  queued(): readonly string[] {
    return [...this.#run(['-bp']).matchAll(/^ {10}(\S+)$/gm)].map(([, path = '']) => path);
  }

  #run(args: readonly string[]): string {
    const { status, stdout, stderr } = spawnSync(this.#wrapper, [...this.#command, ...args], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`exim ${args.join(' ')}: exit ${status}\n${stdout}${stderr}`);
    return stdout;
  }
}

/** No DNS, no local delivery; a queue run is only made when the test wants one. */
function eximConf(base: string, { acl, router, transport, listen, elsewhere }: EximOptions): string {
  return `primary_hostname = mx.example.test
exim_path = ${unpacked('exim', BINARY)}
exim_user = ${USER}
never_users =
spool_directory = ${base}/spool
log_file_path = ${base}/log/%slog
pid_file_path = ${base}/exim.pid
local_interfaces = 127.0.0.1
daemon_smtp_ports = ${portOf(listen)}
tls_advertise_hosts =
host_lookup =
rfc1413_hosts =
keep_environment =
log_selector = +smtp_confirmation
remote_max_parallel = 1
acl_smtp_rcpt = acl_check_rcpt
begin acl
acl_check_rcpt:
${acl === null ? '' : `.include ${acl}`}
accept
begin routers
.include ${router}
elsewhere:
  driver = manualroute
  domains = *
  transport = elsewhere
  route_data = 127.0.0.1
  self = send
begin transports
.include ${transport}
elsewhere:
  driver = smtp
  port = ${portOf(elsewhere)}
  allow_localhost
begin retry
* * F,1h,1s
begin rewrite
begin authenticators
`;
}
