/**
 * helo - asks the name that the original client gave in HELO or EHLO (RFC 5321 section 4.1.1.1).
 *
 * Anybody may say anything there. Behind a proxy it is known only where XFORWARD told it.
 */
import { z } from 'zod';
import { defineCondition } from '../condition.ts';
import { compileHost, hostWords } from '../host-match.ts';
import { askNothing, asksSomething } from '../match.ts';

export const helo = defineCondition({
  name: 'helo',
  summary: 'Asks the name that the client gave in HELO or EHLO.',
  reference: 'RFC 5321 section 4.1.1.1',
  phase: 'envelope',
  argument: z.strictObject(hostWords).refine(asksSomething, askNothing('is: localhost')),
  examples: [
    { argument: '{ is: [localhost, localhost.localdomain] }', given: { helo: 'LOCALHOST' }, expect: true },
    { argument: '{ contains: "." }', given: { helo: 'desktop-7' }, expect: false },
    { argument: '{ like: "[*]" }', given: { helo: '[192.0.2.1]' }, expect: true },
    { argument: '{ contains: "." }', given: { helo: '' }, expect: false },
    { argument: '{ exists: false }', given: { helo: '' }, expect: true },
  ],
  compile: (words, env) => compileHost(words, env, ({ transaction }) => transaction.client.helo || null),
  saw: ({ transaction }) => transaction.client.helo || 'unknown',
});
