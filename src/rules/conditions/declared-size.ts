/**
 * declared_size - asks the size that the client declared with SIZE= in MAIL (RFC 1870 section 6.3).
 *
 * An estimate, and not every client gives one, but known before a single octet of the content was sent. `size` asks what came.
 */
import { z } from 'zod';
import { amount } from '../../yaml/scalar.ts';
import { defineCondition } from '../condition.ts';
import type { EnvelopeFacts } from '../../core/facts.ts';
import { askNothing, asksSomething } from '../match.ts';

export const declaredSize = defineCondition({
  name: 'declared_size',
  summary: 'Asks the size that the client said the message has, before it was sent.',
  reference: 'RFC 1870',
  phase: 'envelope',
  argument: z
    .strictObject({
      above: amount().optional().describe('More octets than that.'),
      below: amount().optional().describe('Fewer octets than that.'),
    })
    .refine(asksSomething, askNothing('above: 20 MB')),
  examples: [
    { argument: '{ above: 1 KB }', given: { declaredSize: '1025' }, expect: true },
    { argument: '{ above: 1 KB }', given: { declaredSize: '1024' }, expect: false },
    { argument: '{ below: 1 KB }', given: { declaredSize: '1023' }, expect: true },
    { argument: '{ below: 1 KB }', given: {}, expect: false },
  ],
  compile({ above = -1, below = Number.POSITIVE_INFINITY }) {
    return (facts) => {
      const octets = declared(facts);
      return octets !== null && octets > above && octets < below;
    };
  },
  saw: (facts) => {
    const octets = declared(facts);
    return octets === null ? 'no size' : `${octets} octets`;
  },
});

/** null where no size was declared. */
function declared({ transaction }: EnvelopeFacts): number | null {
  const value = transaction.parameters.get('SIZE') ?? '';
  return /^\d{1,20}$/.test(value) ? Number(value) : null;
}
