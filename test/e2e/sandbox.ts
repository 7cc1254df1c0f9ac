/**
 * sandbox - a folder and ports of a test's own, and everything that was started in it, put away in reverse order.
 *
 * Ports are taken below the range from which the kernel gives ports to outgoing connections, so that no connection of
 * another test can sit on one between choosing and binding.
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const FIRST_PORT = 20_000;
const PORTS = 10_000;
const taken = new Set<number>();

export class Sandbox {
  readonly folder: string;
  readonly #cleanups: (() => Promise<void> | void)[] = [];

  /** The folder, below `parent`, can be entered by every user: mail software drops root's rights. */
  constructor(name: string, parent = tmpdir()) {
    this.folder = mkdtempSync(join(parent, `postern-${name}-`));
    chmodSync(this.folder, 0o755);
    this.onClose(() => rmSync(this.folder, { recursive: true, force: true }));
  }

  onClose(cleanup: () => Promise<void> | void): void {
    this.#cleanups.push(cleanup);
  }

  /** Puts everything away, also when one of the clean-ups fails; the first failure is thrown at the end. */
  async close(): Promise<void> {
    const failures: unknown[] = [];
    for (const cleanup of this.#cleanups.splice(0).reverse()) {
      try {
        await cleanup();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}

/** A TCP port of 127.0.0.1 on which nobody listens. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST_PORT + Math.floor(Math.random() * PORTS);
    if (taken.has(port) || !(await canBind(port))) continue;
    taken.add(port);
    return port;
  }
}

/** `127.0.0.1:port`, with a port on which nobody listens. */
export async function freeAddress(): Promise<Address> {
  return `127.0.0.1:${await freePort()}`;
}

/** Whether a server could listen on 127.0.0.1:port now. */
export function canBind(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}

/** Where a server listens: `127.0.0.1:25` or `unix:/path`. */
export type Address = string;

export function portOf(address: Address): string {
  return address.slice(address.lastIndexOf(':') + 1);
}

export function socketOptions(address: Address): { host: string; port: number } | { path: string } {
  if (address.startsWith('unix:')) return { path: address.slice('unix:'.length) };
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
}

/** Whether something accepts connections at the address. */
export function answers(address: Address): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketOptions(address));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/**
 * Asks until the answer is neither null nor false, and gives it back. Throws, naming what was waited for, when `limit`
 * milliseconds have passed.
 */
export async function until<T>(
  what: string,
  ask: () => Promise<T | null | false> | T | null | false,
  limit = 20_000,
): Promise<T> {
  const end = Date.now() + limit;
  for (;;) {
    const answer = await ask();
    if (answer !== null && answer !== false) return answer;
    if (Date.now() > end) throw new Error(`waited ${limit / 1000} s in vain for ${what}`);
    await pause(50);
  }
}
