/**
 * parameters - the ESMTP parameters of MAIL and RCPT, and xtext (RFC 5321 section 4.1.2, RFC 3461 section 4).
 *
 * Keywords of RFCs are taken, whether they were offered or not: Postfix forwards to a proxy filter whatever its client gave,
 * and a refusal here would be a refusal of that mail. Not those that bind whoever takes them to do what nobody here does:
 * REQUIRETLS (RFC 8689), BY (RFC 2852), HOLDFOR and HOLDUNTIL (RFC 4865), TRANSID (RFC 1845), CONPERM and CONNEG (RFC 4141).
 * Values are kept as they were received.
 *
 *     parameters  = esmtp-param *( 1*WSP esmtp-param )
 *     esmtp-param = keyword [ "=" value ]
 *     xtext       = *( xchar / "+" 2HEXDIG )           ; xchar: "!" to "~" without "+" and "="
 */
import type { EsmtpParameters } from '../core/envelope.ts';
import { type Reply, reply } from '../core/reply.ts';

const XTEXT = /^(?:[!-*,-<>-~]|\+[0-9A-Fa-f]{2})*$/;

const isXtext = (value: string): boolean => XTEXT.test(value);
const matches =
  (pattern: RegExp) =>
  (value: string): boolean =>
    pattern.test(value);

/** What a keyword's value must look like; null: the keyword takes none. */
type ValueRule = ((value: string) => boolean) | null;

const KNOWN: Readonly<Record<'MAIL' | 'RCPT', ReadonlyMap<string, ValueRule>>> = {
  MAIL: new Map<string, ValueRule>([
    ['SIZE', matches(/^\d{1,20}$/)], // RFC 1870
    ['BODY', matches(/^(?:7BIT|8BITMIME)$/i)], // RFC 6152; BINARYMIME needs BDAT (RFC 3030)
    ['SMTPUTF8', null], // RFC 6531
    ['RET', matches(/^(?:FULL|HDRS)$/i)], // RFC 3461 section 4.3
    ['ENVID', (value) => value.length <= 100 && isXtext(value)], // RFC 3461 section 4.4
    ['AUTH', isXtext], // RFC 4954 section 5
    ['MT-PRIORITY', matches(/^-?\d$/)], // RFC 6710
    ['MTRK', matches(/^[A-Za-z0-9+/=]+(?::\d{1,9})?$/)], // RFC 3885
    ['SOLICIT', matches(/^[\w.:,-]+$/)], // RFC 3865
    ['SUBMITTER', isXtext], // RFC 4405
    ['PRDR', null], // draft-hall-prdr
  ]),
  RCPT: new Map<string, ValueRule>([
    ['NOTIFY', matches(/^(?:NEVER|(?:SUCCESS|FAILURE|DELAY)(?:,(?:SUCCESS|FAILURE|DELAY)){0,2})$/i)], // RFC 3461 section 4.1
    ['ORCPT', isOriginalRecipient], // RFC 3461 section 4.2, RFC 6533 section 3
    ['RRVS', matches(/^[\d:.TZ+-]+(?:;[CR])?$/i)], // RFC 7293
  ]),
};

const PARAMETER = /^([A-Z0-9][A-Z0-9-]{0,63})(?:=(.+))?$/i;

/**
 * Parses what stands behind the path. 501 5.5.4: bad syntax, a keyword given twice, a bad value. 555 5.5.4: a keyword
 * that no RFC we know names, or one that would bind us.
 */
export function parseParameters(
  command: 'MAIL' | 'RCPT',
  text: string,
): { readonly parameters: EsmtpParameters } | { readonly reply: Reply } {
  if (text === '') return { parameters: NONE };
  const parameters = new Map<string, string | null>();
  for (const word of text.split(/[ \t]+/)) {
    if (word === '') continue;
    const parts = PARAMETER.exec(word);
    if (parts === null) return bad('Syntax error in the parameters');
    const keyword = (parts[1] ?? '').toUpperCase();
    const value = parts[2] ?? null;
    const rule = KNOWN[command].get(keyword);
    if (rule === undefined)
      return { reply: reply(555, '5.5.4', `Parameter ${keyword} is not supported by ${command}`) };
    if (parameters.has(keyword)) return bad(`Parameter ${keyword} is given twice`);
    const valid = rule === null || value === null ? rule === null && value === null : rule(value);
    if (!valid) return bad(`Bad value for parameter ${keyword}`);
    parameters.set(keyword, value);
  }
  return { parameters };
}

const NONE: EsmtpParameters = new Map();

function bad(text: string): { readonly reply: Reply } {
  return { reply: reply(501, '5.5.4', text) };
}

/** `addr-type;address`: xtext, or for the type utf-8 also the forms of RFC 6533 section 3, which have no "+". */
function isOriginalRecipient(value: string): boolean {
  const semicolon = value.indexOf(';');
  const type = value.slice(0, Math.max(semicolon, 0));
  const address = value.slice(semicolon + 1);
  if (!/^[A-Za-z0-9][A-Za-z0-9-]*$/.test(type) || address === '') return false;
  return isXtext(address) || (type.toLowerCase() === 'utf-8' && !/[\s=]/.test(address));
}

/** The text that an xtext value stands for: octets read as UTF-8. null: not xtext, or not UTF-8. */
export function decodeXtext(value: string): string | null {
  if (!isXtext(value)) return null;
  if (!value.includes('+')) return value;
  const octets = value.replace(/\+(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(octets, 'latin1'));
  } catch {
    return null;
  }
}

/** Text -> xtext, its UTF-8 octets; safe within a command line whatever the text holds. */
export function encodeXtext(value: string): string {
  if (/^[!-*,-<>-~]*$/.test(value)) return value;
  const octets = Buffer.from(value, 'utf8').toString('latin1');
  return octets.replace(
    /[^!-*,-<>-~]/g,
    (octet) => `+${octet.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}
