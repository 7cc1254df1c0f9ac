/**
 * lists_addressed - asks how many lists the recipients of the transaction belong to, whatever their roles: one message
 * to many lists is a crossposting.
 *
 * Lists whose recipients were refused count too, as for `recipients`.
 */
import { defineCounting } from '../counting.ts';

const TWO = { others: ['news@lists.example.org', 'gardeners-owner@lists.example.org'] };

export const listsAddressed = defineCounting({
  name: 'lists_addressed',
  summary: 'Asks how many lists the transaction is for.',
  reference: null,
  examples: [
    { argument: '{ above: 1 }', given: TWO, expect: true },
    { argument: '{ above: 2 }', given: TWO, expect: false },
    { argument: '{ below: 2 }', given: {}, expect: true },
  ],
  countOf: ({ addressees }) => addressees.lists.size,
});
