/**
 * alone - serving in one process: Crew over one Service.
 */
import type { Crew } from './crew.ts';
import { needsRestart, type Report, type Service } from './service.ts';

export class Alone implements Crew {
  readonly #service: Service;
  readonly #file: string;
  #state: string | null = 'starting';

  constructor(service: Service, file: string) {
    this.#service = service;
    this.#file = file;
  }

  async start(): Promise<string | null> {
    const problem = await this.#service.open();
    if (problem === null) this.#state = null;
    return problem;
  }

  notReady(): string | null {
    return this.#state;
  }

  async reports(): Promise<readonly Report[]> {
    return [await this.#service.report()];
  }

  async reload(): Promise<void> {
    const { log, config } = this.#service;
    const prepared = await this.#service.prepare();
    if (typeof prepared === 'string') {
      log.warn('reload-refused', { reason: prepared });
      return;
    }
    if (this.#state !== null) {
      await this.#service.abort(prepared);
      log.warn('reload-refused', { reason: this.#state });
      return;
    }
    const committed = this.#service.commit(prepared);
    log.info('reloaded', { file: this.#file });
    const keys = needsRestart(config, prepared.config);
    if (keys.length > 0) log.warn('restart-needed', { keys });
    await committed;
  }

  async stop(): Promise<void> {
    this.#state = 'draining';
    const { log, config, sessions } = this.#service;
    log.info('draining', { seconds: config.timeouts.drain / 1000, sessions });
    await this.#service.stop();
    log.info('stopped');
  }

  kill(): void {}
}
