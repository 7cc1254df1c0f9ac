/**
 * date_skew - asks how far Date: (RFC 5322 section 3.6.1) is from now, in the past or in the future.
 *
 * A message without a date that can be read is not skewed.
 */
import { z } from 'zod';
import type { HeaderFacts } from '../../core/facts.ts';
import { parseDate } from '../../mail/date.ts';
import { duration } from '../../yaml/scalar.ts';
import { defineCondition } from '../condition.ts';

const AT_NOON = '2026-03-04T12:00:00Z';

export const dateSkew = defineCondition({
  name: 'date_skew',
  summary: 'Asks how far Date: is from now, in either direction.',
  reference: 'RFC 5322 section 3.6.1',
  phase: 'header',
  argument: z.strictObject({
    above: duration.meta({ description: 'The difference of Date: and our clock, either way.', examples: ['24 hours'] }),
  }),
  examples: [
    {
      argument: '{ above: 24 hours }',
      given: { now: AT_NOON, header: 'Date: Tue, 3 Mar 2026 11:59:59 +0000' },
      expect: true,
    },
    {
      argument: '{ above: 24 hours }',
      given: { now: AT_NOON, header: 'Date: Tue, 3 Mar 2026 12:00:00 +0000' },
      expect: false,
    },
    {
      argument: '{ above: 2 hours }',
      given: { now: AT_NOON, header: 'Date: Wed, 4 Mar 2026 16:00:00 +0200' },
      expect: false,
    },
    {
      argument: '{ above: 7 days }',
      given: { now: AT_NOON, header: 'Date: Fri, 1 Jan 2038 00:00:00 +0000' },
      expect: true,
    },
    { argument: '{ above: 1 hour }', given: { header: 'Date: yesterday' }, expect: false },
    { argument: '{ above: 1 hour }', given: {}, expect: false },
  ],
  compile:
    ({ above }) =>
    (facts) =>
      (skewOf(facts) ?? 0) > above,
  saw(facts) {
    const skew = skewOf(facts);
    return skew === null ? 'no date' : `${(skew / 3_600_000).toFixed(1)} hours`;
  },
});

/** Milliseconds; null where there is no date. */
function skewOf({ header, now }: HeaderFacts): number | null {
  const date = parseDate(header.named('Date')[0]?.value ?? '');
  return date === null ? null : Math.abs(now - date);
}
