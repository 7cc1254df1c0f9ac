/**
 * tls - TLS on the way to a server (STARTTLS, RFC 3207): what is asked of it, and the options of the handshake.
 *
 * `required`: no octet of a message without TLS, and the certificate must be good for the name. `opportunistic`: TLS where
 * it is offered, whoever it is with (RFC 7435); that keeps out who only listens.
 */
import { isIP } from 'node:net';
import { type ConnectionOptions, createSecureContext, type SecureContext } from 'node:tls';
import type { Address } from './dial.ts';

export interface Tls {
  readonly required: boolean;
  readonly context: SecureContext;
  /** The name that the certificate must be good for; null for the host of the address. */
  readonly serverName: string | null;
}

/** `authorities`: certificates in PEM form that are trusted instead of those that come with the platform. */
export function createTls(required: boolean, authorities: string | null, serverName: string | null): Tls {
  const own = authorities === null ? {} : { ca: authorities };
  return { required, context: createSecureContext({ ...own, minVersion: 'TLSv1.2' }), serverName };
}

/** Options of the handshake with the server at `address`. */
export function handshake({ required, context, serverName }: Tls, address: Address): ConnectionOptions {
  const host = serverName ?? ('host' in address ? address.host : 'localhost');
  // An address is no name to ask for (RFC 6066 section 3); the certificate is compared with it all the same.
  const servername = isIP(host) === 0 ? host : '';
  return { secureContext: context, rejectUnauthorized: required, host, servername };
}
