/**
 * rate - asks whether more came from one author, client or reverse-path, or to one list, than an amount in a period.
 *
 * A transaction counts once, whatever its number of recipients, and only where the answer of its rule hangs on the count:
 * what the other conditions beside it leave out is not counted. The period begins with the first message that counts; a
 * rule of a list counts for that list alone, one of the system over all lists. What does not say whom it is from (no
 * client address, the null reverse-path, no author) is not counted.
 */
import { isIP } from 'node:net';
import { z } from 'zod';
import type { EnvelopeFacts, FactsAt, HeaderFacts, Phase } from '../../core/facts.ts';
import { addressKey } from '../../store/address.ts';
import { ledgerKey } from '../../store/ledger.ts';
import { frequency } from '../../yaml/scalar.ts';
import { type Answer, anyOne } from '../asking.ts';
import { askAt, askOnce, type BoundCondition, defineBoundCondition } from '../condition.ts';
import { countOf, countOnce } from '../tally.ts';

const PER = ['author', 'envelope_from', 'client_ip', 'list'] as const;

/** Each counts for itself, until one is above; who writes more than these into From: gains nothing. */
const MOST_AUTHORS = 10;

export const rate = defineBoundCondition({
  name: 'rate',
  summary: 'Asks whether more messages came in a period than an amount; the message at hand counts too.',
  reference: null,
  phase: 'envelope',
  phaseNote: 'known at RCPT; with `per: author` at the end of the header section',
  counts: true,
  argument: z.strictObject({
    per: z.enum(PER).describe('What is counted: messages of one author, reverse-path or client, or to one list.'),
    above: frequency.describe('The most that may come in the period.'),
  }),
  examples: [
    { argument: '{ per: list, above: 20 per day }', given: {}, expect: false },
    { argument: '{ per: list, above: 0 per hour }', given: {}, expect: true },
    { argument: '{ per: envelope_from, above: 0 per 10 minutes }', given: { from: 'ann@example.net' }, expect: true },
    { argument: '{ per: envelope_from, above: 0 per 10 minutes }', given: { from: '' }, expect: false },
    { argument: '{ per: client_ip, above: 0 per day }', given: { client: '2001:db8::1' }, expect: true },
    { argument: '{ per: client_ip, above: 0 per day }', given: { client: null }, expect: false },
    {
      argument: '{ per: author, above: 0 per day }',
      given: { header: 'From: ann@example.net' },
      expect: true,
      phase: 'header',
    },
    {
      argument: '{ per: author, above: 0 per day }',
      given: { header: 'Subject: nobody' },
      expect: false,
      phase: 'header',
    },
  ],
  compile({ per, above }, env) {
    const { ledger, perList, rule } = env;
    const keyOf = (value: string, { address }: EnvelopeFacts): string =>
      ledgerKey('rate', perList ? address.list : '', rule, per, value, `${above.period}`);
    const ask = <P extends Phase>(phase: P, valuesOf: (facts: FactsAt<P>) => readonly string[]): BoundCondition =>
      askAt<P>(
        phase,
        askOnce((facts) => anyOne(valuesOf(facts), (value) => isAbove(value, facts))),
        (facts) =>
          valuesOf(facts)
            .map((value) => `${value}: ${countOf(facts.transaction, keyOf(value, facts)) ?? 'not counted'}`)
            .join(', ') || 'nobody to count',
      );
    const isAbove = (value: string, facts: EnvelopeFacts): Answer => {
      const count = countOnce(ledger, facts.transaction, keyOf(value, facts), above.period);
      return typeof count === 'number' ? count > above.count : count.then((fetched) => fetched > above.count);
    };
    return per === 'author' ? ask('header', authorsOf) : ask('envelope', ENVELOPE_VALUES[per]);
  },
});

const ENVELOPE_VALUES: Readonly<
  Record<'envelope_from' | 'client_ip' | 'list', (facts: EnvelopeFacts) => readonly string[]>
> = {
  envelope_from: ({ transaction: { reversePath } }) => (reversePath === null ? [] : [addressKey(reversePath)]),
  client_ip: ({ transaction: { client } }) => (client.address === null ? [] : [clientOf(client.address)]),
  list: ({ address }) => [address.list],
};

function authorsOf({ header }: HeaderFacts): readonly string[] {
  return [...new Set(header.authors.slice(0, MOST_AUTHORS).map(addressKey))];
}

const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/** An IPv4 address; of an IPv6 address the first 64 bits, because whoever has one has all that begin with them. */
export function clientOf(address: string): string {
  const mapped = MAPPED.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (isIP(address) !== 6) return address;
  const [before = '', behind] = (address.split('%', 1)[0] ?? '').split('::');
  const head = before === '' ? [] : before.split(':');
  const tail = behind === undefined || behind === '' ? [] : behind.split(':');
  const groups = [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => '0'), ...tail];
  const network = groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `${network.join(':')}::/64`;
}
