/**
 * programs - starting what stands in a path, in a sandbox, and what must be installed for it.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Address, answers, type Sandbox, until } from '../e2e/sandbox.ts';
import type { Protocol } from './scenarios.ts';

export interface Subject {
  readonly address: Address;
  /** The process whose time on the processor is counted, with that of its children. */
  readonly pid: number;
}

/** What a subject hands its messages to, and where it may write. */
export interface Surroundings {
  readonly sandbox: Sandbox;
  readonly protocol: Protocol;
  /** Where smtp-sink listens. */
  readonly sink: Address;
  /** Whether messages will come that are larger than the shipped rules allow. */
  readonly large?: boolean;
}

/** Debian packages of the programs that are needed beside Postern itself. */
const PROGRAMS: Readonly<Record<string, string>> = {
  'smtp-source': 'postfix',
  'smtp-sink': 'postfix',
  haproxy: 'haproxy',
};

/** The packages to install for those of `programs` that are missing. */
export function missingPackages(programs: readonly string[]): readonly string[] {
  const missing = programs.filter((program) => !isInstalled(program));
  return [...new Set(missing.map((program) => PROGRAMS[program] ?? program))];
}

/** Whether PATH leads to it. */
export function isInstalled(program: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
}

/** Starts a program with its output in a file of the sandbox and waits until it listens. */
export async function run(
  sandbox: Sandbox,
  name: string,
  address: Address,
  program: string,
  args: readonly string[],
): Promise<Subject> {
  const logFile = join(sandbox.folder, `${name}.log`);
  const log = openSync(logFile, 'a');
  const child = spawn(program, args, { stdio: ['ignore', log, log] });
  child.on('error', () => {});
  sandbox.onClose(() => stop(child));
  await until(`${name} to listen on ${address}`, () => {
    if (child.exitCode !== null) throw new Error(`${name} did not start:\n${readFileSync(logFile, 'utf8')}`);
    return answers(address);
  });
  return { address, pid: child.pid ?? 0 };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  await exit;
}
