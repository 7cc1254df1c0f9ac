/**
 * service - what takes mail in one process: a generation in force and its listeners; loaded, reloaded, stopped.
 *
 * A reload has two steps, so that several processes can take them together or not at all: `prepare` does everything
 * that can fail and changes nothing for clients, `commit` cannot fail.
 */
import { formatAddress } from '../config/address.ts';
import type { Config } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import type { Log } from '../core/log.ts';
import type { Listener } from '../server/listener.ts';
import type { Streams } from './command.ts';
import {
  composeGeneration,
  composeListener,
  composeLasting,
  type Generation,
  type Lasting,
  listenerName,
} from './compose.ts';
import { printDiagnostics } from './diagnostics.ts';
import { createLog } from './log.ts';
import { type Live, Metrics, type Sample } from './metrics.ts';
import { observedLog } from './observed-log.ts';
import { type Stats, Tally } from './tally.ts';

/** What one process has counted. */
export interface Report {
  readonly sample: Sample;
  /** null from a process that takes no mail. */
  readonly stats: Stats | null;
}

export interface Loaded {
  readonly config: Config;
  readonly generation: Generation;
}

/** A generation that waits to be put in force, and the listeners opened for it. */
export interface Prepared extends Loaded {
  readonly opened: ReadonlyMap<string, Listener>;
}

export interface ServiceOptions {
  readonly file: string;
  readonly streams: Streams;
  /** Processes that share what is limited for all of them together. */
  readonly processes: number;
  /** Listening sockets that were handed to us: listener's address to file descriptor. */
  readonly inherited: ReadonlyMap<string, number>;
}

type LoadOptions = Pick<ServiceOptions, 'file' | 'streams' | 'processes'>;

/** The configuration, of which nothing is kept running, or null after printing what is wrong with it or its rules. */
export async function tryLoad(options: LoadOptions, log: Log): Promise<Config | null> {
  const lasting = composeLasting();
  const loaded = await load(options, () => log, lasting);
  await loaded?.generation.close();
  lasting.close();
  return loaded?.config ?? null;
}

/** Configuration and rules, or null after printing what is wrong with them. */
async function load(options: LoadOptions, logOf: (config: Config) => Log, lasting: Lasting): Promise<Loaded | null> {
  const { file, streams, processes } = options;
  const { config: whole, diagnostics, text } = loadConfig(file);
  printDiagnostics(diagnostics, () => text, streams);
  if (whole === null) return null;
  const config = shareOf(whole, processes);
  const composed = await composeGeneration(config, logOf(config), lasting);
  printDiagnostics(composed.diagnostics, (name) => composed.sources.get(name) ?? null, streams);
  return composed.generation === null ? null : { config, generation: composed.generation };
}

/** The limits of one of several processes: what is said for all is divided, so that it stays true for all. */
export function shareOf(config: Config, processes: number): Config {
  const { memory, connections, connectionsPerPeer } = config.limits;
  const share = (of: number): number => Math.max(1, Math.floor(of / processes));
  const shareOrNone = (of: number | null): number | null => (of === null ? null : share(of));
  return {
    ...config,
    downstreams: config.downstreams.map((one) => {
      if (one.kind === 'maildir') return one;
      if (one.kind === 'pipe') return { ...one, connections: share(one.connections) };
      return { ...one, connections: shareOrNone(one.connections) };
    }),
    limits: {
      ...config.limits,
      memory: share(memory),
      connections: share(connections),
      connectionsPerPeer: shareOrNone(connectionsPerPeer),
    },
  };
}

/** Keys that a reload does not reach and that are not the same in both. */
export function needsRestart(old: Config, fresh: Config): readonly string[] {
  const keys = ['admin', 'workers', 'log'] as const;
  return keys.filter((key) => JSON.stringify(old[key]) !== JSON.stringify(fresh[key]));
}

export class Service {
  readonly log: Log;
  readonly #options: ServiceOptions;
  readonly #lasting: Lasting;
  readonly #tally: Tally;
  readonly #metrics: Metrics | null;
  readonly #listeners = new Map<string, Listener>();
  readonly #inherited: Map<string, number>;
  #generation: Generation;
  #loaded = Date.now();

  /** Null after printing what is wrong with configuration or rules. */
  static async load(options: ServiceOptions): Promise<Service | null> {
    let service: Service | null = null;
    let log: Log | null = null;
    let metrics: Metrics | null = null;
    const tally = new Tally(Date.now);
    const lasting = composeLasting();
    const logOf = (config: Config): Log => {
      // Counting costs little, but nobody asks where there is no address to ask at.
      if (config.admin !== null) metrics = new Metrics(() => service?.live() ?? null, Date.now);
      log = observedLog(createLog(config.log), metrics === null ? [] : [tally, metrics]);
      return log;
    };
    const loaded = await load(options, logOf, lasting);
    if (loaded === null || log === null) return null;
    service = new Service(options, loaded.generation, lasting, log, tally, metrics);
    return service;
  }

  private constructor(
    options: ServiceOptions,
    generation: Generation,
    lasting: Lasting,
    log: Log,
    tally: Tally,
    metrics: Metrics | null,
  ) {
    this.#options = options;
    this.#inherited = new Map(options.inherited);
    this.#generation = generation;
    this.#lasting = lasting;
    this.log = log;
    this.#tally = tally;
    this.#metrics = metrics;
  }

  get config(): Config {
    return this.#generation.config;
  }

  get sessions(): number {
    let sum = 0;
    for (const { sessions } of this.#listeners.values()) sum += sessions;
    return sum;
  }

  /** Opens the listeners, all or none. The problem in one line, or null. */
  async open(): Promise<string | null> {
    const opened = await this.#openMissing(this.config);
    if (typeof opened === 'string') {
      await this.#generation.close();
      return opened;
    }
    for (const [name, listener] of opened) this.#listeners.set(name, listener);
    void this.#probe();
    return null;
  }

  /** Reads configuration and rules again and opens what is new; or what is wrong, in one line. */
  async prepare(): Promise<Prepared | string> {
    const loaded = await load(this.#options, () => this.log, this.#lasting);
    if (loaded === null) return 'see standard error; the old configuration stays in force';
    const opened = await this.#openMissing(loaded.config);
    if (typeof opened !== 'string') return { ...loaded, opened };
    await loaded.generation.close();
    return opened;
  }

  /** Resolves when nothing needs the old generation any more; the new one is in force at once. */
  async commit({ config, generation, opened }: Prepared): Promise<void> {
    const old = this.#generation;
    this.#generation = generation;
    this.#loaded = Date.now();
    this.#tally.assumeAllUp();
    for (const [name, listener] of opened) this.#listeners.set(name, listener);
    const kept = new Set(config.listen.map(listenerName));
    for (const [name, listener] of this.#listeners) {
      if (kept.has(name)) continue;
      this.#listeners.delete(name);
      void listener.drain(config.timeouts.drain);
    }
    void this.#probe();
    await old.close();
  }

  /** Gives back what was prepared. */
  async abort({ generation, opened }: Prepared): Promise<void> {
    await Promise.all([...opened.values()].map((listener) => listener.drain(0)));
    await generation.close();
  }

  /** Lets messages under way finish for at most `timeouts.drain`, then cuts off what is left. */
  async stop(): Promise<void> {
    const { drain } = this.config.timeouts;
    await Promise.all([...this.#listeners.values()].map((listener) => listener.drain(drain)));
    await this.#generation.close();
    this.#lasting.close();
  }

  live(): Live {
    return {
      listeners: [...this.#listeners].map(([name, { sessions, connections }]) => ({ name, sessions, connections })),
      contentInMemory: this.#generation.contentInMemory(),
      loaded: this.#loaded,
      downstreams: this.#downstreams().map((name) => ({ name, up: this.#tally.isUp(name) })),
    };
  }

  async report(): Promise<Report> {
    const { listeners, contentInMemory } = this.live();
    const connections = listeners.reduce((sum, one) => sum + one.connections, 0);
    const { rulebook } = this.#generation;
    const [slowest, shadows] = [rulebook.ruleTimes(), rulebook.shadowCounts()];
    const stats = this.#tally.stats(
      { sessions: this.sessions, connections, contentInMemory, slowest, shadows },
      this.#downstreams(),
    );
    return { sample: (await this.#metrics?.sample()) ?? [], stats };
  }

  #downstreams(): readonly string[] {
    return this.config.downstreams.map(({ name }) => name);
  }

  /** Asks each server downstream once what it offers; that one is down now is worth knowing, and no reason to stop. */
  async #probe(): Promise<void> {
    for (const downstream of this.#generation.downstreams.values()) {
      const problem = (await downstream.probe?.()) ?? null;
      if (problem !== null) this.log.warn('downstream-unreachable', { downstream: downstream.name, problem });
    }
  }

  async #openMissing(config: Config): Promise<ReadonlyMap<string, Listener> | string> {
    const opened = new Map<string, Listener>();
    for (const wanted of config.listen) {
      const name = listenerName(wanted);
      if (this.#listeners.has(name)) continue;
      const listener = composeListener(
        wanted,
        () => this.#generation,
        () => this.sessions,
        this.log,
        this.#inherited.get(formatAddress(wanted.address)) ?? null,
      );
      try {
        await listener.open();
        opened.set(name, listener);
        // It is closed with its listener: whoever wants that address again opens it anew.
        this.#inherited.delete(formatAddress(wanted.address));
      } catch (error) {
        for (const other of opened.values()) await other.drain(0);
        return cannotListen(name, error);
      }
    }
    return opened;
  }
}

export function cannotListen(name: string, error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const advice: Record<string, string> = {
    EADDRINUSE: 'another program listens there; stop it, or choose another address in the configuration',
    // The platform says this of a folder that is missing, too.
    EACCES: 'ports below 1024 need privileges; the folder of a unix socket must exist and be writable',
    EADDRNOTAVAIL: 'this machine has no such address',
  };
  return `cannot listen on ${name}: ${advice[code] ?? (error instanceof Error ? error.message : String(error))}`;
}
