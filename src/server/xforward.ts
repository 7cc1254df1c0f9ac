/**
 * xforward - the original client as a trusted peer tells it (Postfix XFORWARD_README).
 *
 * A refused XFORWARD is fatal for the message of a proxy-filter client, so nothing in it is an error: an attribute that
 * is unknown, malformed or `[UNAVAILABLE]` is left out.
 */
import { isIP } from 'node:net';
import type { Client } from '../core/envelope.ts';
import { decodeXtext } from '../smtp/parameters.ts';

export const XFORWARD_ATTRIBUTES = ['NAME', 'ADDR', 'PORT', 'PROTO', 'HELO', 'IDENT', 'SOURCE'] as const;

export type Forwarded = ReadonlyMap<string, string>;

/** Attribute (upper case) to decoded value; what stands behind the verb XFORWARD. */
export function parseXforward(text: string): Forwarded {
  const attributes = new Map<string, string>();
  for (const word of text.split(' ')) {
    const equals = word.indexOf('=');
    if (equals < 1) continue;
    const name = word.slice(0, equals).toUpperCase();
    const value = decodeXtext(word.slice(equals + 1));
    if (value === null || value === '' || /^\[(UNAVAILABLE|TEMPUNAVAIL)\]$/i.test(value)) continue;
    if (!/^[^\p{Cc}]{1,255}$/u.test(value)) continue;
    attributes.set(name, value);
  }
  return attributes;
}

/** The client whom the attributes describe; what they leave out is not known. */
export function forwardedClient(attributes: Forwarded, peer: Client): Client {
  const address =
    attributes
      .get('ADDR')
      ?.replace(/^IPV6:/i, '')
      .toLowerCase() ?? '';
  const port = Number(attributes.get('PORT') ?? Number.NaN);
  const protocol = attributes.get('PROTO')?.toUpperCase();
  const source = attributes.get('SOURCE')?.toUpperCase();
  return {
    ...(source === 'LOCAL' || source === 'REMOTE' ? { source } : {}),
    address: isIP(address) === 0 ? null : address,
    name: attributes.get('NAME')?.toLowerCase() ?? null,
    port: Number.isInteger(port) && port > 0 && port < 65_536 ? port : null,
    helo: attributes.get('HELO') ?? '',
    tls: null,
    protocol:
      protocol === 'SMTP' || protocol === 'LMTP' ? protocol : peer.protocol === 'LMTP' ? 'ESMTP' : peer.protocol,
  };
}
