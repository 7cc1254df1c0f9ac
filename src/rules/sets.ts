/**
 * sets - the named sets of a file.
 *
 *     sets:
 *       members: { file: rosters/gardeners.txt, if_unavailable: defer }
 *       friends: { file: friends.txt, canonical: { gmail.com: [detail, dots], "*": detail } }
 *       blocked: { values: [spammer@example.net, "*@bulk.example"] }
 *       relays:  { addresses: [192.0.2.0/24, "2001:db8::/32"] }
 *
 * The path of a file is relative to the folder of the file that names it. A list's file cannot name one outside its folder:
 * whoever may write rules for one list must not be able to ask for the members of another.
 */
import { dirname, isAbsolute, join } from 'node:path';
import { z } from 'zod';
import { type AddressEntry, type Canonical, canonicalEntry, domainKey, parseAddressEntry } from '../store/address.ts';
import { addressFile } from '../store/address-file.ts';
import { CANONICAL_STEPS, type CanonicalProfile, canonicalKey } from '../store/canonical.ts';
import { inlineAddresses, inlineNetworks, type Network, parseNetwork } from '../store/inline.ts';
import type { YamlValue } from '../yaml/load.ts';
import { listOf, scalar, text } from '../yaml/scalar.ts';
import type { Example } from '../yaml/validate.ts';
import type { NamedSet, Scope } from './env.ts';
import { entryHint, NETWORK_HINT } from './members.ts';
import { isList, isMapping } from './source.ts';

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

const steps = listOf(z.enum(CANONICAL_STEPS));

/** Steps for all domains, or by domain with `*` for the rest. */
const canonical = z
  .union([steps, z.record(z.string(), steps)])
  .transform((value): CanonicalProfile => {
    if (isSteps(value)) return { domains: new Map(), others: value };
    const entries = Object.entries(value).filter(([domain]) => domain !== '*');
    return { domains: new Map(entries.map(([domain, some]) => [domainKey(domain), some])), others: value['*'] ?? [] };
  })
  .check((context) => {
    if (!context.value.others.includes('dots')) return;
    const message = 'dots fall only for domains that are named';
    const hint = 'write canonical: { gmail.com: [detail, dots], "*": detail }';
    context.issues.push({ code: 'custom', message, params: { code: 'E_VALUE', hint }, input: context.value });
  });

type Steps = z.output<typeof steps>;

function isSteps(value: Steps | Record<string, Steps>): value is Steps {
  return Array.isArray(value);
}

const SOURCES = ['values', 'file', 'addresses'] as const;

/** How a set could be written that is only a text or a list. */
export function exampleOf(value: YamlValue): Example {
  const items = isList(value) ? value.filter((one) => typeof one === 'string') : [];
  const [first, ...more] = typeof value === 'string' ? [value] : items;
  const yaml =
    first === undefined
      ? '{ values: [ann@example.net] }'
      : /\/|\.txt$/.test(first)
        ? `{ file: ${first} }`
        : `{ values: [${first}${more.length > 0 ? ', \u2026' : ''}] }`;
  return { path: [], yaml };
}

/** One named set. */
export const setSchema = z
  .strictObject({
    values: listOf(entrySchema).optional().describe('Addresses, and "*@domain" for all of a domain.'),
    file: text.optional().meta({
      description: 'A file of addresses, one a line; # begins a comment. Its path starts at the folder of this file.',
      examples: ['rosters/gardeners.txt'],
    }),
    addresses: listOf(networkSchema).optional().describe('IP addresses and networks, for client_ip.'),
    canonical: canonical
      .optional()
      .describe('What makes addresses one and the same: detail, dots; for all domains, or by domain.'),
    if_unavailable: z.enum(['defer']).optional().describe('What happens to mail while the file cannot be read.'),
  })
  .check((context) => {
    if (context.issues.length > 0) return;
    if (context.value.addresses !== undefined && context.value.canonical !== undefined) {
      const message = '`canonical` is for the addresses of people';
      context.issues.push({
        code: 'custom',
        message,
        params: { code: 'E_VALUE', hint: 'take it out' },
        path: ['canonical'],
        input: context.value,
      });
    }
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
  const profile = source.canonical;
  const canonical: Canonical = profile === undefined ? null : (key) => canonicalKey(profile, key);
  if (source.addresses !== undefined) {
    return { kind: 'networks', canonical, path: null, store: inlineNetworks.open(source.addresses) };
  }
  if (source.file !== undefined) {
    const path = isAbsolute(source.file) ? source.file : join(dirname(file), source.file);
    return { kind: 'mailboxes', canonical, path, store: addressFile.open({ path, canonical, now }) };
  }
  const entries = (source.values ?? []).map((entry) => canonicalEntry(entry, canonical));
  return { kind: 'mailboxes', canonical, path: null, store: inlineAddresses.open(entries) };
}

/** Whether a set of that scope may lie at `path`, as it stands in the file. */
export function mayLieAt(path: string, scope: Scope): boolean {
  return scope === 'system' || (!isAbsolute(path) && !path.split(/[\\/]/).includes('..'));
}

/** Stands in for a set that has a problem of its own, so that whoever names it is not reported too. */
export function brokenSet(value: YamlValue): NamedSet {
  const kind = isMapping(value) && value['addresses'] !== undefined ? 'networks' : 'mailboxes';
  return { kind, canonical: null, store: inlineAddresses.open([]) };
}
