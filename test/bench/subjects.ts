/**
 * subjects - the programs under test: each is started once, listens on a port of its own and is kept over all rounds.
 */
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Address, freeAddress, type Sandbox } from '../e2e/sandbox.ts';
import { PEER } from './peers.ts';
import { run, type Subject, type Surroundings } from './programs.ts';
import { writeRules } from './rulesets.ts';
import { isPeer, type Protocol, type SubjectName, type VariantName } from './scenarios.ts';

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

/** Starts what stands between the client and smtp-sink. */
export function startSubject(name: Exclude<SubjectName, 'sink'>, around: Surroundings): Promise<Subject> {
  if (name === 'haproxy') return startHaproxy(around);
  if (name === 'bare pipe') return startBarePipe(around);
  return isPeer(name) ? PEER[name].start(around) : startVariant(name, around);
}

async function startHaproxy({ sandbox, protocol, sink }: Surroundings): Promise<Subject> {
  const address = await freeAddress();
  const file = join(sandbox.folder, `haproxy-${protocol}.cfg`);
  writeFileSync(file, haproxyConfig(address, sink));
  return run(sandbox, `haproxy-${protocol}-${address}`, address, 'haproxy', ['-db', '-f', file]);
}

async function startBarePipe({ sandbox, protocol, sink }: Surroundings): Promise<Subject> {
  const address = await freeAddress();
  const program = join(import.meta.dirname, 'bare-pipe.js');
  return run(sandbox, `bare-pipe-${protocol}-${address}`, address, process.execPath, [program, address, sink]);
}

function startVariant(name: VariantName, around: Surroundings): Promise<Subject> {
  return startPostern({ ...around, ...writeRules(around.sandbox, name, around.large === true) });
}

interface PosternOptions extends Surroundings {
  /** The system's rules; the shipped ones where they are left out. */
  readonly system?: string;
  /** Further lines of the configuration. */
  readonly more?: string;
}

export async function startPostern(options: PosternOptions): Promise<Subject> {
  const { sandbox, protocol, sink, system = resolve('rules', 'system.yaml'), more = '' } = options;
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
