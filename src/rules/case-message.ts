/**
 * case-message - the message of a rule case as octets, and the facts that the pipeline would make of it.
 *
 * What a case leaves out is ordinary: an author, a recipient in To:, a subject, a date, a line of text.
 */
import { readFileSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import type { Recipient, Transaction } from '../core/envelope.ts';
import { type Addressees, Answers, type Facts, type ListAddress, type Phase, type Score } from '../core/facts.ts';
import { type Mailbox, printMailbox } from '../core/mailbox.ts';
import type { Message } from '../core/message.ts';
import { parseHeader } from '../mail/header.ts';
import { MULTIPART, multipart } from './case-attachments.ts';
import { comesAs } from './case-counts.ts';
import type { RuleCase } from './case-read.ts';
import type { CaseMessage } from './case-schema.ts';

/** In place of the id that a live transaction has. */
export const CASE_ID = 'CASE';
/** In octets; a case that needs more says so with `size`. */
const LARGEST_FILE = 1024 * 1024;
const ORDINARY_AUTHOR = 'ann@example.net';

/** Throws where the file of the message cannot be read; `file` is the file in which the case stands. */
export function messageOf({ message, recipients }: RuleCase, file: string): Message {
  const octets = message.file === undefined ? compose(message, recipients) : readMessage(message.file, file);
  return { header: parseHeader(octets), content: { size: message.size ?? octets.length, slices: () => [octets] } };
}

function readMessage(path: string, file: string): Buffer {
  const whole = isAbsolute(path) ? path : join(dirname(file), path);
  const found = statSync(whole);
  if (!found.isFile()) throw new Error(`${whole} is not a regular file`);
  if (found.size > LARGEST_FILE) throw new Error(`${whole} is larger than ${LARGEST_FILE} octets`);
  return Buffer.from(toWire(readFileSync(whole, 'latin1')), 'latin1');
}

function toWire(text: string): string {
  return text.replace(/\r?\n/g, '\r\n');
}

function compose(
  { from, subject, headers = {}, body, attachments = [] }: CaseMessage,
  recipients: readonly Mailbox[],
): Buffer {
  const given = Object.entries(headers);
  const named = new Set(given.map(([name]) => name.toLowerCase()));
  const ordinary: readonly (readonly [string, string])[] = [
    ['From', from ?? ORDINARY_AUTHOR],
    ['To', recipients.map(printMailbox).join(', ')],
    ['Subject', subject ?? 'An ordinary message'],
    ['Date', CASE_DATE],
    ['Message-ID', '<case@example.net>'],
    ...(attachments.length === 0 ? [] : [['MIME-Version', '1.0'] as const, ['Content-Type', MULTIPART] as const]),
  ];
  const fields = [
    ...ordinary.filter(([name]) => !named.has(name.toLowerCase())),
    ...given.flatMap(([name, values]) => values.map((value) => [name, value] as const)),
  ];
  // A line break in a value is where the field is folded.
  const section = fields.map(([name, value]) => `${name}: ${value.trim().replace(/\s*\r?\n\s*/g, '\n ')}\n`).join('');
  const words = body ?? 'An ordinary text.';
  const content = attachments.length === 0 ? `${words}\n` : multipart(words, attachments);
  return Buffer.from(toWire(`${section}\n${content}`));
}

/** When cases happen, unless their message says another date. */
const CASE_DATE = 'Mon, 1 Jan 2024 12:00:00 +0000';
const CASE_TIME = Date.parse(CASE_DATE);

/** The facts at each phase, for one recipient; the answers are shared, as in a transaction. */
export function factsOf(
  { envelopeFrom, clientIp, helo, times }: RuleCase,
  recipient: Mailbox,
  address: ListAddress,
  addressees: Addressees,
  message: Message,
): { readonly [P in Phase]: Extract<Facts, { readonly phase: P }> } {
  const { header } = message;
  const reversePath = envelopeFrom === undefined ? (header.authors[0] ?? null) : envelopeFrom.mailbox;
  const { signal } = new AbortController();
  comesAs(times, signal);
  const transaction: Transaction = {
    id: CASE_ID,
    client: { address: clientIp, name: null, port: null, helo, tls: false, protocol: 'ESMTP' },
    reversePath,
    rawReversePath: reversePath === null ? '' : printMailbox(reversePath),
    parameters: new Map(),
    signal,
  };
  const to: Recipient = { forwardPath: recipient, raw: printMailbox(recipient), parameters: new Map() };
  const answers = new Answers();
  const score: Score = { sum: null };
  const known = { now: CASE_TIME, addressees, transaction, recipient: to, address, answers, score };
  return {
    envelope: { ...known, phase: 'envelope' },
    header: { ...known, header, phase: 'header' },
    content: { ...known, header, message, phase: 'content' },
  };
}
