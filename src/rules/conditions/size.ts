/**
 * size - asks the size of the content in octets, as it goes on to the downstream.
 *
 * What MAIL declared with SIZE= (RFC 1870) is an estimate and is not asked.
 */
import { z } from 'zod';
import { amount } from '../../yaml/scalar.ts';
import { defineCondition } from '../condition.ts';
import { askNothing, asksSomething } from '../match.ts';

export const size = defineCondition({
  name: 'size',
  summary: 'Asks the size of the whole message.',
  reference: null,
  phase: 'content',
  argument: z
    .strictObject({
      above: amount().optional().describe('More octets than that, as they are sent.'),
      below: amount().optional().describe('Fewer octets than that.'),
    })
    .refine(asksSomething, askNothing('above: 20 MB')),
  examples: [
    { argument: '{ above: 1 KB }', given: { size: 1025 }, expect: true },
    { argument: '{ above: 1 KB }', given: { size: 1024 }, expect: false },
    { argument: '{ below: 1 KB }', given: { size: 1023 }, expect: true },
    { argument: '{ above: 500 B, below: 1 KB }', given: { size: 2000 }, expect: false },
  ],
  compile({ above = -1, below = Number.POSITIVE_INFINITY }) {
    return ({ message: { content } }) => content.size > above && content.size < below;
  },
  ofMessage: () => true,
  saw: ({ message }) => `${message.content.size} octets`,
});
