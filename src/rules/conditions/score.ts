/**
 * score - asks the sum of what the rules before this one have scored, of all layers.
 *
 * It is known as soon as it can be asked: rules are asked in order, and one that waits keeps those behind it waiting.
 */
import { z } from 'zod';
import { decimal } from '../../yaml/scalar.ts';
import { defineCondition } from '../condition.ts';

export const scoreCondition = defineCondition({
  name: 'score',
  summary: 'Asks the sum of what the rules before this one have scored.',
  reference: null,
  phase: 'envelope',
  argument: z.strictObject({ at_least: decimal.describe('The sum from which on it holds.') }),
  examples: [
    { argument: '{ at_least: 5 }', given: { score: 5 }, expect: true },
    { argument: '{ at_least: 5 }', given: { score: 4.9 }, expect: false },
    { argument: '{ at_least: 5 }', given: {}, expect: false },
  ],
  compile:
    ({ at_least: least }) =>
    ({ score }) =>
      (score.sum ?? 0) >= least,
  saw: ({ score }) => String(score.sum ?? 0),
});
