/**
 * Header sections of real messages as other parsers read them, and what the shipped rules make of bounces.
 */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { Mailbox } from '../../src/core/mailbox.ts';
import type { Header } from '../../src/core/message.ts';
import { parseAddressList } from '../../src/mail/address-list.ts';
import { parseDate } from '../../src/mail/date.ts';
import { evaluate, rulesetOf } from '../rules/load.ts';
import { messageOf, octetsOnTheWire, readCorpus, truthOf } from '../support/wire-corpus.ts';
import { type Score, scored } from './score.ts';
import { type DateTime, oneBlank, timeOf } from './truth.ts';

function headerOf(file: string): Header {
  return messageOf(octetsOnTheWire(file)).header;
}

function subjectOf(header: Header): string {
  return header.named('Subject')[0]?.text ?? '';
}

/** In lower case and without quotes, as the parsers print them. */
function addresses(mailboxes: readonly Mailbox[]): readonly string[] {
  return mailboxes.map(({ localPart, domain }) => (domain === '' ? localPart : `${localPart}@${domain}`).toLowerCase());
}

function recipientsOf(header: Header): readonly Mailbox[] {
  return header.named('To').flatMap(({ value }) => parseAddressList(value));
}

function lower(list: readonly string[]): readonly string[] {
  return list.map((one) => one.toLowerCase());
}

/** They show undecodable octets as U+FFFD, where we take Latin-1. */
function alike(text: string): string {
  return oneBlank(text).replace(/[\u0080-\u00ff\ufffd]+/g, '?');
}

interface Agreed {
  readonly file: string;
  readonly subject?: string;
  readonly from_addr?: readonly string[];
  readonly to_addr?: readonly string[];
}

/** What mailparser, postal-mime and CPython's email agree on. */
function compareAgreed(key: 'subject' | 'from_addr' | 'to_addr', score: Score): void {
  for (const { file, ...agreed } of truthOf<Agreed>('truth/peers/agreed.jsonl')) {
    const theirs = agreed[key];
    if (theirs === undefined) continue;
    const header = headerOf(file);
    const name = file.slice('messages/'.length);
    if (typeof theirs === 'string') score.compare(name, alike(subjectOf(header)), alike(theirs));
    else score.compare(name, addresses(key === 'to_addr' ? recipientsOf(header) : header.authors), lower(theirs));
  }
}

scored('peers-subject', (score) => compareAgreed('subject', score));
scored('peers-from', (score) => compareAgreed('from_addr', score));
scored('peers-to', (score) => compareAgreed('to_addr', score));

/** A name and an address, as each of the three writes them; null where the parser failed. */
type Pairs = readonly (readonly [string, string])[] | string;
interface Opinion {
  readonly subject?: string | null;
  readonly from?: Pairs;
  readonly to?: Pairs;
}
interface Disagreed {
  readonly file: string;
  readonly fields: readonly string[];
  readonly mailparser: Opinion;
  readonly postal_mime: Opinion;
  readonly cpython: Opinion;
}

/** Where the three differ it is enough to read as one of them does. */
scored('peers-disagreements', (score) => {
  for (const { file, fields, mailparser, postal_mime: postalMime, cpython } of truthOf<Disagreed>(
    'truth/peers/disagreements.jsonl',
  )) {
    const header = headerOf(file);
    const name = file.slice('messages/'.length);
    const opinions = [mailparser, postalMime, cpython];
    const compare = (field: string, ours: unknown, theirs: readonly unknown[]): void => {
      const same = theirs.find((one) => JSON.stringify(one) === JSON.stringify(ours));
      score.compare(`${name} ${field}`, ours, same ?? theirs);
    };
    const pairs = (list: Pairs | undefined): unknown =>
      typeof list === 'string' || list === undefined
        ? null
        : lower(list.map(([, address]) => address).filter((address) => address.includes('@')));
    const withDomain = (mailboxes: readonly Mailbox[]) => addresses(mailboxes.filter(({ domain }) => domain !== ''));
    if (fields.includes('subject')) {
      const texts = opinions.map(({ subject }) => alike(subject ?? ''));
      compare('subject', alike(subjectOf(header)), texts);
    }
    if (fields.includes('from_addr')) {
      compare(
        'from',
        withDomain(header.authors),
        opinions.map(({ from }) => pairs(from)),
      );
    }
    if (fields.includes('to_addr')) {
      compare(
        'to',
        withDomain(recipientsOf(header)),
        opinions.map(({ to }) => pairs(to)),
      );
    }
  }
});

interface TreeField {
  readonly name: string | object;
  readonly value: {
    readonly Text?: string;
    readonly Address?: {
      readonly List?: readonly { readonly address: string | null }[];
      readonly Group?: readonly { readonly addresses: readonly { readonly address: string | null }[] }[];
    };
    readonly DateTime?: DateTime;
  };
}

/** The fields of the messages themselves in 106 trees of stalwart's mail-parser. */
scored('stalwart-tree-fields', (score) => {
  const rows = ['rfc', 'legacy', 'thirdparty', 'malformed'].flatMap((kind) =>
    truthOf<{ file: string; expected: { parts: readonly { headers: readonly TreeField[] }[] } }>(
      `truth/stalwart/${kind}-crlf.jsonl`,
    ),
  );
  for (const { file, expected } of rows) {
    const header = headerOf(file);
    const seen = new Set<string>();
    for (const { name, value } of expected.parts[0]?.headers ?? []) {
      // Of several fields the first one counts, for subjects and dates.
      if (typeof name !== 'string' || seen.has(name)) continue;
      seen.add(name);
      const id = `${basename(file, '.eml')} ${name}`;
      const [field] = header.named(name.replaceAll('_', '-'));
      if (value.DateTime !== undefined) {
        if (name === 'date') score.compare(id, parseDate(field?.value ?? ''), timeOf(value.DateTime));
      } else if (value.Address !== undefined) {
        if (name !== 'from' && name !== 'to') continue;
        const { List: list, Group: groups } = value.Address;
        const named = list ?? groups?.flatMap((group) => group.addresses) ?? [];
        const theirs = named.flatMap(({ address }) => address ?? []);
        score.compare(id, addresses(parseAddressList(field?.value ?? '')), lower(theirs));
      } else if (value.Text !== undefined && name === 'subject') {
        score.compare(id, alike(field?.text ?? ''), alike(value.Text));
      }
    }
  }
});

interface Zbateson {
  readonly file: string;
  readonly exact_bytes_modulo_eol: boolean;
  readonly expected: {
    readonly From: { readonly name: string; readonly email: string };
    readonly To: { readonly name: string; readonly email: string };
    readonly Subject: string;
  };
}

scored('zbateson-fields', (score) => {
  for (const { file, exact_bytes_modulo_eol: exact, expected } of truthOf<Zbateson>('truth/hunny-zbateson.jsonl')) {
    if (!exact) continue;
    const header = headerOf(file);
    const name = basename(file, '.eml');
    score.compare(`${name} from`, addresses(header.authors), [expected.From.email]);
    // It tells the first of several.
    score.compare(`${name} to`, addresses(recipientsOf(header)).slice(0, 1), [expected.To.email]);
    score.compare(`${name} subject`, subjectOf(header), expected.Subject);
  }
});

function tableOf(file: string): readonly (readonly string[])[] {
  const [, ...rows] = readCorpus(file).trim().split('\n');
  return rows.map((row) => row.split('\t'));
}

/** The table counts messages that the folder does not hold: where the message of a row lies. */
const MAILINFO = new Map([2, 3, 4, 5, 6, 7, 8, 9, 11, 12].map((row, index) => [row, index + 1]));

scored('git-mailinfo', (score) => {
  for (const [index, [, author = '', email, subject]] of tableOf('truth/git-mailinfo.tsv').entries()) {
    const name = String(index + 1);
    if (score.isOutside(name)) continue;
    const number = String(MAILINFO.get(index + 1)).padStart(4, '0');
    const header = headerOf(`messages/git-mailinfo/t5100__sample-n${number}.eml`);
    const from = header.named('From')[0]?.text ?? '';
    score.compare(`${name} author`, [addresses(header.authors), from.includes(author)], [[email], true]);
    const bare = subjectOf(header).replace(/^(?:\s*(?:re:|\[[^\]]*\]))+/i, '');
    score.compare(`${name} subject`, oneBlank(bare), subject);
  }
});

/**
 * Whether the shipped baseline keeps bounces, automatic replies and reports from a list. Those without a Return-Path come
 * from `<>` if they are bounces (RFC 5321 section 4.5.5), else from their authors.
 */
scored('sisimai', async (score) => {
  const system = rulesetOf('system', readFileSync('rules/system.yaml', 'utf8'));
  const seen = new Set<string>();
  for (const [file = '', , , , , reason = ''] of tableOf('truth/sisimai-expected.tsv')) {
    if (seen.has(file)) continue;
    seen.add(file);
    const content = octetsOnTheWire(file);
    const { header } = messageOf(content);
    const [author = ''] = addresses(header.authors);
    const [returnPath] = header.named('Return-Path');
    const isBounce = reason !== 'vacation' && reason !== 'feedback';
    const [from = ''] =
      returnPath === undefined ? [isBounce ? '' : author] : addresses(parseAddressList(returnPath.value));
    const { kind } = await evaluate({ system }, { from: isBounce ? '' : from }, { content });
    score.compare(basename(file, '.eml'), kind !== 'relay', true);
  }
});
