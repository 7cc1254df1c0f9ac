/**
 * Addresses: isemail's, as the argument of RCPT and in a header field, and the paths of three SMTP servers.
 */
import { parseAddressList } from '../../src/mail/address-list.ts';
import { parseHeader } from '../../src/mail/header.ts';
import { parsePath } from '../../src/smtp/path.ts';
import { readCorpus, truthOf } from '../support/wire-corpus.ts';
import { scored } from './score.ts';

interface Address {
  readonly id: string;
  readonly text: string;
  readonly category: string;
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', amp: '&' };

/** The table writes control characters as their pictures. */
function resolveEntities(text: string): string {
  return text.replace(/&(?:#x([0-9a-f]+)|(\w+));/gi, (_, hex: string | undefined, name: string | undefined) => {
    if (name !== undefined) return ENTITIES[name] ?? '';
    const code = Number.parseInt(hex ?? '0', 16);
    return String.fromCodePoint(code >= 0x2400 && code < 0x2421 ? code - 0x2400 : code);
  });
}

function isemail(): readonly Address[] {
  const row = /<test id="(\d+)">\s*<address(?:\/>|>([^<]*)<\/address>)(?:(?!<test ).)*?<category>(\w+)<\/category>/gs;
  return [...readCorpus('tables/addresses/isemail-tests.xml').matchAll(row)].map(
    ([, id = '', text = '', category = '']) => ({ id, text: resolveEntities(text), category }),
  );
}

/** What RFC 5321 lets stand in a path; the other categories are for header fields, or wrong. */
const IN_A_PATH = ['ISEMAIL_VALID_CATEGORY', 'ISEMAIL_DNSWARN', 'ISEMAIL_RFC5321'];

scored('isemail-path', (score) => {
  for (const { id, text, category } of isemail()) {
    const parsed = parsePath('RCPT', Buffer.from(` TO:<${text}>`).toString('latin1'));
    score.compare(id, 'path' in parsed, IN_A_PATH.includes(category));
  }
});

scored('isemail-header', (score) => {
  for (const { id, text, category } of isemail()) {
    const [field] = parseHeader(Buffer.from(`To: ${text}\r\n`)).fields;
    const count = parseAddressList(field?.value ?? '').length;
    score.compare(id, count, category === 'ISEMAIL_ERR' ? 0 : 1);
  }
});

interface Vector {
  readonly input: string;
  readonly valid: boolean;
  readonly local?: string;
  readonly domain_ascii?: string;
  readonly path?: string;
  readonly rest?: string;
}

scored('smtp-paths', (score) => {
  for (const [index, vector] of truthOf<Vector>('tables/smtp/paths.jsonl').entries()) {
    const parsed = parsePath('MAIL', Buffer.from(` FROM:${vector.input}`).toString('latin1'));
    const { valid, local, domain_ascii: domain, path, rest } = vector;
    if (!('path' in parsed) || !valid) {
      score.compare(index, 'path' in parsed, valid);
      continue;
    }
    const { mailbox, raw } = parsed.path;
    score.compare(
      index,
      {
        local: local === undefined ? undefined : raw.slice(0, local.length),
        domain: domain === undefined ? undefined : (mailbox?.domain ?? ''),
        path: path === undefined ? undefined : raw,
        rest: rest === undefined ? undefined : parsed.rest,
      },
      { local, domain, path, rest: rest?.trim() },
    );
  }
});
