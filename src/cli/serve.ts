/**
 * serve - listens until SIGTERM or SIGINT, which let messages under way finish; a second signal ends at once.
 *
 * SIGHUP reads configuration and rules again, all or nothing: what does not load changes nothing and is logged.
 */
import { readFileSync } from 'node:fs';
import type { Config } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import type { Log } from '../core/log.ts';
import type { Listener } from '../server/listener.ts';
import type { Ledger } from '../store/ledger.ts';
import { memoryLedger } from '../store/memory-ledger.ts';
import { type Command, readArguments, type Streams } from './command.ts';
import { composeGeneration, composeListener, composeMemory, type Generation, listenerName } from './compose.ts';
import { findConfig } from './config-file.ts';
import { printDiagnostics } from './diagnostics.ts';
import { createLog } from './log.ts';

const HELP = `Usage: postern serve [--config FILE] [--when-ready FILE]

Serves until SIGTERM (messages under way finish first). SIGHUP reads configuration and rules again.

  --config FILE       the configuration; default postern.yaml here, then /etc/postern/postern.yaml
  --when-ready FILE   prints this text once the listeners are open

Example: postern serve --config /etc/postern/postern.yaml
`;

/** What outlives a reload. */
interface Lasting {
  readonly memory: ReturnType<typeof composeMemory>;
  readonly ledger: Ledger;
}

interface Loaded {
  readonly config: Config;
  readonly generation: Generation;
}

/** Configuration and rules, or null after printing what is wrong with them. */
async function load(
  file: string,
  logOf: (config: Config) => Log,
  { memory, ledger }: Lasting,
  streams: Streams,
): Promise<Loaded | null> {
  const { config, diagnostics, text } = loadConfig(file);
  printDiagnostics(diagnostics, () => text, streams);
  if (config === null) return null;
  const composed = await composeGeneration(config, logOf(config), memory, ledger);
  printDiagnostics(composed.diagnostics, (name) => composed.sources.get(name) ?? null, streams);
  return composed.generation === null ? null : { config, generation: composed.generation };
}

class Service {
  readonly #file: string;
  readonly #log: Log;
  readonly #streams: Streams;
  readonly #lasting: Lasting;
  readonly #listeners = new Map<string, Listener>();
  #generation: Generation;

  constructor(file: string, generation: Generation, log: Log, lasting: Lasting, streams: Streams) {
    this.#lasting = lasting;
    this.#file = file;
    this.#generation = generation;
    this.#log = log;
    this.#streams = streams;
  }

  /** Opens the listeners of `config` that are not open yet; all or none. The problem in one line, or null. */
  async open(config: Config): Promise<string | null> {
    const opened: [string, Listener][] = [];
    for (const wanted of config.listen) {
      const name = listenerName(wanted);
      if (this.#listeners.has(name)) continue;
      const listener = composeListener(
        wanted,
        () => this.#generation,
        () => this.#connections(),
        this.#log,
      );
      try {
        await listener.open();
        opened.push([name, listener]);
      } catch (error) {
        for (const [, other] of opened) await other.drain(0);
        return cannotListen(name, error);
      }
    }
    for (const [name, listener] of opened) this.#listeners.set(name, listener);
    return null;
  }

  /** Asks each server downstream once what it offers; that one is down now is worth knowing, and no reason to stop. */
  async probe(): Promise<void> {
    for (const downstream of this.#generation.downstreams.values()) {
      const problem = (await downstream.probe?.()) ?? null;
      if (problem !== null) this.#log.warn('downstream-unreachable', { downstream: downstream.name, problem });
    }
  }

  async reload(): Promise<void> {
    const loaded = await load(this.#file, () => this.#log, this.#lasting, this.#streams);
    if (loaded === null) {
      this.#log.warn('reload-refused', { reason: 'see standard error; the old configuration stays in force' });
      return;
    }
    const { config, generation } = loaded;
    const problem = await this.open(config);
    if (problem !== null) {
      await generation.close();
      this.#log.warn('reload-refused', { reason: problem });
      return;
    }
    const old = this.#generation;
    this.#generation = generation;
    const kept = new Set(config.listen.map(listenerName));
    for (const [name, listener] of this.#listeners) {
      if (kept.has(name)) continue;
      this.#listeners.delete(name);
      void listener.drain(config.timeouts.drain);
    }
    this.#log.info('reloaded', { file: this.#file });
    void this.probe();
    await old.close();
  }

  async stop(): Promise<void> {
    const { drain } = this.#generation.config.timeouts;
    this.#log.info('draining', { seconds: drain / 1000, sessions: this.#connections() });
    await Promise.all([...this.#listeners.values()].map((listener) => listener.drain(drain)));
    await this.#generation.close();
    this.#lasting.ledger.close();
    this.#log.info('stopped');
  }

  #connections(): number {
    let sum = 0;
    for (const { sessions } of this.#listeners.values()) sum += sessions;
    return sum;
  }
}

function cannotListen(name: string, error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const advice: Record<string, string> = {
    EADDRINUSE: 'another program listens there; stop it, or choose another address under "listen:"',
    EACCES: 'not permitted; ports below 1024 and that folder need privileges',
    EADDRNOTAVAIL: 'this machine has no such address',
    ENOENT: 'the folder of that socket does not exist',
  };
  return `cannot listen on ${name}: ${advice[code] ?? (error instanceof Error ? error.message : String(error))}`;
}

async function run(args: readonly string[], streams: Streams): Promise<number> {
  const { values } = readArguments(args, { config: { type: 'string' }, 'when-ready': { type: 'string' } }, false);
  const file = findConfig(values.config as string | undefined);
  const greeting = values['when-ready'] as string | undefined;
  let log: Log | null = null;
  const lasting = { memory: composeMemory(), ledger: memoryLedger() };
  const loaded = await load(file, ({ log: options }) => (log ??= createLog(options)), lasting, streams);
  if (loaded === null || log === null) return 1;
  const service = new Service(file, loaded.generation, log, lasting, streams);
  const problem = await service.open(loaded.config);
  if (problem !== null) {
    streams.err(`postern: ${problem}\n`);
    await loaded.generation.close();
    return 1;
  }
  return await untilStopped(service, loaded.config, greeting, log, streams);
}

function untilStopped(
  service: Service,
  config: Config,
  greeting: string | undefined,
  log: Log,
  streams: Streams,
): Promise<number> {
  log.info('listening', { listeners: config.listen.map(listenerName), pid: process.pid });
  if (greeting !== undefined) streams.out(readFileSync(greeting, 'utf8'));
  void service.probe();
  // A bug in one transaction must not take the others with it: it is logged with its stack, and the process lives.
  process.on('uncaughtException', (error) => log.error('uncaught', error));
  process.on('unhandledRejection', (error) => log.error('unhandled-rejection', error));
  let reloading = Promise.resolve();
  process.on('SIGHUP', () => {
    reloading = reloading.then(() => service.reload()).catch((error: unknown) => log.error('reload', error));
  });
  return new Promise((resolve) => {
    let stopping = false;
    const stop = (): void => {
      if (stopping) resolve(1);
      stopping = true;
      service.stop().then(
        () => resolve(0),
        (error: unknown) => {
          log.error('stop', error);
          resolve(1);
        },
      );
    };
    process.on('SIGTERM', stop);
    process.on('SIGINT', stop);
  });
}

export const serveCommand: Command = {
  name: 'serve',
  summary: 'takes mail until it is told to stop',
  help: HELP,
  run,
};
