/**
 * client_name - asks the host name of the original client, where XFORWARD told it.
 *
 * The MTA in front has looked it up; Postfix tells only names that lead back to the address of the client.
 */
import { z } from 'zod';
import { defineCondition } from '../condition.ts';
import { compileHost, hostWords } from '../host-match.ts';
import { askNothing, asksSomething } from '../match.ts';

const MX = { clientName: 'mx.example.net' };

export const clientName = defineCondition({
  name: 'client_name',
  summary: 'Asks the host name of the client that brought the message.',
  reference: null,
  phase: 'envelope',
  argument: z.strictObject(hostWords).refine(asksSomething, askNothing('like: "*.example.net"')),
  examples: [
    { argument: '{ is: MX.example.net }', given: MX, expect: true },
    { argument: '{ like: "*.example.net" }', given: MX, expect: true },
    { argument: '{ ends_with: .example.net }', given: { clientName: 'mx.evilexample.net' }, expect: false },
    { argument: '{ regex: "^(dsl|dyn)[0-9-]" }', given: { clientName: 'dyn-7.isp.example' }, expect: true },
    { argument: '{ is: mx.example.net }', given: {}, expect: false },
    { argument: '{ exists: false }', given: {}, expect: true },
  ],
  compile: (words, env) => compileHost(words, env, ({ transaction }) => transaction.client.name),
  saw: ({ transaction }) => transaction.client.name ?? 'unknown',
});
