/**
 * commands - MAIL, RCPT and XFORWARD for one downstream: addresses as they were received, parameters as it offers them.
 *
 * A parameter that was not offered is never sent: Mailman 3 and Dovecot answer 555 to it, which would refuse the mail.
 * RFC 3461 section 6.2, RFC 6152, RFC 6531, RFC 1870 and RFC 4954 section 5 allow to leave each of them out; XFORWARD:
 * Postfix XFORWARD_README.
 */
import type { Client, Envelope, EsmtpParameters, Recipient, Transaction } from '../core/envelope.ts';
import type { Capabilities } from '../smtp/capabilities.ts';
import { encodeXtext } from '../smtp/parameters.ts';

/** Parameters that are passed on as they were received, and the keyword that offers them. */
const MAIL_PARAMETERS: readonly (readonly [parameter: string, offeredBy: string])[] = [
  ['BODY', '8BITMIME'],
  ['RET', 'DSN'],
  ['ENVID', 'DSN'],
  ['AUTH', 'AUTH'],
  ['MT-PRIORITY', 'MT-PRIORITY'],
];
const RCPT_PARAMETERS: readonly (readonly [parameter: string, offeredBy: string])[] = [
  ['NOTIFY', 'DSN'],
  ['ORCPT', 'DSN'],
  ['RRVS', 'RRVS'],
];

const ASCII = /^[ -~]*$/;

/** Whether the address, as it goes on the wire, can only be sent to a server that offers SMTPUTF8. */
export function needsSmtputf8(raw: string): boolean {
  return !ASCII.test(raw);
}

/** `size`: octets of the content. SMTPUTF8 is said where the client said it or an address of the envelope needs it. */
export function mailCommand({ transaction, recipients }: Envelope, size: number, offered: Capabilities): string {
  const { rawReversePath, parameters } = transaction;
  let command = `MAIL FROM:<${rawReversePath}>`;
  if (offered.has('SIZE')) command += ` SIZE=${size}`;
  if (
    offered.has('SMTPUTF8') &&
    (parameters.has('SMTPUTF8') ||
      needsSmtputf8(rawReversePath) ||
      recipients.some((recipient) => needsSmtputf8(recipient.raw)))
  ) {
    command += ' SMTPUTF8';
  }
  return `${command}${passedOn(parameters, MAIL_PARAMETERS, offered)}\r\n`;
}

export function rcptCommand(recipient: Recipient, offered: Capabilities): string {
  return `RCPT TO:<${recipient.raw}>${passedOn(recipient.parameters, RCPT_PARAMETERS, offered)}\r\n`;
}

function passedOn(
  parameters: EsmtpParameters,
  table: readonly (readonly [string, string])[],
  offered: Capabilities,
): string {
  if (parameters.size === 0) return '';
  let text = '';
  for (const [keyword, offeredBy] of table) {
    const value = parameters.get(keyword);
    if (value === undefined || value === null || !offered.has(offeredBy)) continue;
    // ORCPT=utf-8;… may itself hold UTF-8 (RFC 6533 section 3).
    if (!needsSmtputf8(value) || offered.has('SMTPUTF8')) text += ` ${keyword}=${value}`;
  }
  return text;
}

/** As Postfix groups them, so that no line grows beyond what servers read. */
const XFORWARD_LINES = [
  ['NAME', 'ADDR', 'PORT'],
  ['PROTO', 'HELO', 'IDENT', 'SOURCE'],
] as const;
/** Characters of one value before its encoding; Postfix keeps 255 octets. */
const LONGEST_ATTRIBUTE = 255;

/** The XFORWARD commands that tell of the client, with only the attributes offered; none where none is. */
export function xforwardCommands(transaction: Transaction, offered: Capabilities): readonly string[] {
  const attributes = new Set(offered.argument('XFORWARD')?.toUpperCase().split(/\s+/));
  return XFORWARD_LINES.map((names) => names.filter((name) => attributes.has(name)))
    .filter((names) => names.length > 0)
    .map((names) => `XFORWARD ${names.map((name) => `${name}=${attribute(name, transaction)}`).join(' ')}\r\n`);
}

function attribute(name: (typeof XFORWARD_LINES)[number][number], { client, id }: Transaction): string {
  const values = {
    NAME: client.name,
    ADDR: addressOf(client),
    PORT: client.port === null ? null : String(client.port),
    PROTO: client.protocol,
    HELO: client.helo,
    IDENT: id,
    SOURCE: client.source ?? null,
  };
  const value = values[name]?.slice(0, LONGEST_ATTRIBUTE);
  return value === undefined || value === '' ? '[UNAVAILABLE]' : encodeXtext(value);
}

function addressOf({ address }: Client): string | null {
  return address?.includes(':') ? `IPV6:${address}` : address;
}
