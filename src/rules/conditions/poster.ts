/**
 * poster - asks the author and the reverse-path together: who writes, and who gets the bounces.
 *
 * Both must satisfy the words: whoever forges From: alone, or MAIL FROM alone, is no poster that the words describe. So
 * `not_in` holds as soon as one of them is outside, and so for every message with the null reverse-path or without author.
 */
import { z } from 'zod';
import { printMailbox } from '../../core/mailbox.ts';
import { addressWords, compileAddresses } from '../address-match.ts';
import { anyOne, everyOne } from '../asking.ts';
import { askOnce, defineCondition } from '../condition.ts';
import { askNothing, asksSomething } from '../match.ts';

const ANN = { from: 'ann@example.net', header: 'From: ann@example.net' };
const ANN_BY_EVE = { from: 'eve@example.com', header: 'From: ann@example.net' };

export const poster = defineCondition({
  name: 'poster',
  summary: 'Asks the addresses in From: and in MAIL FROM; both must fit.',
  reference: 'RFC 5322 section 3.6.2, RFC 5321 section 4.1.1.2',
  phase: 'header',
  argument: z.strictObject(addressWords).refine(asksSomething, askNothing('in: members')),
  examples: [
    { argument: '{ is: ann@example.net }', given: ANN, expect: true },
    { argument: '{ is: ann@example.net }', given: ANN_BY_EVE, expect: false },
    { argument: '{ in: ["*@example.net"] }', given: ANN, expect: true },
    { argument: '{ in: ["*@example.net"] }', given: ANN_BY_EVE, expect: false },
    { argument: '{ not_in: ["*@example.net"] }', given: ANN, expect: false },
    { argument: '{ not_in: ["*@example.net"] }', given: ANN_BY_EVE, expect: true },
    { argument: '{ not_in: ["*@example.net"] }', given: { ...ANN, from: '' }, expect: true },
    { argument: '{ domain: example.net, not_in: [ann@example.net] }', given: ANN, expect: false },
  ],
  compile({ not_in: outside, ...words }, env) {
    const fits = compileAddresses(words, env);
    const isOutside = outside && compileAddresses({ not_in: outside }, env);
    return askOnce((facts) => {
      const { reversePath } = facts.transaction;
      const both = [facts.header.authors, reversePath === null ? [] : [reversePath]];
      return everyOne(
        [
          () => everyOne(both, (mailboxes) => fits(mailboxes, facts)),
          () => isOutside === undefined || anyOne(both, (mailboxes) => isOutside(mailboxes, facts)),
        ],
        (question) => question(),
      );
    });
  },
  saw({ header, transaction: { reversePath } }) {
    const authors = header.authors.slice(0, 5).map(printMailbox).join(', ') || 'no author';
    return `${authors}; ${reversePath === null ? '<>' : printMailbox(reversePath)}`;
  },
});
