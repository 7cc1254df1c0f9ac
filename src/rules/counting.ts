/**
 * counting - conditions that count over the transaction, of something that only grows until the content begins.
 */
import { z } from 'zod';
import type { EnvelopeFacts, Truth } from '../core/facts.ts';
import { count } from '../yaml/scalar.ts';
import { type Condition, type ConditionExample, defineCondition } from './condition.ts';
import { askNothing, asksSomething } from './match.ts';

interface Counting {
  readonly name: string;
  readonly summary: string;
  readonly reference: string | null;
  readonly examples: readonly ConditionExample[];
  countOf(facts: EnvelopeFacts): number;
}

/**
 * `above` may be certain at RCPT already, because the count only grows, and so may be that `below` does not hold. All else
 * is known when the content begins: no RCPT comes behind DATA (RFC 5321 section 4.1.4).
 */
export function defineCounting({ countOf, ...spec }: Counting): Condition {
  return defineCondition({
    ...spec,
    phase: 'header',
    argument: z
      .strictObject({
        above: count.optional().meta({ description: 'More than that many.', examples: ['10'] }),
        below: count.optional().meta({ description: 'Fewer than that many.', examples: ['2'] }),
      })
      .refine(asksSomething, askNothing('above: 10')),
    early({ above = -1, below }, facts): Truth {
      const soFar = countOf(facts);
      if (below !== undefined) return soFar >= below ? false : 'later';
      return soFar > above ? true : 'later';
    },
    compile({ above = -1, below = Number.POSITIVE_INFINITY }) {
      return (facts) => countOf(facts) > above && countOf(facts) < below;
    },
    saw: (facts) => String(countOf(facts)),
  });
}
