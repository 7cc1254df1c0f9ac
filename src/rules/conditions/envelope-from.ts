/**
 * envelope_from - asks the reverse-path: the address that bounces go to (RFC 5321 section 4.1.1.2).
 *
 * The null reverse-path `<>` is in no set and has no domain.
 */
import { z } from 'zod';
import { flag } from '../../yaml/scalar.ts';
import {
  addressHaystack,
  addressWords,
  areForEveryList,
  askAddresses,
  compileAddresses,
  needsOfAddresses,
  showAddresses,
} from '../address-match.ts';
import { askAt, defineBoundCondition } from '../condition.ts';
import { askNothing, asksSomething } from '../match.ts';

const REVERSE_PATH = addressHaystack('envelope_from', 'envelope', ({ transaction: { reversePath } }) =>
  reversePath === null ? [] : [reversePath],
);

export const envelopeFrom = defineBoundCondition({
  name: 'envelope_from',
  summary: 'Asks the address in MAIL FROM, where bounces go.',
  reference: 'RFC 5321 section 4.1.1.2',
  phase: 'envelope',
  argument: z
    .strictObject({
      empty: flag.optional().describe('Whether it is the null reverse-path, `<>`, of bounces and automatic replies.'),
      ...addressWords,
    })
    .refine(asksSomething, askNothing('domain: example.net')),
  examples: [
    { argument: '{ empty: true }', given: { from: '' }, expect: true },
    { argument: '{ empty: true }', given: { from: 'ann@example.net' }, expect: false },
    { argument: '{ empty: false }', given: { from: 'ann@example.net' }, expect: true },
    { argument: '{ is: ann@example.net }', given: { from: 'Ann@Example.NET' }, expect: true },
    { argument: '{ like: "*@example.net" }', given: { from: 'ann@mail.example.net' }, expect: false },
    { argument: '{ domain: [example.net, "*.example.net"] }', given: { from: 'ann@mail.example.net' }, expect: true },
    { argument: '{ in: [ann@example.net, "*@example.org"] }', given: { from: 'bob@example.org' }, expect: true },
    { argument: '{ in: ["*@example.org"] }', given: { from: '' }, expect: false },
    { argument: '{ not_in: ["*@example.org"] }', given: { from: '' }, expect: true },
  ],
  compile(words, env) {
    const test = compileAddresses(words, env);
    const { empty } = words;
    const show = showAddresses(words, env);
    const asked = askAt(
      'envelope',
      askAddresses(words, (facts) => {
        const { reversePath } = facts.transaction;
        if (empty !== undefined && empty !== (reversePath === null)) return false;
        return test(reversePath === null ? [] : [reversePath], facts);
      }),
      ({ transaction: { reversePath } }) => (reversePath === null ? '<>' : show([reversePath])),
    );
    return { ...asked, needs: needsOfAddresses(words, REVERSE_PATH), ofMessage: areForEveryList(words) };
  },
});
