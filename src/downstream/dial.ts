/**
 * dial - where a downstream that speaks LMTP or SMTP is found, and the way there: a socket, or the pipes of a program.
 *
 * Either is a Duplex that says `connect` when there is somebody at the other end.
 */
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { ProgramStream } from './program-stream.ts';

/** `program`: path and arguments of a program that speaks on its standard input and output. */
export type Address =
  | { readonly host: string; readonly port: number }
  | { readonly path: string }
  | { readonly program: readonly string[] };

/** Octets that may wait in the stream before `write` asks to wait: most messages fit, so that they need no wait. */
const WRITE_AHEAD = 256 * 1024;

/** `onComplaint` is told what a program writes on its standard error, line by line. */
export function dial(address: Address, onComplaint: (line: string) => void): Duplex {
  if ('program' in address) return new ProgramStream(address.program, WRITE_AHEAD, onComplaint);
  // Without noDelay a command would wait for the acknowledgement of the one before (Nagle).
  const options = { ...address, noDelay: true, writableHighWaterMark: WRITE_AHEAD };
  return connect(options);
}

/** As the log shows it. */
export function printAddress(address: Address): string {
  if ('program' in address) return address.program.join(' ');
  return 'path' in address ? `unix:${address.path}` : `${address.host}:${address.port}`;
}
