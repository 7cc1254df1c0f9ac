/**
 * address - where we listen and connect (`host:port`, `[::1]:port`, `unix:/path`), and networks whose word is taken.
 */
import { BlockList, isIP } from 'node:net';
import type { z } from 'zod';
import { type Problem, scalar } from '../yaml/scalar.ts';

/** An IPv6 host stands without its brackets. */
export type Address = { readonly host: string; readonly port: number } | { readonly path: string };

/** CIDR; a single address has the full prefix. */
export interface Network {
  readonly address: string;
  readonly prefix: number;
}

const HOST_AND_PORT = /^(?:\[([^\]]*)\]|([^:[\]\s]+)):(\d{1,5})$/;
const HOST_NAME = /^(?!-)[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*\.?$/;

function problem(message: string, hint: string): { readonly problem: Problem } {
  return { problem: { code: 'E_ADDRESS', message, hint } };
}

/** Port 0 lets the system choose a port to listen on; nobody can connect to it. */
function readAddress(source: string, lowestPort: 0 | 1): { readonly value: Address } | { readonly problem: Problem } {
  if (source.startsWith('unix:')) {
    const path = source.slice('unix:'.length);
    if (path !== '') return { value: { path } };
    return problem('the path of the unix socket is missing', 'write unix:/run/postern/lmtp.sock');
  }
  const [, bracketed, plain, digits] = HOST_AND_PORT.exec(source) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || digits === undefined) return problem(`"${source}" is not an address`, addressHint(source));
  const port = Number(digits);
  if (port < lowestPort || port > 65_535) {
    return problem(`${port} is not a port`, `ports go from ${lowestPort} to 65535`);
  }
  const known = bracketed === undefined ? isHost(host) : isIP(host) === 6;
  if (!known) return problem(`"${host}" is neither an IP address nor a host name`, 'write 127.0.0.1:10024');
  return { value: { host, port } };
}

function isHost(host: string): boolean {
  // What looks like an IPv4 address must be one: nobody means the host name 127.0.0.300.
  return /^[\d.]+$/.test(host) ? isIP(host) === 4 : HOST_NAME.test(host);
}

function addressHint(source: string): string {
  if (source.startsWith('/')) return `a unix socket is written unix:${source}`;
  if (isIP(source) === 6) return `add the port; an IPv6 address stands in brackets: "[${source}]:10024"`;
  if (/^\d+$/.test(source)) return `add the host: 127.0.0.1:${source}`;
  if (isHost(source)) return `add the port: ${source}:10024`;
  return 'write host:port, "[::1]:port" or unix:/path';
}

/** Where a listener listens. */
export const listenAddress: z.ZodType<Address> = scalar(
  'address',
  ['127.0.0.1:10024', '"[::1]:10024"', 'unix:/run/postern/lmtp.sock'],
  (source) => readAddress(source, 0),
);

/** Where a downstream listens. */
export const serverAddress: z.ZodType<Address> = scalar(
  'address',
  ['127.0.0.1:8024', 'mailman.example.org:24', 'unix:/run/dovecot/lmtp'],
  (source) => readAddress(source, 1),
);

export function formatAddress(address: Address): string {
  if ('path' in address) return `unix:${address.path}`;
  return `${isIP(address.host) === 6 ? `[${address.host}]` : address.host}:${address.port}`;
}

/** An IP address, or a network as address and prefix length. */
export const network: z.ZodType<Network> = scalar('address or network', ['127.0.0.1', '192.0.2.0/24'], (source) => {
  const [, address = '', digits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(source) ?? [];
  const version = isIP(address);
  const longest = version === 6 ? 128 : 32;
  if (version === 0)
    return problem(`"${source}" is neither an IP address nor a network`, 'write 192.0.2.1 or 192.0.2.0/24');
  const prefix = digits === undefined ? longest : Number(digits);
  if (prefix > longest)
    return problem(`the prefix length ${prefix} is too long`, `at most ${longest} for this address`);
  return { value: { address, prefix } };
});

export function formatNetwork({ address, prefix }: Network): string {
  return prefix === (isIP(address) === 6 ? 128 : 32) ? address : `${address}/${prefix}`;
}

/** Answers whether an IP address is in one of the networks; an IPv4 address may come in its IPv6 form. */
export function containedIn(networks: readonly Network[]): (address: string) => boolean {
  const list = new BlockList();
  for (const { address, prefix } of networks) list.addSubnet(address, prefix, isIP(address) === 6 ? 'ipv6' : 'ipv4');
  return (address) => isIP(address) !== 0 && list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}
