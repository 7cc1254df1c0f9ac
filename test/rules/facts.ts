/**
 * facts - the facts of a small message, as the pipeline would hand them to the rules.
 */
import { type Addressees, Answers, type Facts, type Phase } from '../../src/core/facts.ts';
import type { Log } from '../../src/core/log.ts';
import type { Mailbox } from '../../src/core/mailbox.ts';
import { parseHeader } from '../../src/mail/header.ts';
import type { Given } from '../../src/rules/part.ts';
import { splitAddress } from '../../src/rules/select.ts';

export function mailbox(address: string): Mailbox {
  const at = address.lastIndexOf('@');
  return { localPart: address.slice(0, at), domain: address.slice(at + 1).toLowerCase() };
}

export type FactsByPhase = { readonly [P in Phase]: Facts & { readonly phase: P } };

function addresseesOf(recipients: readonly string[]): Addressees {
  return {
    recipients: new Set(recipients.map((one) => one.toLowerCase())),
    lists: new Set(recipients.map((one) => splitAddress(mailbox(one), 'mailman').list)),
  };
}

/** The content of a small message. */
function contentOf({ header = '', body = '' }: Given): Buffer {
  const lines = `${header}${header === '' ? '' : '\n'}\n${body}`;
  return Buffer.from(lines.replaceAll('\n', '\r\n'));
}

/**
 * The facts of one recipient at each phase; the answers of stores are shared, as in a transaction. `content`: octets in the
 * place of the header section and the body of `given`.
 */
export function factsOf(given: Given = {}, content = contentOf(given)): FactsByPhase {
  const { from = 'ann@example.net', to = 'gardeners@lists.example.org', client = '192.0.2.1' } = given;
  const { clientName = null, helo = 'mx.example.net', tls = false, now = '2026-03-04T12:00:00Z', others = [] } = given;
  const envelope = {
    now: Date.parse(now),
    addressees: addresseesOf([to, ...others.slice(0, -1)]),
    transaction: {
      id: 'T1',
      client: {
        address: client,
        name: clientName,
        port: null,
        helo,
        tls,
        ...(given.login === undefined ? {} : { login: given.login }),
        protocol: 'ESMTP' as const,
      },
      reversePath: from === '' ? null : mailbox(from),
      rawReversePath: from,
      parameters: new Map(given.declaredSize === undefined ? [] : [['SIZE', given.declaredSize]]),
      signal: new AbortController().signal,
    },
    recipient: { forwardPath: mailbox(to), raw: to, parameters: new Map() },
    address: splitAddress(mailbox(to), 'mailman'),
    answers: new Answers(),
    score: { sum: given.score ?? null },
  };
  const headerFacts = { ...envelope, addressees: addresseesOf([to, ...others]), header: parseHeader(content) };
  const size = given.size ?? content.length;
  const message = { header: headerFacts.header, content: { size, slices: () => [content] } };
  return {
    envelope: { ...envelope, phase: 'envelope' },
    header: { ...headerFacts, phase: 'header' },
    content: { ...headerFacts, message, phase: 'content' },
  };
}

export interface Logged {
  readonly event: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** A log that remembers. */
export function memoryLog(): Log & { readonly lines: Logged[] } {
  const lines: Logged[] = [];
  return {
    lines,
    transaction() {},
    info: (event, detail = {}) => lines.push({ event, detail }),
    warn: (event, detail = {}) => lines.push({ event, detail }),
    error: (event, error, detail = {}) => lines.push({ event, detail: { ...detail, error } }),
  };
}
