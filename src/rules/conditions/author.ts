/**
 * author - asks the mailboxes of From: (RFC 5322 section 3.6.2).
 *
 * From: can hold several mailboxes, and mail that does not keep to the standard several From: fields; all count. Whoever is
 * let in by `in` has all of them in the set: one known author does not vouch for another.
 */
import { z } from 'zod';
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

const AUTHORS = addressHaystack('author', 'header', ({ header }) => header.authors);
const TWO_AUTHORS = 'From: Ann <ann@example.net>, bob@example.org';

export const author = defineBoundCondition({
  name: 'author',
  summary: 'Asks the addresses in From:; `in` needs all of them in the set, the other words one that fits.',
  reference: 'RFC 5322 section 3.6.2',
  phase: 'header',
  argument: z.strictObject(addressWords).refine(asksSomething, askNothing('domain: example.net')),
  examples: [
    { argument: '{ is: ann@example.net }', given: { header: 'From: Ann <ANN@example.net>' }, expect: true },
    { argument: '{ is: "{list}" }', given: { header: 'From: gardeners@lists.example.org' }, expect: true },
    {
      argument: '{ is: ann@example.net }',
      given: { header: 'From: "ann@example.net" <eve@example.com>' },
      expect: false,
    },
    { argument: '{ like: "ann@*" }', given: { header: TWO_AUTHORS }, expect: true },
    { argument: '{ like: "ann@*", domain: example.org }', given: { header: TWO_AUTHORS }, expect: false },
    { argument: '{ in: ["*@example.net"] }', given: { header: TWO_AUTHORS }, expect: false },
    { argument: '{ in: [ann@example.net, bob@example.org] }', given: { header: TWO_AUTHORS }, expect: true },
    { argument: '{ not_in: ["*@example.net"] }', given: { header: TWO_AUTHORS }, expect: true },
    { argument: '{ in: ["*@example.net"] }', given: { header: 'Subject: nobody' }, expect: false },
    { argument: '{ not_in: ["*@example.net"] }', given: { header: 'Subject: nobody' }, expect: true },
  ],
  compile(words, env) {
    const test = compileAddresses(words, env);
    const show = showAddresses(words, env);
    const asked = askAt(
      'header',
      askAddresses(words, (facts) => test(facts.header.authors, facts)),
      ({ header }) => show(header.authors) || 'no author',
    );
    return { ...asked, needs: needsOfAddresses(words, AUTHORS), ofMessage: areForEveryList(words) };
  },
});
