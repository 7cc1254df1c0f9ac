/**
 * daemon - a server of a test's own that stays in the foreground: started, waited for, ended with its sandbox.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Address, Sandbox } from './sandbox.ts';
import { answers, until } from './sandbox.ts';

export interface DaemonOptions {
  readonly command: readonly [program: string, ...args: string[]];
  /** Addresses that accept connections once it runs. */
  readonly listens: readonly Address[];
  /** Milliseconds it may take to get there; by default as long as `until` waits. */
  readonly patience?: number;
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** The user to run as; by default who runs the test. */
  readonly user?: string;
}

export class Daemon {
  readonly #child: ChildProcess;
  #output = '';

  private constructor({ command, env, user }: DaemonOptions, folder: string) {
    const [program, ...args] = command;
    this.#child = spawn(program, args, {
      cwd: folder,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(user === undefined ? {} : identity(user)),
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (chunk) => {
        this.#output += String(chunk);
      });
    }
    this.#child.on('error', (error) => {
      this.#output += String(error);
    });
  }

  /** Starts it in the sandbox's folder and waits until every address accepts connections. */
  static async start(sandbox: Sandbox, options: DaemonOptions): Promise<Daemon> {
    const daemon = new Daemon(options, sandbox.folder);
    sandbox.onClose(() => daemon.stop());
    for (const address of options.listens) {
      const listening = () => {
        if (daemon.exited) throw new Error(`${options.command.join(' ')} did not start:\n${daemon.output}`);
        return answers(address);
      };
      await until(`${options.command[0]} to listen on ${address}`, listening, options.patience);
    }
    return daemon;
  }

  get exited(): boolean {
    return this.#child.pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Everything it wrote to standard output and standard error. */
  get output(): string {
    return this.#output;
  }

  /** Asks it to end and waits until it has. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.exited) return;
    const exit = once(this.#child, 'exit');
    this.#child.kill(signal);
    await exit;
  }
}

/** User and group ids of a user of this machine. */
export function identity(user: string): { uid: number; gid: number } {
  const id = (flag: string): number => Number(execFileSync('id', [flag, user], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}
