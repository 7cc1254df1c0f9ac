/**
 * client_ip - asks the IP address of the original client, where XFORWARD told it.
 *
 * Where nobody told, every question about it is answered no.
 */
import { z } from 'zod';
import { everyOne, negated } from '../asking.ts';
import { askOnce, defineCondition } from '../condition.ts';
import { askNothing, asksSomething, matchWord } from '../match.ts';
import { compileMembers, type Members } from '../members.ts';

const WORDS = ['is', 'in', 'not_in'] as const;

export const clientIp = defineCondition({
  name: 'client_ip',
  summary: 'Asks the IP address of the client that brought the message.',
  reference: null,
  phase: 'envelope',
  argument: z
    .strictObject({
      is: matchWord('The address itself.', '192.0.2.7', '"2001:db8::7"'),
      in: matchWord('The address is in a set under sets, or in one of these networks.', '192.0.2.0/24', 'relays'),
      not_in: matchWord(
        'The address is known, and in none of these sets or networks.',
        '[192.0.2.0/24, "2001:db8::/32"]',
      ),
    })
    .refine(asksSomething, askNothing('in: 192.0.2.0/24')),
  examples: [
    { argument: '{ is: 192.0.2.1 }', given: { client: '192.0.2.1' }, expect: true },
    { argument: '{ in: [192.0.2.0/24, "2001:db8::/32"] }', given: { client: '2001:db8::7' }, expect: true },
    { argument: '{ in: 192.0.2.0/24 }', given: { client: '::ffff:192.0.2.1' }, expect: true },
    { argument: '{ not_in: 192.0.2.0/24 }', given: { client: '198.51.100.1' }, expect: true },
    { argument: '{ in: 192.0.2.0/24 }', given: { client: null }, expect: false },
    { argument: '{ not_in: 192.0.2.0/24 }', given: { client: null }, expect: false },
  ],
  compile(words, env) {
    const questions = WORDS.flatMap((word): Members[] => {
      const items = words[word];
      if (items === undefined) return [];
      const members = compileMembers(items, 'networks', env, word);
      return [word === 'not_in' ? (key, signal) => negated(members(key, signal)) : members];
    });
    return askOnce(({ transaction: { client, signal } }) => {
      const { address } = client;
      return address !== null && everyOne(questions, (question) => question(address, signal));
    });
  },
  saw: ({ transaction }) => transaction.client.address ?? 'unknown',
});
