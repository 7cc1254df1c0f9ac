/**
 * subjects - the programs under test: each is started once, listens on a port of its own and is kept over all rounds.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Address, answers, freeAddress, type Sandbox, until } from '../e2e/sandbox.ts';
import { writeRules } from './rulesets.ts';
import type { Protocol, RulesetName, SubjectName } from './scenarios.ts';

export interface Subject {
  readonly address: Address;
  /** The process whose time on the processor is counted. */
  readonly pid: number;
}

/** What a subject hands its messages to, and where it may write. */
interface Surroundings {
  readonly sandbox: Sandbox;
  readonly protocol: Protocol;
  /** Where smtp-sink listens. */
  readonly sink: Address;
  /** Postern's rules, where they are not the shipped ones. */
  readonly system?: string;
  /** Further lines of Postern's configuration. */
  readonly more?: string;
}

/** Debian packages of the programs that are needed beside Postern itself. */
const PROGRAMS: Readonly<Record<string, string>> = {
  'smtp-source': 'postfix',
  'smtp-sink': 'postfix',
  haproxy: 'haproxy',
};

/** The packages to install for those of `programs` that are missing. */
export function missingPackages(programs: readonly string[]): readonly string[] {
  const missing = programs.filter((program) => spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0);
  return [...new Set(missing.map((program) => PROGRAMS[program] ?? program))];
}

/** smtp-sink takes every message and keeps none; as root it wants another user to run as. */
export async function startSink(sandbox: Sandbox, protocol: Protocol): Promise<Subject> {
  const user = process.getuid?.() === 0 ? ['-u', 'nobody'] : [];
  const address = await freeAddress();
  return run(sandbox, `sink-${protocol}`, address, 'smtp-sink', [
    ...user,
    ...(protocol === 'lmtp' ? ['-L'] : []),
    address,
    '1000',
  ]);
}

/** Starts what stands between smtp-source and smtp-sink. */
export const START: Readonly<Record<Exclude<SubjectName, 'sink'>, (around: Surroundings) => Promise<Subject>>> = {
  async haproxy({ sandbox, protocol, sink }) {
    const address = await freeAddress();
    const file = join(sandbox.folder, `haproxy-${protocol}.cfg`);
    writeFileSync(file, haproxyConfig(address, sink));
    return run(sandbox, `haproxy-${protocol}`, address, 'haproxy', ['-db', '-f', file]);
  },
  postern: (around) => startPostern(around),
  'postern, no rules': (around) => startWith(around, 'postern, no rules'),
  'postern, 1,000 rules more': (around) => startWith(around, 'postern, 1,000 rules more'),
  'postern, 1,371 taboo patterns more': (around) => startWith(around, 'postern, 1,371 taboo patterns more'),
  'postern, 100,000 lists': (around) => startWith(around, 'postern, 100,000 lists'),
};

function startWith(around: Surroundings, name: RulesetName): Promise<Subject> {
  return startPostern({ ...around, ...writeRules(around.sandbox, name) });
}

async function startPostern(around: Surroundings): Promise<Subject> {
  const { sandbox, protocol, sink, system = resolve('rules', 'system.yaml'), more = '' } = around;
  const address = await freeAddress();
  const file = join(sandbox.folder, `postern-${address}.yaml`);
  writeFileSync(file, posternConfig(protocol, address, sink, system) + more);
  const main = resolve('dist', 'cli', 'main.js');
  return run(sandbox, `postern-${address}`, address, process.execPath, [main, 'serve', '--config', file]);
}

/** TCP mode: octets are passed on without a look at them. Threads as the package has them: one for each processor. */
function haproxyConfig(address: Address, sink: Address): string {
  return `global
  maxconn 1000
defaults
  mode tcp
  timeout connect 5s
  timeout client 60s
  timeout server 60s
listen mail
  bind ${address}
  server sink ${sink}
`;
}

/** The log is as it is by default: one JSON line for each transaction. */
function posternConfig(protocol: Protocol, address: Address, sink: Address, system: string): string {
  return `version: 1
hostname: bench.example.org
listen:
  - ${protocol}: ${address}
downstreams:
  sink: { ${protocol}: ${sink} }
routes:
  - { to: sink }
rules:
  system: ${system}
`;
}

/** Starts a program with its output in a file of the sandbox and waits until it listens. */
async function run(
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
