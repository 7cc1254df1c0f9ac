/**
 * proxy - reads the PROXY header off a fresh connection, before the session begins.
 *
 * Whoever does not write one in time is told nothing: a client that came past the proxy learns nothing of us.
 */
import type { Socket } from 'node:net';
import { type ProxySource, parseProxyHeader } from '../smtp/proxy-header.ts';

export type ProxyResult = { readonly source: ProxySource } | { readonly problem: string };

/**
 * Calls `done` once: with the client that the header names, the octets behind it back in the socket; or with what is
 * wrong, and then the socket is destroyed. `patience` in milliseconds, for the header as a whole.
 */
export function readProxyHeader(socket: Socket, patience: number, done: (result: ProxyResult) => void): void {
  let octets = Buffer.alloc(0);
  const conclude = (result: ProxyResult): void => {
    clearTimeout(timer);
    socket.off('readable', read).off('end', ended).off('close', ended).off('error', failed);
    if ('problem' in result) socket.on('error', () => {}).destroy();
    done(result);
  };
  const read = (): void => {
    const chunk: Buffer | null = socket.read();
    if (chunk === null) return;
    octets = Buffer.concat([octets, chunk]);
    const header = parseProxyHeader(octets);
    if (header.kind === 'incomplete') return;
    if (header.kind === 'invalid') {
      conclude({ problem: header.problem });
      return;
    }
    const rest = octets.subarray(header.length);
    if (rest.length > 0) socket.unshift(rest);
    conclude({ source: header.source });
  };
  const ended = (): void => conclude({ problem: 'the connection was closed before the PROXY header' });
  const failed = (error: Error): void => conclude({ problem: error.message });
  const timer = setTimeout(() => conclude({ problem: 'no PROXY header in time' }), patience);
  socket.on('readable', read).on('end', ended).on('close', ended).on('error', failed);
}
