/**
 * received_count - asks how many Received: fields there are: how many hosts have handled the message (RFC 5321 section 6.3).
 */
import { z } from 'zod';
import { count } from '../../yaml/scalar.ts';
import { defineCondition } from '../condition.ts';
import { askNothing, asksSomething } from '../match.ts';

export const receivedCount = defineCondition({
  name: 'received_count',
  summary: 'Asks how many hosts have handled the message, counted in Received: fields.',
  reference: 'RFC 5321 section 6.3',
  phase: 'header',
  argument: z
    .strictObject({
      above: count.optional().meta({ description: 'More Received: fields than that.', examples: ['25'] }),
      below: count.optional().meta({ description: 'Fewer Received: fields than that.', examples: ['2'] }),
    })
    .refine(asksSomething, askNothing('above: 25')),
  examples: [
    { argument: '{ above: 1 }', given: { header: 'Received: from a by b\nReceived: from c by a' }, expect: true },
    { argument: '{ above: 2 }', given: { header: 'Received: from a by b\nReceived: from c by a' }, expect: false },
    { argument: '{ below: 1 }', given: {}, expect: true },
  ],
  compile({ above = -1, below = Number.POSITIVE_INFINITY }) {
    return ({ header }) => {
      const hops = header.named('Received').length;
      return hops > above && hops < below;
    };
  },
  saw: ({ header }) => `${header.named('Received').length} Received fields`,
});
