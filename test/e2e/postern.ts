/**
 * postern - the product as it is installed: `node dist/cli/main.js serve …`.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import type { Address, Sandbox } from './sandbox.ts';
import { answers, until } from './sandbox.ts';

/** The log's line of one transaction, as far as tests look at it. */
export interface TransactionRecord {
  readonly id: string;
  readonly client: string | null;
  readonly recipients: readonly {
    readonly to: string;
    readonly rule: string | null;
    readonly verdict: string;
    readonly reply: string;
    readonly downstream: string | null;
  }[];
}

const MAIN = resolve('dist', 'cli', 'main.js');

export class Postern {
  readonly #child: ChildProcess;
  #output = '';
  #errors = '';

  private constructor(args: readonly string[], folder: string) {
    this.#child = spawn(process.execPath, [MAIN, 'serve', ...args], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child.stdout?.on('data', (chunk) => {
      this.#output += String(chunk);
    });
    this.#child.stderr?.on('data', (chunk) => {
      this.#errors += String(chunk);
    });
  }

  /** Starts in a folder with the arguments behind `serve`, and waits until every address accepts connections. */
  static async start(
    sandbox: Sandbox,
    args: readonly string[],
    listens: readonly Address[],
    folder: string = sandbox.folder,
  ): Promise<Postern> {
    const postern = new Postern(args, folder);
    sandbox.onClose(() => postern.kill());
    for (const address of listens) {
      await until(`Postern to listen on ${address}`, () => {
        if (postern.exited) throw new Error(`postern serve did not start:\n${postern.output}`);
        return answers(address);
      });
    }
    return postern;
  }

  get exited(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Everything it wrote, standard output first. */
  get output(): string {
    return this.#output + this.#errors;
  }

  /** The first group of `count` matches in what it wrote, once there are as many; the pattern has the flag g. */
  printed(pattern: RegExp, count: number): Promise<readonly string[]> {
    return until(`${count} matches of ${pattern}`, () => {
      const found = [...this.output.matchAll(pattern)].map((match) => match[1] ?? '');
      return found.length >= count ? found : null;
    });
  }

  /** Transactions of the log, in order. */
  get transactions(): readonly TransactionRecord[] {
    return this.output
      .split('\n')
      .filter((line) => line.startsWith('{') && line.endsWith('}') && line.includes('"event":"transaction"'))
      .map((line) => JSON.parse(line) as TransactionRecord);
  }

  /** Asks it to end (SIGTERM) and gives back its exit code. */
  async stop(): Promise<number | null> {
    if (!this.exited) {
      const exit = once(this.#child, 'exit');
      this.#child.kill('SIGTERM');
      await exit;
    }
    return this.#child.exitCode;
  }

  /** Ends it without warning. */
  async kill(): Promise<void> {
    if (this.exited) return;
    const exit = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exit;
  }
}

/** The end of a test: everything is put away, and each Postern has to end with exit code 0. */
export async function putAway(sandbox: Sandbox, ...posterns: readonly (Postern | undefined)[]): Promise<void> {
  const statuses: unknown[] = [];
  for (const postern of posterns) statuses.push(await postern?.stop());
  await sandbox.close();
  for (const status of statuses) assert.equal(status, 0, 'Postern ends with exit code 0 on SIGTERM');
}
