/**
 * mailman - a Mailman 3 of a test's own from Debian's package: sqlite, runners, queues and ports below one folder.
 *
 * Asked and changed over its REST interface, as Postorius does it.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Daemon, identity } from '../daemon.ts';
import { type Address, portOf, type Sandbox } from '../sandbox.ts';

const USER = 'list';
const PASSWORD = 'restpass';
const RUNNERS = ['bounces', 'command', 'in', 'lmtp', 'out', 'pipeline', 'rest', 'virgin'];
const IDLE = ['archive', 'digest', 'nntp', 'retry', 'task'];

export interface MailmanOptions {
  /** The section [mta]. */
  readonly mta: string;
  readonly lmtp: Address;
  readonly rest: Address;
}

/** What REST says of a thing, as far as tests look at it. */
export interface Resource {
  readonly total_size?: number;
  readonly bounce_score?: number;
  readonly entries?: readonly { readonly subject: string; readonly reason: string; readonly msg: string }[];
}

export class Mailman {
  readonly config: string;
  readonly #folder: string;
  readonly #rest: string;

  private constructor(folder: string, rest: Address) {
    this.#folder = folder;
    this.config = join(folder, 'mailman.cfg');
    this.#rest = `http://${rest}/3.1/`;
  }

  /** Starts the master and its runners, and waits until LMTP and REST are answered. */
  static async start(sandbox: Sandbox, { mta, lmtp, rest }: MailmanOptions): Promise<Mailman> {
    const folder = join(sandbox.folder, 'mailman-server');
    mkdirSync(folder);
    chmodSync(folder, 0o755);
    const { uid, gid } = identity(USER);
    chownSync(folder, uid, gid);
    const mailman = new Mailman(folder, rest);
    writeFileSync(mailman.config, configuration(folder, rest, mta));
    await Daemon.start(sandbox, {
      command: ['/usr/lib/mailman3/bin/master', '-C', mailman.config],
      env: { HOME: folder },
      user: USER,
      listens: [lmtp, rest],
      // Eight processes, each of them imports all of Mailman.
      patience: 90_000,
    });
    return mailman;
  }

  get version(): string {
    return this.run('/usr/lib/mailman3/bin/mailman', ['--version']).trim();
  }

  /** Runs a program as Mailman's user and with Mailman's configuration; gives back what it printed. */
  run(program: string, args: readonly string[]): string {
    const env = { ...process.env, HOME: this.#folder, MAILMAN_CONFIG_FILE: this.config };
    return execFileSync(program, args, { encoding: 'utf8', env, cwd: this.#folder, ...identity(USER) });
  }

  async get(path: string): Promise<Resource> {
    return (await this.#ask(path)) as Resource;
  }

  async post(path: string, fields: Readonly<Record<string, string>>): Promise<void> {
    await this.#ask(path, { method: 'POST', body: new URLSearchParams(fields) });
  }

  /** Files below the folder that hold the text: queues, log, database, held messages. */
  holds(text: string): readonly string[] {
    const files = readdirSync(join(this.#folder, 'var'), { recursive: true, withFileTypes: true });
    return files
      .filter((file) => file.isFile())
      .map((file) => join(file.path, file.name))
      .filter((path) => existsSync(path) && readFileSync(path, 'latin1').includes(text));
  }

  /** Files that wait in one of the queues, or in any of them. */
  queued(queue = ''): readonly string[] {
    return readdirSync(join(this.#folder, 'var', 'queue', queue), { recursive: true, encoding: 'utf8' }).filter(
      (name) => name.endsWith('.pck'),
    );
  }

  async #ask(path: string, request: RequestInit = {}): Promise<unknown> {
    const authorization = `Basic ${Buffer.from(`restadmin:${PASSWORD}`).toString('base64')}`;
    const response = await fetch(this.#rest + path, { ...request, headers: { authorization } });
    const text = await response.text();
    if (!response.ok) throw new Error(`${request.method ?? 'GET'} ${path}: ${response.status} ${text}`);
    return text === '' ? {} : JSON.parse(text);
  }
}

function configuration(folder: string, rest: Address, mta: string): string {
  const runner = (name: string, start: string): string => `[runner.${name}]\nstart: ${start}\nsleep_time: 1s\n`;
  return `[mailman]
site_owner: postmaster@example.org
layout: test
[paths.test]
var_dir: ${folder}/var
bin_dir: /usr/lib/mailman3/bin
etc_dir: $var_dir/etc
log_dir: $var_dir/log
pid_file: $var_dir/master.pid
[database]
class: mailman.database.sqlite.SQLiteDatabase
url: sqlite:///$DATA_DIR/mailman.db
[webservice]
hostname: 127.0.0.1
port: ${portOf(rest)}
admin_user: restadmin
admin_pass: ${PASSWORD}
workers: 1
${RUNNERS.map((name) => runner(name, 'yes')).join('')}${IDLE.map((name) => runner(name, 'no')).join('')}${mta}`;
}
