/**
 * xclient - the client as a trusted proxy tells it (Postfix XCLIENT_README): the session belongs to that client then.
 *
 * Unlike XFORWARD it is all or nothing: a command with anything wrong in it is refused and changes nothing.
 */
import { isIPv4, isIPv6 } from 'node:net';
import type { Client } from '../core/envelope.ts';
import { type Reply, reply } from '../core/reply.ts';
import { decodeXtext } from '../smtp/parameters.ts';

/** Attribute to what is told by it; null for `[UNAVAILABLE]` and `[TEMPUNAVAIL]`. */
export type Told = ReadonlyMap<string, string | null>;

const UNAVAILABLE = /^\[(?:UNAVAILABLE|TEMPUNAVAIL)\]$/i;

/** Value as told to the value meant; null where it is none. */
const ATTRIBUTES: ReadonlyMap<string, (value: string) => string | null> = new Map([
  ['NAME', (value: string) => printable(value)?.toLowerCase() ?? null],
  ['ADDR', readAddress],
  ['PORT', (value: string) => (/^[1-9]\d{0,4}$/.test(value) && Number(value) < 65_536 ? value : null)],
  ['PROTO', (value: string) => (/^E?SMTP$/i.test(value) ? value.toUpperCase() : null)],
  ['HELO', printable],
  ['LOGIN', printable],
]);

export const XCLIENT_ATTRIBUTES: readonly string[] = [...ATTRIBUTES.keys()];

/** The attributes of one command, `argument` being what stands behind its verb, or the reply that refuses it. */
export function parseXclient(argument: string): Told | Reply {
  const told = new Map<string, string | null>();
  for (const word of argument.split(' ').filter((part) => part !== '')) {
    const [, name = '', raw = ''] = /^([^=]+)=(.+)$/s.exec(word) ?? [];
    const attribute = name.toUpperCase();
    const read = ATTRIBUTES.get(attribute);
    if (read === undefined) return reply(501, '5.5.4', 'Syntax: XCLIENT attribute=value...');
    if (told.has(attribute)) return reply(501, '5.5.4', `The attribute ${attribute} is given twice`);
    const value = decodeXtext(raw);
    const meant = value === null || UNAVAILABLE.test(value) ? null : read(value);
    if (value === null || (meant === null && !UNAVAILABLE.test(value))) {
      return reply(501, '5.5.4', `Bad value of the attribute ${attribute}`);
    }
    told.set(attribute, meant);
  }
  return told.size === 0 ? reply(501, '5.5.4', 'Syntax: XCLIENT attribute=value...') : told;
}

/** The client that was told; what was not told stays as with `peer`, unless another address makes it another's. */
export function toldClient(told: Told, peer: Client): Client {
  const base = told.has('ADDR')
    ? { ...peer, address: told.get('ADDR') ?? null, name: null, port: null, tls: null }
    : peer;
  const port = told.get('PORT');
  const protocol = told.get('PROTO');
  return {
    ...base,
    ...(told.has('NAME') ? { name: told.get('NAME') ?? null } : {}),
    ...(port === undefined ? {} : { port: port === null ? null : Number(port) }),
    ...(told.has('HELO') ? { helo: told.get('HELO') ?? '' } : {}),
    ...(told.has('LOGIN') ? { login: told.get('LOGIN') ?? null } : {}),
    ...(protocol === 'SMTP' || protocol === 'ESMTP' ? { protocol } : {}),
  };
}

function printable(value: string): string | null {
  return /^[^\p{Cc}]{1,255}$/u.test(value) ? value : null;
}

/** IPv4, or IPv6 behind `IPV6:`. */
function readAddress(value: string): string | null {
  const v6 = /^IPV6:(.*)$/i.exec(value)?.[1];
  if (v6 !== undefined) return isIPv6(v6) && !v6.includes('%') ? v6.toLowerCase() : null;
  return isIPv4(value) ? value : null;
}
