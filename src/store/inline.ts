/**
 * inline - sets whose entries stand in the file that uses them: addresses of people, or networks.
 */
import { BlockList, isIP } from 'node:net';
import { type AddressEntry, addressSet } from './address.ts';
import { defineStore } from './store.ts';

/** Asked with a key of `addressKey`. */
export const inlineAddresses = defineStore<readonly AddressEntry[]>({
  name: 'values',
  summary: 'Addresses, and `*@domain` for all of a domain.',
  open(entries) {
    const set = addressSet(entries);
    return { has: (key) => set.has(key), close: () => {} };
  },
});

/** A network in CIDR notation (RFC 4632), or one address. */
export interface Network {
  readonly address: string;
  readonly prefix: number;
}

/** `192.0.2.0/24`, `2001:db8::/32`, `192.0.2.7`; null if it is none of these. */
export function parseNetwork(text: string): Network | null {
  const [address = '', prefix, ...rest] = text.split('/');
  const family = isIP(address);
  if (family === 0 || address.includes('%') || rest.length > 0) return null;
  const longest = family === 4 ? 32 : 128;
  if (prefix === undefined) return { address, prefix: longest };
  return /^\d{1,3}$/.test(prefix) && Number(prefix) <= longest ? { address, prefix: Number(prefix) } : null;
}

/** Asked with an IP address as text; what is no IP address is in no network. An IPv4-mapped address counts as IPv4. */
export const inlineNetworks = defineStore<readonly Network[]>({
  name: 'addresses',
  summary: 'IP addresses and networks.',
  open(networks) {
    const list = new BlockList();
    for (const { address, prefix } of networks) list.addSubnet(address, prefix, family(address));
    return {
      has(key) {
        const address = key.split('%', 1)[0] ?? '';
        return isIP(address) !== 0 && list.check(address, family(address));
      },
      close: () => {},
    };
  },
});

function family(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 4 ? 'ipv4' : 'ipv6';
}
