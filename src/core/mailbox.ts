/**
 * mailbox - the address of one mailbox, parsed (RFC 5321 section 2.3.11).
 *
 * A value to compare and to print. The form in which an address stood on the wire is kept beside it (`Recipient.raw`),
 * because that form is what goes on to the downstream.
 */

/**
 * `localPart` is the local-part with its quoting resolved and its case kept; `domain` is in lower case and may be empty
 * (`<postmaster>`, `<user>`). An address literal keeps its brackets. A domain that came as A-labels stays A-labels.
 */
export interface Mailbox {
  readonly localPart: string;
  readonly domain: string;
}

/** Local-parts are compared octet for octet (RFC 5321 section 2.4), domains without case. */
export function sameMailbox(a: Mailbox, b: Mailbox): boolean {
  return a.localPart === b.localPart && a.domain === b.domain;
}

/** What nearly every local-part looks like: what is below comes to the same. */
const PLAIN = /^[\w+=-]+(?:\.[\w+=-]+)*$/;
const DOT_STRING = /^[^\s"(),:;<>@[\\\]]+$/;

/** `local-part@domain`, the local-part quoted where the grammar wants it (RFC 5321 section 4.1.2). */
export function printMailbox(mailbox: Mailbox): string {
  const { localPart, domain } = mailbox;
  if (domain !== '' && PLAIN.test(localPart)) return `${localPart}@${domain}`;
  const plain = DOT_STRING.test(localPart) && !localPart.startsWith('.') && !localPart.endsWith('.');
  const local = plain && !localPart.includes('..') ? localPart : `"${localPart.replace(/["\\]/g, '\\$&')}"`;
  return domain === '' ? local : `${local}@${domain}`;
}
