/**
 * always - holds for every message: for a rule without a condition.
 */
import type { z } from 'zod';
import { scalar } from '../../yaml/scalar.ts';
import { defineCondition } from '../condition.ts';

const onlyTrue: z.ZodType<true> = scalar('true', ['true'], (source) => {
  if (source === 'true') return { value: true };
  return { problem: { code: 'E_VALUE', message: '`always` is always true', hint: 'write true, or take the rule out' } };
});

export const always = defineCondition({
  name: 'always',
  summary: 'Holds for every message; for a rule without a condition.',
  reference: null,
  phase: 'envelope',
  argument: onlyTrue,
  examples: [{ argument: 'true', given: {}, expect: true }],
  compile: () => () => true,
  saw: () => 'every message',
});
