/**
 * received - the trace field of this hop (RFC 5321 section 4.4), for sites that ask for it.
 */
import type { Transaction } from '../core/envelope.ts';
import type { HeaderEdit } from '../core/verdict.ts';

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `date-time` of RFC 5322 section 3.3, in UTC. */
export function printDate(date: Date): string {
  const two = (n: number): string => String(n).padStart(2, '0');
  const day = `${DAYS[date.getUTCDay()]}, ${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()}`;
  return `${day} ${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} +0000`;
}

/** Anything that could end a comment or a line is replaced: the words come from the network. */
function safe(word: string): string {
  return word.replace(/[^\x21-\x7e]|[()\\]/g, '?');
}

export function receivedField(transaction: Transaction, hostname: string, date: Date): HeaderEdit {
  const { client, id } = transaction;
  const address = client.address === null ? 'unknown' : client.address;
  const literal = address.includes(':') ? `IPv6:${address}` : address;
  const from = `from ${safe(client.helo || 'unknown')} (${safe(client.name ?? 'unknown')} [${safe(literal)}])`;
  const value = `${from} by ${safe(hostname)} with ${client.protocol} id ${id}; ${printDate(date)}`;
  return { kind: 'add', name: 'Received', value };
}
