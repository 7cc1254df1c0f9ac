/**
 * members - what stands behind `in:` and `not_in:`: names of sets, literals, or both.
 */
import { type AddressEntry, parseAddressEntry } from '../store/address.ts';
import { inlineAddresses, inlineNetworks, type Network, parseNetwork } from '../store/inline.ts';
import type { Store } from '../store/store.ts';
import { nearest } from '../yaml/suggest.ts';
import { type Answer, anyOne } from './asking.ts';
import type { MatchEnv, NamedSet, SetKind } from './env.ts';
import type { Signal } from '../core/signal.ts';

/** Whether a key is in one of the sets. Throws or rejects where a set cannot answer. */
export type Members = (key: string, signal: Signal) => Answer;

export const ADDRESS_HINT = 'write ann@example.net';
const ENTRY_HINT = 'write ann@example.net, or "*@example.net" for all of a domain';
export const NETWORK_HINT = 'write 192.0.2.7, 192.0.2.0/24 or "2001:db8::/32"';

/** Names of sets; nothing that matches is an address or a network. */
export const SET_NAME = /^[A-Za-z][\w-]*$/;

const NOUNS: Readonly<Record<SetKind, string>> = { mailboxes: 'addresses of people', networks: 'IP addresses' };

export function compileMembers(items: readonly string[], kind: SetKind, env: MatchEnv, word: string): Members {
  const addresses: AddressEntry[] = [];
  const networks: Network[] = [];
  const stores: Pick<Store, 'has'>[] = [];
  for (const [index, item] of items.entries()) {
    const report = (code: 'E_ADDRESS' | 'E_REFERENCE', message: string, hint: string): void =>
      env.report(code, message, hint, [word, index]);
    if (SET_NAME.test(item)) {
      const set = env.set(item);
      if (set === undefined) report('E_REFERENCE', `no set is called "${item}"`, unknownSetHint(item, kind, env));
      else if (set.kind !== kind)
        report('E_REFERENCE', `the set "${item}" holds ${NOUNS[set.kind]}`, `name a set that holds ${NOUNS[kind]}`);
      else stores.push(asked(set));
    } else if (kind === 'mailboxes') {
      const entry = parseAddressEntry(item);
      if (entry !== null) addresses.push(entry);
      else report('E_ADDRESS', `"${item}" is neither an address nor the name of a set`, entryHint(item));
    } else {
      const network = parseNetwork(item);
      if (network !== null) networks.push(network);
      else report('E_ADDRESS', `"${item}" is neither an IP address nor the name of a set`, NETWORK_HINT);
    }
  }
  if (addresses.length > 0) stores.unshift(inlineAddresses.open(addresses));
  if (networks.length > 0) stores.unshift(inlineNetworks.open(networks));
  const [only, ...more] = stores;
  if (only !== undefined && more.length === 0) return (key, signal) => only.has(key, signal);
  return (key, signal) => anyOne(stores, (store) => store.has(key, signal));
}

/** The store of a set, asked by the canonical form of a key. */
function asked({ store, canonical }: NamedSet): Pick<Store, 'has'> {
  return canonical === null ? store : { has: (key, signal) => store.has(canonical(key), signal) };
}

function unknownSetHint(name: string, kind: SetKind, env: MatchEnv): string {
  const near = nearest(name, env.setNames);
  if (near !== null) return `write ${near}`;
  const source = kind === 'mailboxes' ? '{ values: [ann@example.net] }' : '{ addresses: [192.0.2.0/24] }';
  return `add it under sets: ${name}: ${source}`;
}

/** How to write what was meant by `item`. */
export function entryHint(item: string): string {
  if (/\/.*[a-z]|\.txt$/i.test(item))
    return `for a file write under sets: members: { file: ${item} }, and here members`;
  const several = item.split(/[,;\s]+/).filter((one) => one !== '');
  if (several.length > 1 && several.every((one) => parseAddressEntry(one) !== null)) {
    return `write each by itself: [${several.map((one) => (one.startsWith('*') ? `"${one}"` : one)).join(', ')}]`;
  }
  return /^[\w-]+(\.[\w-]+)+$/.test(item) ? `write "*@${item}" for all of that domain` : ENTRY_HINT;
}
