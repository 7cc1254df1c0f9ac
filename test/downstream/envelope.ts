/**
 * envelope - envelopes and content for the tests of a downstream: short to write, whole as values.
 */
import type { Client, Envelope, EsmtpParameters, Recipient, Transaction } from '../../src/core/envelope.ts';
import type { Log } from '../../src/core/log.ts';
import type { Content } from '../../src/core/message.ts';
import type { Reply } from '../../src/core/reply.ts';

export const CLIENT: Client = {
  address: '192.0.2.7',
  name: 'mx.example.net',
  port: 4711,
  helo: 'client.example.net',
  tls: false,
  protocol: 'ESMTP',
};

export function recipient(raw: string, parameters: Readonly<Record<string, string>> = {}): Recipient {
  const at = raw.lastIndexOf('@');
  return {
    forwardPath: { localPart: raw.slice(0, at), domain: raw.slice(at + 1) },
    raw,
    parameters: new Map(Object.entries(parameters)),
  };
}

export interface Given {
  readonly from?: string;
  readonly to?: readonly (string | Recipient)[];
  readonly parameters?: EsmtpParameters;
  readonly client?: Client;
}

export function envelope({ from = 'author@example.net', to = ['a@lists.example'], ...given }: Given = {}): Envelope {
  const transaction: Transaction = {
    id: 'T1',
    client: given.client ?? CLIENT,
    reversePath: from === '' ? null : recipient(from).forwardPath,
    rawReversePath: from,
    parameters: given.parameters ?? new Map(),
    signal: new AbortController().signal,
  };
  return { transaction, recipients: to.map((one) => (typeof one === 'string' ? recipient(one) : one)) };
}

export function content(...slices: readonly string[]): Content {
  const octets = slices.map((slice) => Buffer.from(slice, 'latin1'));
  return { size: octets.reduce((sum, slice) => sum + slice.length, 0), slices: () => octets };
}

/** At least so many octets, in slices of 64 KiB. */
export function big(octets: number): Content {
  const slice = Buffer.alloc(64 * 1024, 'The quick brown fox jumps over the lazy dog.\r\n');
  const slices = new Array<Buffer>(Math.ceil(octets / slice.length)).fill(slice);
  return { size: slices.length * slice.length, slices: () => slices };
}

/** `code status text` with the lines of the text as they are. */
export function show({ code, status, text }: Reply): string {
  return `${code} ${status ?? '-'} ${text}`;
}

/** A log that keeps its warnings: event, and what tells one from the other. */
export function warnings(): Log & { readonly lines: string[] } {
  const lines: string[] = [];
  return {
    lines,
    transaction: () => undefined,
    info: () => undefined,
    warn: (event, detail) =>
      lines.push(`${event} ${detail?.['stage']} ${detail?.['failure']} ${detail?.['recipients']}`),
    error: (event, error) => lines.push(`${event} ${error}`),
  };
}
