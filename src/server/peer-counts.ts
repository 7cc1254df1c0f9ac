/**
 * peer-counts - how many connections each client address has; holds no more entries than there are connections.
 */

export class PeerCounts {
  readonly #counts = new Map<string, number>();

  /** Counts one more; how many there are now. */
  enter(address: string): number {
    const count = (this.#counts.get(address) ?? 0) + 1;
    this.#counts.set(address, count);
    return count;
  }

  leave(address: string): void {
    const count = (this.#counts.get(address) ?? 0) - 1;
    if (count > 0) this.#counts.set(address, count);
    else this.#counts.delete(address);
  }
}
