/**
 * address - addresses as keys of a set.
 *
 * Sets compare whole addresses without case, the local-part too, although RFC 5321 section 2.4 calls it case-sensitive:
 * nobody who keeps a list of members means `Ann@` and `ann@` to be two people. Domains are compared as A-labels.
 */
import { domainToASCII } from 'node:url';
import type { Mailbox } from '../core/mailbox.ts';

const ASCII = /^[\x20-\x7e]*$/;
/** local-part (quoted or not), `@`, domain: enough to tell an address from a slip, no full grammar. */
const ADDRESS = /^("(?:[^"\\]|\\.)+"|[^\s"(),:;<>@[\\\]\p{Cc}\ufffd]+)@([^\s"(),;<>@\\\p{Cc}\ufffd]+)$/u;
const WITH_NAME = /^[^<>]*<([^<>]+)>$/;

/** Octets of the longest path (RFC 5321 section 4.5.3.1.3). */
const LONGEST = 256;

/** The domain in lower case, as A-labels, without the final dot of a rooted name. */
export function domainKey(domain: string): string {
  const rooted = domain.endsWith('.') ? domain.slice(0, -1) : domain;
  return ASCII.test(rooted) ? rooted.toLowerCase() : domainToASCII(rooted) || rooted.toLowerCase();
}

/** The key under which a mailbox is looked up. */
export function addressKey({ localPart, domain }: Mailbox): string {
  return `${localPart.normalize('NFC').toLowerCase()}@${domainKey(domain)}`;
}

/** `address`: one mailbox. `domain`: every mailbox of exactly that domain, written `*@domain`. */
export type AddressEntry =
  | { readonly kind: 'address'; readonly key: string }
  | { readonly kind: 'domain'; readonly key: string };

/** One entry as people write it: `ann@example.net`, `Ann <ann@example.net>`, `*@example.net`; null if it is none of these. */
export function parseAddressEntry(text: string): AddressEntry | null {
  const bare = (WITH_NAME.exec(text)?.[1] ?? text).trim();
  const [, local = '', domain = ''] = ADDRESS.exec(bare) ?? [];
  if (local === '' || domain.includes('*') || Buffer.byteLength(bare) > LONGEST) return null;
  if (local === '*') return { kind: 'domain', key: domainKey(domain) };
  if (local.includes('*')) return null;
  const localPart = local.startsWith('"') ? local.slice(1, -1).replace(/\\(.)/gs, '$1') : local;
  return { kind: 'address', key: addressKey({ localPart, domain }) };
}

/** A set of addresses in memory. */
export interface AddressSet {
  has(key: string): boolean;
}

/** One that is still being filled. */
export interface GrowingAddressSet extends AddressSet {
  add(entry: AddressEntry): void;
}

export function addressSet(entries: Iterable<AddressEntry> = []): GrowingAddressSet {
  const addresses = new Set<string>();
  const domains = new Set<string>();
  const add = ({ kind, key }: AddressEntry): void => {
    (kind === 'address' ? addresses : domains).add(key);
  };
  for (const entry of entries) add(entry);
  return {
    add,
    has: (key) => addresses.has(key) || (domains.size > 0 && domains.has(key.slice(key.lastIndexOf('@') + 1))),
  };
}

/** What makes the key of an address canonical; null where keys stay as they are. */
export type Canonical = ((key: string) => string) | null;

/** An entry as the set holds it. A whole domain is what it is. */
export function canonicalEntry(entry: AddressEntry, canonical: Canonical): AddressEntry {
  return canonical === null || entry.kind === 'domain' ? entry : { kind: 'address', key: canonical(entry.key) };
}
