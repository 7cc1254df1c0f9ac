/**
 * envelope-commands - greetings, MAIL and RCPT lines to values, or to the reply that refuses them (RFC 5321 section 4.1.1).
 */
import type { EsmtpParameters, Recipient } from '../core/envelope.ts';
import { type Reply, replies, reply } from '../core/reply.ts';
import { parseParameters } from '../smtp/parameters.ts';
import { type Path, parsePath } from '../smtp/path.ts';

const VERB_LENGTH = 4;
const LONGEST_HELO = 255;

export interface Mail {
  readonly path: Path;
  readonly parameters: EsmtpParameters;
}

/** The name in a greeting, `argument` being what stands behind the verb; null where there is none. */
export function readHello(argument: string): string | null {
  const name = argument.trim().split(/\s+/).join(' ');
  return name === '' || name.length > LONGEST_HELO || /[\p{Cc}\ufffd]/u.test(name) ? null : name;
}

/**
 * `line` is the whole command without its CRLF, one character for each octet; `limit` the largest content in octets, against SIZE= (RFC 1870). `prdr`:
 * whether PRDR is offered; it is a promise of ours, so nobody can ask for it unasked.
 */
export function readMail(line: string, limit: number, prdr: boolean): Mail | Reply {
  const parsed = parsePath('MAIL', line.slice(VERB_LENGTH));
  if ('problem' in parsed) return reply(501, '5.1.7', parsed.problem);
  const read = parseParameters('MAIL', parsed.rest);
  if ('reply' in read) return read.reply;
  if (read.parameters.has('PRDR') && !prdr) return reply(555, '5.5.4', 'Parameter PRDR is not offered here');
  if (Number(read.parameters.get('SIZE') ?? 0) > limit) return replies.tooLarge;
  return { path: parsed.path, parameters: read.parameters };
}

/** Lines of RCPT and what they say: lists are written to again and again. When there are too many it begins anew. */
const known = new Map<string, Recipient>();
const MOST_KNOWN = 2_000;
/** Octets; longer lines are not remembered, so that nobody can fill the memory with them. */
const LONGEST_KNOWN = 256;

/** `line` as above. */
export function readRecipient(line: string): Recipient | Reply {
  const before = known.get(line);
  if (before !== undefined) return before;
  const read = parseRecipient(line);
  if ('code' in read) return read;
  if (line.length > LONGEST_KNOWN) return read;
  if (known.size === MOST_KNOWN) known.clear();
  known.set(line, read);
  return read;
}

function parseRecipient(line: string): Recipient | Reply {
  const parsed = parsePath('RCPT', line.slice(VERB_LENGTH));
  if ('problem' in parsed) return reply(501, '5.1.3', parsed.problem);
  const { mailbox, raw } = parsed.path;
  if (mailbox === null) return reply(501, '5.1.3', 'The null path is no recipient');
  const read = parseParameters('RCPT', parsed.rest);
  if ('reply' in read) return read.reply;
  return { forwardPath: mailbox, raw, parameters: read.parameters };
}
