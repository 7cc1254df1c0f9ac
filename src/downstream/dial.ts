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

/** All sockets read into this one memory: for each read the platform makes 64 KiB anew, and replies are short. */
const inbox = Buffer.allocUnsafeSlow(16 * 1024);

export interface Ears {
  /** What arrives; the memory may hold something else after the call. */
  readonly onOctets: (octets: Buffer) => void;
  /** What a program writes on its standard error, line by line. */
  readonly onComplaint: (line: string) => void;
}

/** `secure`: TLS will take over the stream, so that it must be one that can be read by others. */
export function dial(address: Address, secure: boolean, { onOctets, onComplaint }: Ears): Duplex {
  if ('program' in address) {
    return new ProgramStream(address.program, WRITE_AHEAD, onComplaint).on('data', onOctets);
  }
  // Without noDelay a command would wait for the acknowledgement of the one before (Nagle).
  const options = { ...address, noDelay: true, writableHighWaterMark: WRITE_AHEAD };
  if (secure) return connect(options).on('data', onOctets);
  const callback = (length: number): boolean => {
    onOctets(inbox.subarray(0, length));
    return true;
  };
  return connect({ ...options, onread: { buffer: inbox, callback } });
}

/** As the log shows it. */
export function printAddress(address: Address): string {
  if ('program' in address) return address.program.join(' ');
  return 'path' in address ? `unix:${address.path}` : `${address.host}:${address.port}`;
}
