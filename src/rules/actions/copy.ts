/**
 * copy - sends the message to one more address, and goes on.
 *
 * The copy has the header edits that stand before it. It goes out where the message is taken at all (what is refused goes
 * nowhere), and first: where it cannot be delivered the recipient is deferred.
 */
import { z } from 'zod';
import { defineAction } from '../action.ts';
import { oneAddress, reportPlaceholder } from '../one-address.ts';

export const copy = defineAction({
  name: 'copy',
  summary: 'Sends the message to one more address; until that has it, the recipient is deferred.',
  reference: 'RFC 3894',
  decides: false,
  systemOnly: true,
  argument: z.strictObject({ copy: oneAddress }),
  examples: [{ yaml: '{ copy: archive@example.org }', given: {}, expect: 'copy: archive@example.org' }],
  compile({ copy: to }, env) {
    reportPlaceholder(to, env, 'copy');
    return { kind: 'copy', phase: 'envelope', to };
  },
});
