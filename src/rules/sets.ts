/**
 * sets - the named sets of a file.
 *
 *     sets:
 *       members: { file: rosters/gardeners.txt, if_unavailable: defer }
 *       blocked: { values: [spammer@example.net, "*@bulk.example"] }
 *       relays:  { addresses: [192.0.2.0/24, "2001:db8::/32"] }
 *
 * The path of a file is relative to the folder of the file that names it. A list's file cannot name one outside its folder:
 * whoever may write rules for one list must not be able to ask for the members of another.
 */
import { dirname, isAbsolute, join } from 'node:path';
import { z } from 'zod';
import { type AddressEntry, parseAddressEntry } from '../store/address.ts';
import { addressFile } from '../store/address-file.ts';
import { inlineAddresses, inlineNetworks, type Network, parseNetwork } from '../store/inline.ts';
import type { YamlValue } from '../yaml/load.ts';
import { listOf, scalar, text } from '../yaml/scalar.ts';
import type { NamedSet, Scope } from './env.ts';
import { entryHint, NETWORK_HINT } from './members.ts';
import { isMapping } from './source.ts';

export const entrySchema: z.ZodType<AddressEntry> = scalar(
  'address',
  ['ann@example.net', '*@example.net'],
  (source) => {
    const value = parseAddressEntry(source);
    if (value !== null) return { value };
    return { problem: { code: 'E_ADDRESS', message: `"${source}" is not an address`, hint: entryHint(source) } };
  },
);

export const networkSchema: z.ZodType<Network> = scalar('network', ['192.0.2.0/24', '2001:db8::/32'], (source) => {
  const value = parseNetwork(source);
  if (value !== null) return { value };
  const message = `"${source}" is neither an IP address nor a network`;
  return { problem: { code: 'E_ADDRESS', message, hint: NETWORK_HINT } };
});

const SOURCES = ['values', 'file', 'addresses'] as const;

/** One named set. */
export const setSchema = z
  .strictObject({
    values: listOf(entrySchema).optional().describe('Addresses, and "*@domain" for all of a domain.'),
    file: text.optional().describe('A file of addresses, one a line; `#` begins a comment.'),
    addresses: listOf(networkSchema).optional().describe('IP addresses and networks, for client_ip.'),
    if_unavailable: z.enum(['defer']).optional().describe('What happens to mail while the file cannot be read.'),
  })
  .check((context) => {
    if (context.issues.length > 0) return;
    const given = SOURCES.filter((source) => context.value[source] !== undefined);
    if (given.length === 1) return;
    const message = given.length === 0 ? 'a set without values' : `a set has one source, not ${given.join(' and ')}`;
    const hint = 'give one of values, file and addresses';
    context.issues.push({ code: 'custom', message, params: { code: 'E_VALUE', hint }, input: context.value });
  });
export type SetSource = z.output<typeof setSchema>;

/** `path` is null for a set that is no file. */
export interface OpenedSet extends NamedSet {
  readonly path: string | null;
}

/** `file` is the file in which the set stands. Opening does no I/O. */
export function openSet(source: SetSource, file: string, now: () => number): OpenedSet {
  if (source.addresses !== undefined) {
    return { kind: 'networks', path: null, store: inlineNetworks.open(source.addresses) };
  }
  if (source.file !== undefined) {
    const path = isAbsolute(source.file) ? source.file : join(dirname(file), source.file);
    return { kind: 'mailboxes', path, store: addressFile.open({ path, now }) };
  }
  return { kind: 'mailboxes', path: null, store: inlineAddresses.open(source.values ?? []) };
}

/** Whether a set of that scope may lie at `path`, as it stands in the file. */
export function mayLieAt(path: string, scope: Scope): boolean {
  return scope === 'system' || (!isAbsolute(path) && !path.split(/[\\/]/).includes('..'));
}

/** Stands in for a set that has a problem of its own, so that whoever names it is not reported too. */
export function brokenSet(value: YamlValue): NamedSet {
  const kind = isMapping(value) && value['addresses'] !== undefined ? 'networks' : 'mailboxes';
  return { kind, store: inlineAddresses.open([]) };
}
