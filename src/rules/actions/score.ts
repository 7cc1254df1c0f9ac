/**
 * score - adds to the score of the message for this recipient, and goes on; the condition `score` asks the sum.
 *
 * A list adds to what the system's rules have scored, and the system's last layer asks the sum of both. A list can only
 * be stricter, so its files take nothing off.
 */
import { z } from 'zod';
import { decimal } from '../../yaml/scalar.ts';
import { defineAction } from '../action.ts';

export const scoreAction = defineAction({
  name: 'score',
  summary: 'Adds to the score of the message, which rules behind this one can ask.',
  reference: null,
  decides: false,
  argument: z.strictObject({ score: decimal }),
  examples: [
    { yaml: '{ score: 2.5 }', given: {}, expect: 'score 2.5' },
    { yaml: '{ score: -1 }', given: {}, expect: 'score -1' },
  ],
  compile({ score: points }, { scope, report }) {
    if (scope === 'list' && points < 0) {
      const hint = 'let `unless` keep the other rules from scoring';
      report('E_NOT_ALLOWED', 'only rules of the system may take off the score', hint, ['score']);
    }
    return { kind: 'score', phase: 'envelope', points };
  },
});
