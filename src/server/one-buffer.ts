/**
 * one-buffer - sockets of clients that read into one buffer of the process.
 *
 * Left to itself the platform makes a buffer of 64 KiB for every read, whatever comes, and much of the time of a message is
 * spent on that: in the allocator, in streams, in the garbage collector. With `onread` (a documented option of node:net) there
 * is none, and octets that are kept are copied. What is not documented is how an accepted socket gets there: its handle goes to a
 * socket made anew.
 */
import { type OnReadOpts, Socket, type SocketConstructorOpts } from 'node:net';

/** As many octets as the platform reads at once. */
const buffer = Buffer.allocUnsafeSlow(64 * 1024);

/** What an accepted socket is, beside what its type says. */
interface Accepted {
  _handle?: { readonly useUserBuffer?: unknown } | null;
  _server?: unknown;
  server?: unknown;
}

/** Takes the octets of one read, which change behind the call; false: no more of them before `resume` of the socket. */
export type Read = (octets: Buffer) => boolean;

/**
 * The socket to use in place of `accepted`: what its client sends goes to `read`, and there is no `data` event. Where the
 * platform has no such handle it is `accepted` itself, which reads as it always did.
 */
export function readIntoOneBuffer(accepted: Socket, read: Read): Socket {
  const given: Accepted = accepted as unknown as Accepted;
  const handle = given._handle;
  if (typeof handle?.useUserBuffer !== 'function') return accepted;
  const options: SocketConstructorOpts & { readonly handle: unknown; readonly onread: OnReadOpts } = {
    handle,
    allowHalfOpen: true,
    onread: { buffer, callback: (octets) => read(buffer.subarray(0, octets)) },
  };
  given._handle = null;
  const socket = new Socket(options);
  // The server counts its sockets down as they close.
  const ours: Accepted = socket as unknown as Accepted;
  ours.server = given.server;
  ours._server = given._server;
  given._server = null;
  return socket;
}
