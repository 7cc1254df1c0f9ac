/**
 * case-schema - the shape of a rule case: a message, to whom it goes, and what is expected of the rules.
 *
 *     tests:
 *       - name: out of office is swallowed
 *         message: { from: ann@example.net, headers: { Auto-Submitted: auto-replied } }
 *         given: { members: [ann@example.net] }
 *         expect: { verdict: discard, rule: no-auto-replies, phase: header }
 *
 * `expect` is said once for all recipients, or for each of them under its address.
 */
import { isIP } from 'node:net';
import { z } from 'zod';
import { PHASES } from '../core/facts.ts';
import type { Mailbox } from '../core/mailbox.ts';
import type { EnhancedStatusCode } from '../core/reply.ts';
import type { VerdictKind } from '../core/verdict.ts';
import { amount, count, listOf, scalar, text } from '../yaml/scalar.ts';
import { attachmentsSchema } from './case-attachments.ts';
import { expectedHeaders } from './case-headers.ts';
import { askNothing, asksSomething, textWords } from './match.ts';
import { oneAddress, readMailbox } from './one-address.ts';

export const VERDICTS = [
  'relay',
  'reject',
  'defer',
  'discard',
  'quarantine',
  'redirect',
] as const satisfies readonly VerdictKind[];

/** `mailbox` is null for the null reverse-path. */
const reversePath = scalar<{ readonly mailbox: Mailbox | null }>('address', ['ann@example.net', '<>'], (source) => {
  if (source === '' || source === '<>') return { value: { mailbox: null } };
  const value = readMailbox(source);
  if (value !== null) return { value: { mailbox: value } };
  const hint = 'write ann@example.net, or "<>" for the null reverse-path';
  return { problem: { code: 'E_ADDRESS', message: `"${source}" is not an address`, hint } };
});

const address = scalar('IP address', ['192.0.2.7'], (source) => {
  if (isIP(source) !== 0) return { value: source };
  return { problem: { code: 'E_ADDRESS', message: `"${source}" is not an IP address`, hint: 'write 192.0.2.7' } };
});

const status = scalar<EnhancedStatusCode>('enhanced status code', ['5.7.1'], (source) => {
  if (/^[45]\.\d{1,3}\.\d{1,3}$/.test(source)) return { value: source as EnhancedStatusCode };
  const message = `expected an enhanced status code like 5.7.1, found "${source}"`;
  return {
    problem: { code: 'E_STATUS', message, hint: 'write the one behind the reply code: of "550 5.7.1" it is 5.7.1' },
  };
});

export const messageSchema = z.strictObject({
  from: text.optional().meta({
    description: 'The From: field; an ordinary author where it is left out.',
    examples: ['Ann <ann@example.net>'],
  }),
  subject: text.optional().meta({ description: 'The Subject: field.', examples: ['Tulips'] }),
  headers: z
    .record(z.string(), listOf(text))
    .optional()
    .meta({
      description: 'More header fields, each name with its value or a list of values.',
      examples: [{ 'Auto-Submitted': 'auto-replied' }],
    }),
  body: text.optional().meta({ description: 'The text of the body.', examples: ['Who has tulips?'] }),
  attachments: attachmentsSchema.optional().meta({
    description:
      'The files that it carries: a name, or a name with `type`, `size` or `holds`, the names in a zip archive.',
    examples: ['[plan.pdf, { name: film.mp4, size: 6 MB }, { name: photos.zip, holds: [setup.exe] }]'],
  }),
  size: amount()
    .optional()
    .meta({ description: 'The size that the message is said to have.', examples: ['21 MB'] }),
  file: text.optional().meta({
    description: 'The whole message, as a file beside the file of the rules or below, in place of all the other keys.',
    examples: ['fixtures/newsletter.eml'],
  }),
});
export type CaseMessage = z.output<typeof messageSchema>;

export const expectSchema = z.strictObject({
  verdict: z.enum(VERDICTS).meta({ description: 'What the rules say of the recipient.', examples: ['reject'] }),
  rule: text.optional().meta({ description: 'The rule that decides.', examples: ['members-only'] }),
  phase: z
    .enum(PHASES)
    .optional()
    .meta({ description: 'When it decides: at RCPT, behind the header section, after the final dot.' }),
  status: status.optional().meta({ description: 'The enhanced status code of the refusal.' }),
  text: z
    .strictObject(textWords)
    .refine(asksSomething, askNothing('contains: subscribers'))
    .optional()
    .meta({ description: 'Of the text of the refusal, or the note of what is discarded.' }),
  headers: expectedHeaders.optional().meta({
    description:
      'Fields of the header section with which the message goes on, edits applied: each name with its text, or with match words.',
    examples: [{ 'X-Postern-Hold': 'first post', 'X-Note': { exists: false } }],
  }),
  to: oneAddress.optional().meta({
    description: 'The address that a redirected message goes to.',
    examples: ['roses@lists.example.org'],
  }),
  downstream: text.optional().meta({
    description: 'The downstream that the rules name, also that of a quarantine.',
    examples: ['archive'],
  }),
  copies: z
    .union([z.array(oneAddress), oneAddress.transform((one): Mailbox[] => [one])])
    .optional()
    .meta({
      title: 'address, or a list of them',
      description: 'All addresses that get a copy; [] for none.',
      examples: ['archive@example.org'],
    }),
});
export type Expected = z.output<typeof expectSchema>;

/** All of a case but what is expected. */
const common = {
  name: text.meta({ description: 'What the case shows; it stands in the report.', examples: ['strangers are told'] }),
  message: messageSchema.prefault({}).meta({
    description: 'The message; what is left out is ordinary.',
    examples: ['{ from: eve@example.com, subject: Tulips }'],
  }),
  times: count
    .refine((given) => given > 0, {
      error: 'a message comes once at least',
      params: { code: 'E_VALUE', hint: 'take it out, or write a number like 21' },
    })
    .optional()
    .meta({
      description:
        'For `rate`: the message comes so many times in the period, and what is expected is of the last; by default once.',
      examples: ['21'],
    }),
  envelope_from: reversePath
    .optional()
    .meta({ description: 'The reverse-path, "<>" for none; by default the author.' }),
  recipients: listOf(oneAddress).optional().meta({
    description: 'The recipients; by default those under `expect`, else the list whose file it is.',
  }),
  client_ip: address.optional().meta({ description: 'The original client; where it is left out nobody told.' }),
  helo: text.optional().meta({ description: 'What the client said in EHLO.', examples: ['mx.example.net'] }),
  given: z
    .record(z.string(), listOf(text))
    .optional()
    .meta({
      description: 'The members of sets, in this case. A set that is a file has none but these.',
      examples: [{ members: ['ann@example.net'] }],
    }),
};

const expectEach = z.record(z.string(), expectSchema);

/** With one expectation for all recipients. */
export const caseForAll = z.strictObject({
  ...common,
  expect: expectSchema.transform((all) => ({ kind: 'all' as const, all })),
});
/** With an expectation for each recipient, under its address. */
export const caseForEach = z.strictObject({
  ...common,
  expect: expectEach.transform((each) => ({ kind: 'each' as const, each })),
});

/** For the schema of a file; `readCases` reads with the one of the two that is meant. */
export const caseSchema = z.strictObject({
  ...common,
  expect: z.union([expectSchema, expectEach]).meta({ description: 'What the rules shall say.' }),
});
