/**
 * authenticated - asks whether the original client authenticated itself (RFC 4954).
 *
 * XCLIENT tells, XFORWARD does not. Where nobody told, both `true` and `false` are answered no.
 */
import { flag } from '../../yaml/scalar.ts';
import { defineCondition } from '../condition.ts';

export const authenticated = defineCondition({
  name: 'authenticated',
  summary: 'Asks whether the client that brought the message gave a password or a certificate.',
  reference: 'RFC 4954',
  phase: 'envelope',
  argument: flag,
  examples: [
    { argument: 'true', given: { login: 'ann' }, expect: true },
    { argument: 'false', given: { login: null }, expect: true },
    { argument: 'true', given: {}, expect: false },
    { argument: 'false', given: {}, expect: false },
  ],
  compile:
    (wanted) =>
    ({ transaction }) => {
      const { login } = transaction.client;
      return login !== undefined && wanted === (login !== null);
    },
  saw: ({ transaction: { client } }) =>
    client.login === undefined ? 'unknown' : (client.login ?? 'not authenticated'),
});
