/**
 * proxy-header - the PROXY protocol, versions 1 and 2: bytes in, values out (haproxy.org, proxy-protocol.txt).
 *
 * A proxy writes the header before anything else; it names the client on whose behalf it connects. Bounded: 107 octets
 * in version 1, 536 in version 2. Type-length-values behind the addresses (checksum, TLS, names) are skipped.
 */
import { isIPv4, isIPv6 } from 'node:net';

/** The client as the proxy tells it: `peer` where the proxy speaks for itself or does not know; a unix socket has no address. */
export type ProxySource = 'peer' | { readonly address: string | null; readonly port: number | null };

export type ProxyHeader =
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'invalid'; readonly problem: string }
  /** `length` in octets: the client's own begin there. */
  | { readonly kind: 'header'; readonly source: ProxySource; readonly length: number };

const SIGNATURE_1 = Buffer.from('PROXY ');
const SIGNATURE_2 = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
/** With its CRLF. */
const LONGEST_1 = 107;
const LONGEST_2 = 536;
/** Signature, version and command, family and transport, length. */
const FIXED_2 = 16;

/** `octets` is all that was read so far. */
export function parseProxyHeader(octets: Buffer): ProxyHeader {
  if (startsLike(octets, SIGNATURE_2)) return octets.length < FIXED_2 ? { kind: 'incomplete' } : version2(octets);
  if (startsLike(octets, SIGNATURE_1)) return version1(octets);
  return invalid('no PROXY header');
}

/** Whether `octets` begin with the signature, as far as they go. */
function startsLike(octets: Buffer, signature: Buffer): boolean {
  const known = Math.min(octets.length, signature.length);
  return octets.subarray(0, known).equals(signature.subarray(0, known));
}

function invalid(problem: string): ProxyHeader {
  return { kind: 'invalid', problem };
}

/** `PROXY TCP4 source destination source-port destination-port` CRLF (section 2.1). */
function version1(octets: Buffer): ProxyHeader {
  const end = octets.subarray(0, LONGEST_1).indexOf('\r\n');
  if (end < 0) return octets.length < LONGEST_1 ? { kind: 'incomplete' } : invalid('the PROXY line has no end');
  const length = end + 2;
  const [, family, ...words] = octets.toString('latin1', 0, end).split(' ');
  // What follows UNKNOWN is to be ignored.
  if (family === 'UNKNOWN') return { kind: 'header', source: 'peer', length };
  const isAddress = family === 'TCP4' ? isIPv4 : family === 'TCP6' ? isIPv6 : null;
  if (isAddress === null) return invalid('unknown protocol family');
  const [source = '', destination = '', sourcePort = '', destinationPort = ''] = words;
  // A zone belongs to the proxy's machine, not to the client.
  const addresses = [source, destination].every((word) => isAddress(word) && !word.includes('%'));
  const ports = [sourcePort, destinationPort].every(
    (word) => /^(?:0|[1-9]\d{0,4})$/.test(word) && Number(word) < 65_536,
  );
  if (words.length !== 4 || !addresses || !ports) return invalid('the PROXY line is malformed');
  return { kind: 'header', source: { address: source.toLowerCase(), port: Number(sourcePort) || null }, length };
}

interface Block {
  readonly octets: number;
  readonly source: (block: Buffer) => ProxySource;
}

/** Family and transport (section 2.2): how long the addresses are, and how the source stands in them. */
const BLOCKS: ReadonlyMap<number, Block> = new Map<number, Block>([
  [0x11, { octets: 12, source: (block) => ({ address: [...block.subarray(0, 4)].join('.'), port: portAt(block, 8) }) }],
  [0x21, { octets: 36, source: (block) => ({ address: formatIPv6(block), port: portAt(block, 32) }) }],
  [0x31, { octets: 216, source: () => ({ address: null, port: null }) }],
]);

/** Binary: the length of all that follows the fixed part is in it (section 2.2). */
function version2(octets: Buffer): ProxyHeader {
  const versionAndCommand = octets[12] ?? 0;
  const family = octets[13] ?? 0;
  const length = FIXED_2 + octets.readUInt16BE(14);
  if (versionAndCommand !== 0x20 && versionAndCommand !== 0x21) return invalid('unknown version or command');
  if (length > LONGEST_2) return invalid('the PROXY header is too long');
  const local = versionAndCommand === 0x20;
  const block = BLOCKS.get(family);
  if (!local && family !== 0x00) {
    if (block === undefined) return invalid('unknown protocol family');
    if (length < FIXED_2 + block.octets) return invalid('the PROXY header is too short for its addresses');
  }
  if (octets.length < length) return { kind: 'incomplete' };
  if (local || block === undefined) return { kind: 'header', source: 'peer', length };
  return { kind: 'header', source: block.source(octets.subarray(FIXED_2, length)), length };
}

function portAt(block: Buffer, offset: number): number | null {
  return block.readUInt16BE(offset) || null;
}

/** RFC 5952: lower case, no leading zeros, the longest run of zero groups (two at least) as `::`. */
function formatIPv6(octets: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, index) => octets.readUInt16BE(2 * index).toString(16));
  const text = groups.join(':');
  const runs = text.match(/\b0(?::0)+\b/g) ?? [];
  const longest = runs.reduce((best, run) => (run.length > best.length ? run : best), '');
  if (longest === '') return text;
  const at = text.search(new RegExp(`\\b${longest}\\b`));
  return `${text.slice(0, at).replace(/:$/, '')}::${text.slice(at + longest.length).replace(/^:/, '')}`;
}
