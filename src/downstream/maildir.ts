/**
 * maildir - delivers into Maildirs: <folder>/<domain>/<local-part>/{tmp,new,cur} (https://cr.yp.to/proto/maildir.html),
 * with the folders of the layout before the local-part.
 *
 * A message is written to `tmp` and synced, linked into `new`, and `new` is synced; only then comes the 250. The link is
 * the commit point: before it a lost client or a passed deadline leaves nothing behind. Every recipient gets a file of
 * its own, with LF line ends and Return-Path, Delivered-To and Received on top (RFC 5321 section 4.4).
 */
import { randomBytes } from 'node:crypto';
import { type FileHandle, link, mkdir, open, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Recipient, Transaction } from '../core/envelope.ts';
import { type Layout, layoutFolders, PLAIN } from '../core/layout.ts';
import type { Log } from '../core/log.ts';
import type { Mailbox } from '../core/mailbox.ts';
import type { Content } from '../core/message.ts';
import { isPositive, type Reply, replies, reply, withId } from '../core/reply.ts';
import { withLineFeeds } from '../mail/line-feeds.ts';
import { Answers } from './answers.ts';
import type { Downstream } from './downstream.ts';

export interface MaildirOptions {
  readonly name: string;
  readonly folder: string;
  /** Plain where it is left out. */
  readonly layout?: Layout;
  /** Of this host: in file names and in Received. */
  readonly hostname: string;
  readonly log: Log;
}

const noMailbox = reply(550, '5.1.3', 'This address cannot be the name of a mailbox');
const mailboxFull = reply(452, '4.2.2', 'The mailbox is full; please try again later');
const notInTime = reply(451, '4.3.0', 'The mailbox could not be written in time; please try again later');
const notWritten = reply(451, '4.3.0', 'The mailbox cannot be written now; please try again later');

const LONGEST_DELAY = 2 ** 31 - 1;

/** Folders that do not exist are made, mode 0700. Local-parts that differ by case only share a Maildir. */
export function createMaildirDownstream(options: MaildirOptions): Downstream {
  const { name, folder, layout = PLAIN, hostname, log } = options;
  const underWay = new Set<Promise<void>>();

  const deliverTo = async (
    recipient: Recipient,
    transaction: Transaction,
    content: Content,
    isStopped: () => boolean,
  ): Promise<Reply> => {
    const names = maildirOf(recipient.forwardPath, layout);
    if (names === null) return noMailbox;
    try {
      const fields = traceFields(recipient, transaction, hostname);
      const lines = localForm(fields, content, isStopped);
      await write({ folder, names }, uniqueName(hostname), lines, isStopped);
      return replies.messageAccepted;
    } catch (error) {
      if (isStopped()) return replies.clientGone;
      const { code = null } = error as NodeJS.ErrnoException;
      if (code === 'ENOSPC') return replies.noStorage;
      if (code === 'EDQUOT') return mailboxFull;
      log.error('maildir', error, { downstream: name, id: transaction.id, recipient: recipient.raw });
      return notWritten;
    }
  };

  return {
    name,
    offers: () => ({ size: null, smtputf8: true, dsn: false }),
    async deliver({ transaction, recipients }, content, { signal, deadline, onReply }) {
      const answers = new Answers(recipients.length, onReply);
      const answered = new AbortController();
      const isStopped = (): boolean => signal.aborted || answered.signal.aborted;
      const deliverAll = async (): Promise<void> => {
        for (const [position, recipient] of recipients.entries()) {
          const given = await deliverTo(recipient, transaction, content, isStopped);
          if (answered.signal.aborted && isPositive(given)) {
            const late = { downstream: name, id: transaction.id, recipient: recipient.raw };
            log.warn('downstream-unknown-outcome', { ...late, note: 'may be delivered twice' });
          }
          answers.set(position, isPositive(given) ? given : withId(given, transaction.id));
        }
      };
      const delivery = deliverAll();
      const forget = (): boolean => underWay.delete(delivery);
      underWay.add(delivery);
      delivery.then(forget, forget);
      const patience = Math.min(Math.max(0, deadline - Date.now()), LONGEST_DELAY);
      await Promise.race([delivery, delay(patience, undefined, { signal: answered.signal }).catch(() => undefined)]);
      answers.rest(withId(notInTime, transaction.id));
      answered.abort();
      return answers.all();
    },
    async close() {
      await Promise.allSettled(underWay);
    },
  };
}

const LONGEST_NAME = 200;
const UNSAFE = /^$|^[.-]|[/\p{Cc}]/u;

/** The folders to it below that of the downstream; null where a name from the network cannot be that of a folder. */
function maildirOf({ localPart, domain }: Mailbox, layout: Layout): readonly string[] | null {
  const name = localPart.toLowerCase();
  if ([domain, name].some((one) => UNSAFE.test(one) || Buffer.byteLength(one) > LONGEST_NAME)) return null;
  return [domain, ...layoutFolders(layout, name), name];
}

/** A Maildir by the folder of the downstream and the names below it. */
interface Place {
  readonly folder: string;
  readonly names: readonly string[];
}

let deliveries = 0;

/** Unique among the hosts, processes and deliveries that share a Maildir. */
function uniqueName(hostname: string): string {
  deliveries += 1;
  const now = Date.now();
  const unique = `M${(now % 1000) * 1000}P${process.pid}Q${deliveries}R${randomBytes(8).toString('hex')}`;
  return `${Math.trunc(now / 1000)}.${unique}.${hostname.replaceAll('/', '\\057').replaceAll(':', '\\072')}`;
}

/** The client left, or everyone has an answer already. */
class Stopped extends Error {}

/** Resolves when the message is safe in `new`; else throws, and nothing is left behind. */
async function write(
  place: Place,
  file: string,
  lines: AsyncIterable<Buffer>,
  isStopped: () => boolean,
): Promise<void> {
  const maildir = join(place.folder, ...place.names);
  const temporary = join(maildir, 'tmp', file);
  const delivered = join(maildir, 'new', file);
  const handle = await create(place, temporary);
  try {
    try {
      await writeFile(handle, lines);
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (isStopped()) throw new Stopped();
    await link(temporary, delivered);
    await syncFolder(dirname(delivered)).catch(async (error: unknown) => {
      await unlink(delivered).catch(() => undefined);
      throw error;
    });
  } finally {
    await unlink(temporary).catch(() => undefined);
  }
}

async function create({ folder, names }: Place, temporary: string): Promise<FileHandle> {
  const exclusively = (): Promise<FileHandle> => open(temporary, 'wx', 0o600);
  try {
    return await exclusively();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  // `tmp` comes last: where it exists, so do the others.
  for (const part of ['cur', 'new', 'tmp']) await mkdir(join(folder, ...names, part), { recursive: true, mode: 0o700 });
  for (let level = names.length; level >= 0; level -= 1) await syncFolder(join(folder, ...names.slice(0, level)));
  return exclusively();
}

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function traceFields({ raw }: Recipient, { client, id, rawReversePath }: Transaction, hostname: string): string {
  const address = client.address?.includes(':') ? `IPv6:${client.address}` : (client.address ?? 'unknown');
  const from = `from ${word(client.helo)} (${word(client.name)} [${word(address)}])`;
  const date = new Date().toUTCString().replace('GMT', '+0000');
  return [
    `Return-Path: <${printable(rawReversePath)}>`,
    `Delivered-To: ${printable(raw)}`,
    `Received: ${from}`,
    `\tby ${word(hostname)} with ${client.protocol} id ${word(id)}`,
    `\tfor <${printable(raw)}>; ${date}\n`,
  ].join('\n');
}

/** What came from the network as one word of a trace field, inside or outside of a comment. */
function word(text: string | null): string {
  return text === null || text === '' ? 'unknown' : text.replace(/[^!-~]|[()\\]/gu, '?');
}

function printable(raw: string): string {
  return raw.replace(/\p{Cc}/gu, '?');
}

/** Fields and content with LF line ends. Looks at every slice whether to go on. */
async function* localForm(fields: string, content: Content, isStopped: () => boolean): AsyncGenerator<Buffer> {
  yield Buffer.from(fields);
  for await (const slice of withLineFeeds(content)) {
    if (isStopped()) throw new Stopped();
    yield slice;
  }
}
