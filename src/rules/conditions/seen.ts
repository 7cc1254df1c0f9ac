/**
 * seen - asks whether a copy of the message was accepted before for the same address of the list.
 *
 * A copy counts once a downstream has taken it, never when it was refused, so that whoever tries again after a 4yz is not
 * taken for a copy of himself. Copies have the same Message-ID (RFC 5322 section 3.6.4), or octet for octet the same body;
 * a message without the one (`<>` is none), or whose body is white space, is no copy of anything.
 */
import { z } from 'zod';
import type { ContentFacts, EnvelopeFacts, HeaderFacts } from '../../core/facts.ts';
import { ledgerKey } from '../../store/ledger.ts';
import { duration } from '../../yaml/scalar.ts';
import { bodyDigest } from '../body-digest.ts';
import { askAt, askOnce, defineBoundCondition } from '../condition.ts';

const ANN = { header: 'Message-ID: <1@example.net>' };

export const seen = defineBoundCondition({
  name: 'seen',
  summary: 'Asks whether a copy of the message was accepted before for this list.',
  reference: 'RFC 5322 section 3.6.4',
  phase: 'header',
  phaseNote: 'known at the end of the header section; with `key: body` after the final dot',
  argument: z.strictObject({
    key: z.enum(['message_id', 'body']).describe('What copies have in common.'),
    within: duration.describe('How long a copy is remembered.'),
  }),
  examples: [
    { argument: '{ key: message_id, within: 1 day }', after: ANN, given: ANN, expect: true },
    { argument: '{ key: message_id, within: 1 day }', given: ANN, expect: false },
    {
      argument: '{ key: message_id, within: 1 day }',
      after: ANN,
      given: { ...ANN, to: 'news@lists.example.org' },
      expect: false,
    },
    { argument: '{ key: message_id, within: 1 day }', after: {}, given: {}, expect: false },
    {
      argument: '{ key: body, within: 1 hour }',
      after: { body: 'Tulips!' },
      given: { ...ANN, body: 'Tulips!' },
      expect: true,
      phase: 'content',
    },
    {
      argument: '{ key: body, within: 1 hour }',
      after: { body: 'Tulips!' },
      given: { body: 'Tulips?' },
      expect: false,
      phase: 'content',
    },
    { argument: '{ key: body, within: 1 hour }', after: {}, given: {}, expect: false, phase: 'content' },
  ],
  compile({ key, within }, { ledger }) {
    const keyOf = (value: string, { address: { list, role } }: EnvelopeFacts): string =>
      ledgerKey('seen', list, role, key, value, `${within}`);
    const isMarked = (value: string | null, facts: EnvelopeFacts): boolean | Promise<boolean> =>
      value !== null && ledger.isMarked(keyOf(value, facts), facts.transaction.signal);
    const mark = (value: string | null, facts: EnvelopeFacts): void | Promise<void> =>
      value === null ? undefined : ledger.mark(keyOf(value, facts), within);
    if (key === 'message_id') {
      return {
        ...askAt(
          'header',
          askOnce((facts) => isMarked(messageId(facts), facts)),
          (facts) => messageId(facts) ?? 'none',
        ),
        accepted: (facts) => mark(messageId(facts), facts),
      };
    }
    return {
      ...askAt(
        'content',
        askOnce(async (facts: ContentFacts) => isMarked(await bodyDigest(facts.message), facts)),
        () => 'the body',
      ),
      accepted: async (facts) => mark(await bodyDigest(facts.message), facts),
    };
  },
});

function messageId({ header }: HeaderFacts): string | null {
  const value = header.named('message-id')[0]?.value ?? '';
  return /^(?:<\s*>)?$/.test(value) ? null : value;
}
