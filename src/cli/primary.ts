/**
 * primary - serving in several processes (node:cluster): Crew over workers. It holds no mail and sees none; it accepts
 * connections and deals them out in turn.
 *
 * A worker that dies takes its sessions with it: their connections are closed without a reply, and their clients keep the
 * mail. Another takes its place, later and later where workers keep dying young.
 */
import cluster, { type Worker } from 'node:cluster';
import type { Config } from '../config/config.ts';
import type { Log } from '../core/log.ts';
import type { Streams } from './command.ts';
import type { Crew } from './crew.ts';
import { createLog } from './log.ts';
import { Metrics } from './metrics.ts';
import { observedLog } from './observed-log.ts';
import { ask, type Word } from './orders.ts';
import { needsRestart, type Report, tryLoad } from './service.ts';
import { workerEnvironment } from './worker.ts';

const FIRST_PAUSE = 200;
const LONGEST_PAUSE = 30_000;
/** Milliseconds; who dies younger makes the pause longer. */
const YOUNG = 10_000;
/** A worker that is too busy to report is left out. */
const REPORT_PATIENCE = 2_000;
/** A worker that hangs must not keep the others from a reload's end. */
const RELOAD_PATIENCE = 30_000;

export class Primary implements Crew {
  readonly log: Log;
  readonly #file: string;
  readonly #streams: Streams;
  readonly #metrics: Metrics | null;
  readonly #inherited: ReadonlyMap<string, number>;
  readonly #ready = new Set<Worker>();
  #config: Config;
  #stopping = false;
  #pause = FIRST_PAUSE;
  readonly lost: Promise<void>;
  #lose: () => void = () => {};
  /** Reloads and replacements happen one after the other. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(file: string, config: Config, inherited: ReadonlyMap<string, number>, streams: Streams) {
    this.lost = new Promise((resolve) => {
      this.#lose = resolve;
    });
    this.#file = file;
    this.#config = config;
    this.#inherited = inherited;
    this.#streams = streams;
    this.#metrics = config.admin === null ? null : new Metrics(() => null, Date.now);
    this.log = observedLog(createLog(config.log), this.#metrics === null ? [] : [this.#metrics]);
  }

  /** The first worker alone: what keeps it from starting is told once. */
  async start(): Promise<string | null> {
    const { workers } = this.#config;
    if (!(await this.#fork())) return '';
    const others = await Promise.all(Array.from({ length: workers - 1 }, () => this.#fork()));
    return others.every((ready) => ready) ? null : 'not all workers could start';
  }

  notReady(): string | null {
    if (this.#stopping) return 'draining';
    return this.#ready.size === 0 ? 'no worker is ready' : null;
  }

  async reports(): Promise<readonly Report[]> {
    const own = { sample: (await this.#metrics?.sample()) ?? [], stats: null };
    const others = await Promise.all([...this.#ready].map((worker) => ask(worker, 'report', REPORT_PATIENCE)));
    return [own, ...others.flatMap((report) => report ?? [])];
  }

  reload(): Promise<void> {
    return this.#inTurn(async () => {
      const problem = this.#stopping ? 'stopping' : await this.#prepareAll();
      if (problem !== null) this.log.warn('reload-refused', { reason: problem });
      else this.log.info('reloaded', { file: this.#file, workers: this.#ready.size });
    });
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.log.info('draining', { seconds: this.#config.timeouts.drain / 1000, workers: this.#ready.size });
    await this.#turn;
    const workers = Object.values(cluster.workers ?? {}).flatMap((worker) => worker ?? []);
    await Promise.all(
      workers.map((worker) => {
        const ended = new Promise((resolve) => worker.once('exit', resolve));
        void ask(worker, 'drain');
        return worker.isDead() ? null : ended;
      }),
    );
    this.log.info('stopped');
  }

  kill(): void {
    for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill('SIGKILL');
  }

  /** Everybody is ready for what the files say now and has it in force, or nobody; then the problem. */
  async #prepareAll(): Promise<string | null> {
    const options = { file: this.#file, streams: this.#streams, processes: this.#config.workers };
    const config = await tryLoad(options, this.log);
    if (config === null) return 'see standard error; the old configuration stays in force';
    const workers = [...this.#ready];
    const problems = await Promise.all(
      workers.map(async (worker) => {
        const answer = await ask(worker, 'prepare', RELOAD_PATIENCE);
        // Who died is replaced by one that reads what the files say now.
        if (answer === null) return worker.isDead() ? null : `worker ${worker.id} does not answer`;
        return answer.problem;
      }),
    );
    const problem = problems.find((one) => one !== null) ?? null;
    const order = problem === null ? 'commit' : 'abort';
    await Promise.all(workers.map((worker) => ask(worker, order, RELOAD_PATIENCE)));
    if (problem !== null) return problem;
    const keys = needsRestart(this.#config, config);
    if (keys.length > 0) this.log.warn('restart-needed', { keys });
    this.#config = { ...config, workers: this.#config.workers };
    return null;
  }

  /** Whether a new worker came to take mail; when it ends it is replaced. */
  #fork(): Promise<boolean> {
    const worker = cluster.fork(workerEnvironment(this.#config.workers, this.#inherited));
    const born = Date.now();
    return new Promise((resolve) => {
      worker.on('message', (word: Word) => {
        if (!('ready' in word)) return;
        this.#ready.add(worker);
        this.log.info('worker-ready', { worker: worker.id, pid: worker.process.pid });
        resolve(true);
      });
      worker.once('exit', (code, signal) => {
        const served = this.#ready.delete(worker);
        resolve(false);
        if (served && !this.#stopping) this.#replace(worker, code, signal, Date.now() - born);
      });
    });
  }

  #replace(worker: Worker, code: number | null, signal: string | null, age: number): void {
    if (this.#ready.size === 0 && this.#inherited.size > 0) {
      // The sockets were closed with their last listener, and only systemd can hand them over again.
      this.log.error('no-workers', new Error('all workers died; the inherited sockets are lost'));
      this.#lose();
      return;
    }
    const pause = age < YOUNG ? this.#pause : FIRST_PAUSE;
    this.#pause = Math.min(pause * 2, LONGEST_PAUSE);
    this.log.warn('worker-died', { worker: worker.id, pid: worker.process.pid, code, signal, replacedIn: pause });
    setTimeout(() => {
      void this.#inTurn(async () => {
        if (this.#stopping) return;
        const began = Date.now();
        if (!(await this.#fork()) && !this.#stopping) this.#replace(worker, null, null, Date.now() - began);
      });
    }, pause);
  }

  #inTurn(step: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(step);
    this.#turn = done.catch((error: unknown) => this.log.error('primary', error));
    return done;
  }
}
