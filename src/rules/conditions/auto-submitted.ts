/**
 * auto_submitted - asks Auto-Submitted: (RFC 3834 section 5): whether a machine sent this of its own accord.
 *
 * `yes` is every keyword but `no`, also those that are not known here; `no` is the keyword or no such field. Nothing else
 * is evidence: X-Auto-Response-Suppress asks others not to answer, and people's mail by way of Exchange carries it too.
 */
import { z } from 'zod';
import type { Header } from '../../core/message.ts';
import { withoutComments } from '../../mail/comment.ts';
import { listOf } from '../../yaml/scalar.ts';
import { defineCondition } from '../condition.ts';

const KINDS = ['yes', 'no', 'auto-replied', 'auto-generated', 'auto-notified'] as const;

export const autoSubmitted = defineCondition({
  name: 'auto_submitted',
  summary:
    'Asks whether a machine says it sent the message: yes, no, auto-replied (out of office), auto-generated (reports) or auto-notified.',
  reference: 'RFC 3834 section 5, RFC 5436 section 2.7.1',
  phase: 'header',
  argument: listOf(z.enum(KINDS)),
  examples: [
    { argument: 'yes', given: { header: 'Auto-Submitted: auto-generated' }, expect: true },
    { argument: 'yes', given: { header: 'Auto-Submitted: Auto-Replied (vacation)' }, expect: true },
    {
      argument: 'auto-replied',
      given: { header: 'Auto-Submitted: auto-replied; owner-email="ann@example.net"' },
      expect: true,
    },
    { argument: 'auto-replied', given: { header: 'Auto-Submitted: auto-generated' }, expect: false },
    { argument: '[auto-replied, auto-notified]', given: { header: 'Auto-Submitted: auto-notified' }, expect: true },
    { argument: 'yes', given: { header: 'Auto-Submitted: no' }, expect: false },
    { argument: 'no', given: { header: 'Auto-Submitted: (by hand) no' }, expect: true },
    { argument: 'no', given: {}, expect: true },
    { argument: 'yes', given: { header: 'X-Auto-Response-Suppress: All' }, expect: false },
  ],
  compile(kinds) {
    const wanted = new Set<string>(kinds);
    return ({ header }) => {
      const automatic = keywords(header).filter((keyword) => keyword !== 'no');
      if (automatic.length === 0) return wanted.has('no');
      return wanted.has('yes') || automatic.some((keyword) => wanted.has(keyword));
    };
  },
  ofMessage: () => true,
  saw: ({ header }) => keywords(header).join(', ') || 'no such field',
});

/** Fields, and characters of each, that are read. */
const MOST_FIELDS = 10;
const LONGEST = 200;

/** Comments may stand on either side (RFC 3834 section 5). */
function keywords(header: Header): readonly string[] {
  const fields = header.named('Auto-Submitted').slice(0, MOST_FIELDS);
  return fields.flatMap(({ value }) => {
    const keyword = /^[^\s;]+/.exec(withoutComments(value.slice(0, LONGEST)).trim())?.[0];
    return keyword === undefined ? [] : [keyword.toLowerCase()];
  });
}
