/**
 * facts - the facts of a small message, as the pipeline would hand them to the rules.
 */
import type { Facts, Phase } from '../../src/core/facts.ts';
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

/** The facts of one recipient at each phase; the answers of stores are shared, as in a transaction. */
export function factsOf(given: Given = {}): FactsByPhase {
  const { from = 'ann@example.net', to = 'gardeners@lists.example.org', client = '192.0.2.1', header = '' } = given;
  const body = given.body === undefined ? '' : `${given.body.replaceAll('\n', '\r\n')}\r\n`;
  const content = Buffer.from(`${header.replaceAll('\n', '\r\n')}${header === '' ? '' : '\r\n'}\r\n${body}`);
  const envelope = {
    transaction: {
      id: 'T1',
      client: {
        address: client,
        name: null,
        port: null,
        helo: 'mx.example.net',
        tls: false,
        protocol: 'ESMTP' as const,
      },
      reversePath: from === '' ? null : mailbox(from),
      rawReversePath: from,
      parameters: new Map(),
      signal: new AbortController().signal,
    },
    recipient: { forwardPath: mailbox(to), raw: to, parameters: new Map() },
    address: splitAddress(mailbox(to), 'mailman'),
    answers: new Map(),
  };
  const headerFacts = { ...envelope, header: parseHeader(content) };
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
