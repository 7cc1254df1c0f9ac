/**
 * list - asks which list the recipient's address belongs to, whatever its role.
 *
 * For the system's rules: a list's own file knows the answer.
 */
import { z } from 'zod';
import { addressWords, compileAddresses } from '../address-match.ts';
import { askOnce, defineCondition } from '../condition.ts';
import { askNothing, asksSomething } from '../match.ts';

const OWNER = { to: 'gardeners-owner@lists.example.org' };

export const list = defineCondition({
  name: 'list',
  summary: 'Asks the address of the list, for rules of the system that are meant for some lists only.',
  reference: null,
  phase: 'envelope',
  systemOnly: true,
  argument: z.strictObject(addressWords).refine(asksSomething, askNothing('is: gardeners@lists.example.org')),
  examples: [
    { argument: '{ is: gardeners@lists.example.org }', given: OWNER, expect: true },
    { argument: '{ domain: lists.example.org }', given: OWNER, expect: true },
    { argument: '{ like: "news@*" }', given: OWNER, expect: false },
    { argument: '{ not_in: [news@lists.example.org] }', given: OWNER, expect: true },
  ],
  compile(words, env) {
    const test = compileAddresses(words, env);
    return askOnce((facts) => test([mailboxOf(facts.address.list)], facts));
  },
  saw: ({ address }) => address.list,
});

function mailboxOf(list: string): { localPart: string; domain: string } {
  const at = list.lastIndexOf('@');
  return { localPart: list.slice(0, at), domain: list.slice(at + 1) };
}
