/**
 * tls - asks whether the original client came over TLS (RFC 3207).
 *
 * XFORWARD does not tell. Where nobody told, both `true` and `false` are answered no.
 */
import { flag } from '../../yaml/scalar.ts';
import { defineCondition } from '../condition.ts';

export const tls = defineCondition({
  name: 'tls',
  summary: 'Asks whether the client that brought the message used TLS.',
  reference: 'RFC 3207',
  phase: 'envelope',
  argument: flag,
  examples: [
    { argument: 'true', given: { tls: true }, expect: true },
    { argument: 'false', given: { tls: false }, expect: true },
    { argument: 'true', given: { tls: null }, expect: false },
    { argument: 'false', given: { tls: null }, expect: false },
  ],
  compile:
    (wanted) =>
    ({ transaction }) =>
      transaction.client.tls === wanted,
  saw: ({ transaction: { client } }) => (client.tls === null ? 'unknown' : String(client.tls)),
});
