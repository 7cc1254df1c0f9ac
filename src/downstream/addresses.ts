/**
 * addresses - the addresses of one downstream, in the order in which they are to be tried, and which of them are down.
 *
 * They are equals: whoever answers first in their order gets the message. One that fails is put behind the others for a
 * while, so that it costs a wait only now and then; it is never given up, because it may be the last one left.
 */
import type { Address } from './dial.ts';

/** Milliseconds for which an address that failed is put behind the others. */
const RETRY_AFTER = 60_000;

export class Addresses {
  readonly #addresses: readonly Address[];
  readonly #now: () => number;
  readonly #downUntil = new Map<Address, number>();

  constructor(addresses: readonly Address[], now: () => number = Date.now) {
    this.#addresses = addresses;
    this.#now = now;
  }

  /** All of them: those held to be up, then those held to be down, each in the order of the configuration. */
  order(): readonly Address[] {
    if (this.#downUntil.size === 0) return this.#addresses;
    const now = this.#now();
    const isUp = (address: Address): boolean => (this.#downUntil.get(address) ?? 0) <= now;
    const up = this.#addresses.filter(isUp);
    const [first] = up;
    // Whoever asks now finds out whether it is back; the others do without it meanwhile.
    if (first !== undefined && this.#downUntil.has(first)) this.#downUntil.set(first, now + RETRY_AFTER);
    return [...up, ...this.#addresses.filter((address) => !up.includes(address))];
  }

  worked(address: Address): void {
    this.#downUntil.delete(address);
  }

  failed(address: Address): void {
    this.#downUntil.set(address, this.#now() + RETRY_AFTER);
  }
}
