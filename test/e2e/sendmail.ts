/**
 * sendmail - a Sendmail of a test's own: configuration, queue and port below one folder.
 *
 * The binary is unpacked, not installed, because its package conflicts with Postfix. Its log goes to syslog alone, so what
 * became of a message is read from its queue and its bounces. Needs root.
 */
import { execFile, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Daemon } from './daemon.ts';
import { whyNot } from './needs.ts';
import { PrivateSystem, whyNoPrivateSystem } from './private-system.ts';
import { type Address, portOf, type Sandbox } from './sandbox.ts';
import { unpacked, whyNotUnpacked } from './unpacked.ts';

export interface SendmailOptions {
  /** Files of m4: what stands before and what behind the MAILER lines. */
  readonly features: string;
  readonly mailers: string;
  /** Files as they are found in /etc/mail, and there. */
  readonly mailertable: string;
  readonly relayDomains: string;
  readonly listen: Address;
  /** Server that takes mail for everybody whom the mailertable does not know: bounces. */
  readonly elsewhere: Address;
  /** Folder that Sendmail sees as /srv. */
  readonly srv: string;
  /** interactive or background. */
  readonly deliveryMode?: string;
}

const BINARY = 'usr/libexec/sendmail/sendmail';
/** Where it sees the folder of its own. */
const SEEN_AS = '/mnt';
const MACROS = 'usr/share/sendmail/cf';

export const MAIL_LOCAL = unpacked('sendmail', 'usr/libexec/sendmail/mail.local');

export function whyNoSendmail(): string | false {
  return whyNotUnpacked('sendmail', BINARY) || whyNot({ m4: '/usr/bin/m4' }) || whyNoPrivateSystem();
}

export class Sendmail {
  readonly version: string;
  readonly #command: readonly [string, ...string[]];

  private constructor(command: readonly [string, ...string[]]) {
    this.#command = command;
    this.version = `Sendmail ${/Version (\S+)/.exec(this.#run(['-d0.1', '-bv', 'nobody']))?.[1]}`;
  }

  /** Writes the configuration, starts the daemon and waits until it accepts connections. */
  static async start(sandbox: Sandbox, options: SendmailOptions): Promise<Sendmail> {
    const base = join(sandbox.folder, 'sendmail-of-the-test');
    mkdirSync(join(base, 'queue'), { recursive: true, mode: 0o700 });
    writeFileSync(join(base, 'service.switch'), 'hosts files\naliases files\npasswd files\n');
    writeFileSync(join(base, 'sendmail.mc'), sendmailMc(options));
    writeFileSync(join(base, 'sendmail.cf'), run('/usr/bin/m4', [join(base, 'sendmail.mc')]), { mode: 0o644 });
    const system = new PrivateSystem(sandbox, 'sendmail-system', {
      users: [],
      etc: {
        // Without a dot in the name of this machine it waits a minute before it reads its configuration. It is the name that
        // Postern greets with too, as in the example: over SMTP Sendmail takes that for a loop.
        hosts: `127.0.0.1 localhost\n127.0.1.1 mx.example.org ${hostname()}\n`,
        'mail/mailertable': readFileSync(options.mailertable, 'utf8'),
        'mail/relay-domains': readFileSync(options.relayDomains, 'utf8'),
      },
      // It trusts nothing below a folder that everybody can write to, such as that of the sandbox.
      mounts: { [SEEN_AS]: base, '/srv': options.srv },
    });
    const config = ['-C', `${SEEN_AS}/sendmail.cf`];
    const makemap = [unpacked('sendmail', 'usr/libexec/sendmail/makemap'), ...config, 'hash', '/etc/mail/mailertable'];
    run(system.wrapper, makemap, readFileSync(options.mailertable, 'utf8'));
    const sendmail = new Sendmail([system.wrapper, unpacked('sendmail', BINARY), ...config]);
    await Daemon.start(sandbox, { command: [...sendmail.#command, '-bD'], listens: [options.listen] });
    return sendmail;
  }

  /** Tries everything in the queue now; over when that is. */
  async flush(): Promise<void> {
    const [program, ...args] = this.#command;
    await promisify(execFile)(program, [...args, '-qf']);
  }

  /** The queue as mailq prints it. */
  queue(): string {
    return this.#run(['-bp']);
  }

  /** Recipients who still wait in the queue. */
  queued(): readonly string[] {
    return [...this.queue().matchAll(/^\s+<?(\S+@[^\s>]+)>?$/gm)].map(([, path = '']) => path);
  }

  #run(args: readonly string[]): string {
    const [program, ...before] = this.#command;
    return run(program, [...before, ...args]);
  }
}

function run(program: string, args: readonly string[], input = ''): string {
  const { stdout, stderr, error, status } = spawnSync(program, args, { encoding: 'utf8', input });
  if (error !== undefined || (status !== 0 && stdout === ''))
    throw new Error(`${program} ${args.join(' ')}: ${error?.message ?? `exit ${status}`}\n${stdout}${stderr}`);
  return stdout;
}

/** No DNS, no aliases, no waiting in the queue. */
function sendmailMc(options: SendmailOptions): string {
  const { features, mailers, listen, elsewhere, deliveryMode = 'background' } = options;
  const macros = unpacked('sendmail', MACROS);
  return `divert(-1)
define(\`_CF_DIR_', \`${macros}/')
include(\`${macros}/m4/cf.m4')
divert(0)dnl
OSTYPE(\`linux')dnl
define(\`QUEUE_DIR', \`${SEEN_AS}/queue')dnl
define(\`confPID_FILE', \`${SEEN_AS}/sendmail.pid')dnl
define(\`STATUS_FILE', \`${SEEN_AS}/statistics')dnl
define(\`ALIAS_FILE', \`')dnl
define(\`HELP_FILE', \`')dnl
define(\`confCW_FILE', \`')dnl
define(\`confCT_FILE', \`')dnl
define(\`confCR_FILE', \`/etc/mail/relay-domains')dnl
define(\`confDOMAIN_NAME', \`mx.example.org')dnl
define(\`confSERVICE_SWITCH_FILE', \`${SEEN_AS}/service.switch')dnl
define(\`confHOSTS_FILE', \`/etc/hosts')dnl
define(\`confTO_IDENT', \`0')dnl
define(\`confDELIVERY_MODE', \`${deliveryMode}')dnl
define(\`SMART_HOST', \`elsewhere:[127.0.0.1]')dnl
FEATURE(\`no_default_msa')dnl
FEATURE(\`nocanonify')dnl
FEATURE(\`accept_unresolvable_domains')dnl
DAEMON_OPTIONS(\`Port=${portOf(listen)}, Addr=127.0.0.1, Name=MTA')dnl
include(\`${features}')dnl
MAILER(\`smtp')dnl
include(\`${mailers}')dnl
MAILER_DEFINITIONS
Melsewhere,	P=[IPC], F=mDFMuXa, S=EnvFromSMTP/HdrFromSMTP, R=EnvToSMTP, E=\\r\\n, L=990,
		T=DNS/RFC822/SMTP, A=TCP $h ${portOf(elsewhere)}
`;
}
