/**
 * addressed_to_list - asks whether the message says that it is for the list: its address stands in To: or Cc:.
 *
 * The recipient's own address counts like the posting address, so that it holds for `gardeners-owner@...` and
 * `gardeners+detail@...` too. Resent-To: and Resent-Cc: count because whoever resends a message to the list addresses it
 * there (RFC 5322 section 3.6.6). Bcc: does not: it is how mail reaches a list that does not say so.
 */
import type { HeaderFacts } from '../../core/facts.ts';
import type { Header } from '../../core/message.ts';
import { parseAddressList } from '../../mail/address-list.ts';
import { addressKey } from '../../store/address.ts';
import { flag } from '../../yaml/scalar.ts';
import { defineCondition } from '../condition.ts';

const FIELDS = ['To', 'Cc', 'Resent-To', 'Resent-Cc'];

export const addressedToList = defineCondition({
  name: 'addressed_to_list',
  summary: 'Asks whether the address of the list stands in To: or Cc:.',
  reference: 'RFC 5322 sections 3.6.3 and 3.6.6',
  phase: 'header',
  argument: flag,
  examples: [
    { argument: 'true', given: { header: 'To: Gardeners <Gardeners@lists.example.org>' }, expect: true },
    { argument: 'true', given: { header: 'To: ann@example.net\nCc: all: gardeners@lists.example.org;' }, expect: true },
    { argument: 'true', given: { header: 'Resent-To: gardeners@lists.example.org' }, expect: true },
    {
      argument: 'true',
      given: { to: 'gardeners+a@lists.example.org', header: 'To: gardeners+a@lists.example.org' },
      expect: true,
    },
    { argument: 'true', given: { header: 'To: "gardeners@lists.example.org" <eve@example.com>' }, expect: false },
    { argument: 'false', given: { header: 'To: undisclosed-recipients:;' }, expect: true },
  ],
  compile: (wanted) => (facts) => wanted === isAddressed(facts),
  saw: ({ header }) => [...addressed(header)].slice(0, 5).join(', ') || 'nobody',
});

function isAddressed({ header, address, recipient }: HeaderFacts): boolean {
  const keys = addressed(header);
  return keys.has(address.list) || keys.has(addressKey(recipient.forwardPath));
}

const known = new WeakMap<Header, ReadonlySet<string>>();

/** Whom the fields name; read once for all recipients. */
function addressed(header: Header): ReadonlySet<string> {
  const read = known.get(header);
  if (read !== undefined) return read;
  const fields = FIELDS.flatMap((name) => header.named(name));
  const keys = new Set(fields.flatMap(({ value }) => parseAddressList(value).map(addressKey)));
  known.set(header, keys);
  return keys;
}
