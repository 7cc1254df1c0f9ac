/**
 * recipients - asks how many recipients the transaction names, each address once.
 *
 * Recipients that were refused count too. Else the answer would depend on when it was asked: the one recipient too many,
 * refused at RCPT, would not have been too many after the dot.
 */
import { defineCounting } from '../counting.ts';

const THREE = { others: ['news@lists.example.org', 'gardeners-owner@lists.example.org'] };

export const recipients = defineCounting({
  name: 'recipients',
  summary: 'Asks how many recipients the transaction names, refused ones too.',
  reference: 'RFC 5321 section 4.1.1.3',
  examples: [
    { argument: '{ above: 2 }', given: THREE, expect: true },
    { argument: '{ above: 3 }', given: THREE, expect: false },
    { argument: '{ above: 1, below: 3 }', given: THREE, expect: false },
    { argument: '{ below: 2 }', given: {}, expect: true },
    { argument: '{ above: 1 }', given: { others: ['Gardeners@lists.example.org'] }, expect: false },
  ],
  countOf: ({ addressees }) => addressees.recipients.size,
});
