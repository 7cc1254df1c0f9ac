/**
 * pool - connections kept between transactions: few, not for long, the one used last first.
 *
 * A kept connection that gets data or closes is dropped at once; that it still works is only known when it is used.
 */
import type { Connection } from './connection.ts';
import type { Address } from './dial.ts';

export interface PoolOptions {
  readonly maxIdle: number;
  /** Milliseconds. */
  readonly idleLimit: number;
}

export class Pool {
  readonly #options: PoolOptions;
  readonly #idle: Connection[] = [];
  #closed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** A kept connection to that address, or null. */
  take(address: Address): Connection | null {
    const index = this.#idle.findLastIndex((connection) => connection.address === address);
    const [connection = null] = index === -1 ? [] : this.#idle.splice(index, 1);
    connection?.unpark();
    return connection;
  }

  /** Keeps a connection whose dialog is in step, or says QUIT. */
  keep(connection: Connection): void {
    if (this.#closed || this.#idle.length >= this.#options.maxIdle) {
      void connection.quit();
      return;
    }
    this.#idle.push(connection);
    connection.park(this.#options.idleLimit, () => {
      const index = this.#idle.indexOf(connection);
      if (index !== -1) this.#idle.splice(index, 1);
    });
  }

  /** Says QUIT to all that are kept, and keeps none from now on. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#idle.splice(0).map((connection) => connection.quit()));
  }
}
