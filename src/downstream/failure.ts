/**
 * failure - ALL failure policy: what a recipient is told when a downstream fails, and when it is asked once more.
 *
 * Nothing is queued here, so whatever is not known becomes 451 and the client keeps the message. A 5yz comes from a
 * downstream that said 5yz (for a program that is run: sysexits.ts), or from an address that it cannot carry; a failure of ours or of the network never is one.
 *
 *     stage \ failure        unreachable  refused   lost, silent  garbled, misplaced
 *     connect                451 4.4.1                                              crowded: 451 4.3.2
 *     greeting, hello                     451 4.3.2 451 4.4.2     451 4.5.0
 *     tls                                           451 4.4.2     451 4.5.0         insecure: 451 4.7.5
 *     reset … content                               451 4.4.2     451 4.5.0            safe: the dot was not written
 *     final                                         451 4.4.2     451 4.5.0            unknown: perhaps delivered twice
 */
import { type EnhancedStatusCode, type Reply, replies, reply } from '../core/reply.ts';

/** What the downstream was asked for last; `content` up to the final dot, `final` from there on. */
export type Stage =
  | 'connect'
  | 'greeting'
  | 'hello'
  | 'tls'
  | 'reset'
  | 'xforward'
  | 'mail'
  | 'rcpt'
  | 'data'
  | 'content'
  | 'final';

/**
 * `unreachable`: no connection; `refused`: a 4yz or 5yz to the connection itself; `lost`: it closed; `silent`: no answer
 * in time; `insecure`: TLS is required and
 * cannot be had, or not with whom it should be; `crowded`: no place free in time; `garbled`: no SMTP reply; `misplaced`: a reply of a class that does not belong there, or one too many;
 * `gone`: our client left before the final dot; `unreadable`: our copy of the content.
 */
export type Failure =
  | 'unreachable'
  | 'crowded'
  | 'insecure'
  | 'refused'
  | 'lost'
  | 'silent'
  | 'garbled'
  | 'misplaced'
  | 'gone'
  | 'unreadable';

export interface Trouble {
  readonly stage: Stage;
  readonly failure: Failure;
  /** For the log: an error's code, a reply; null where the failure says it all. */
  readonly detail: string | null;
  /** Whether the downstream had answered anything in this transaction. */
  readonly answered: boolean;
}

const protocolError = reply(
  451,
  '4.5.0',
  'The mail system behind this server broke the protocol; please try again later',
);

const REPLIES: Readonly<Record<Failure, Reply>> = {
  unreachable: reply(451, '4.4.1', 'The mail system behind this server cannot be reached; please try again later'),
  crowded: reply(451, '4.3.2', 'The mail system behind this server is busy; please try again later'),
  insecure: reply(
    451,
    '4.7.5',
    'The mail system behind this server cannot be reached securely; please try again later',
  ),
  refused: reply(451, '4.3.2', 'The mail system behind this server is not available; please try again later'),
  lost: reply(451, '4.4.2', 'The connection to the mail system behind this server was lost; please try again later'),
  silent: reply(451, '4.4.2', 'The mail system behind this server did not answer in time; please try again later'),
  garbled: protocolError,
  misplaced: protocolError,
  gone: replies.clientGone,
  unreadable: replies.internalError,
};

/** What everyone is told who has no reply yet. */
export function failureReply(failure: Failure): Reply {
  return REPLIES[failure];
}

/** For a recipient whose address, or whose reverse-path, needs SMTPUTF8 where it is not offered (RFC 6531 section 3.2). */
export const addressNotSupported = reply(
  550,
  '5.6.7',
  'The mail system behind this server does not take internationalized addresses',
);

/** Whether the downstream may have taken the message although nobody said so. */
export function isUnknown(trouble: Trouble): boolean {
  return trouble.stage === 'final';
}

/** A kept connection may have died unnoticed: if it never answered in this transaction, a fresh one is tried, once. */
export function mayTryAgain(trouble: Trouble, reused: boolean): boolean {
  return reused && !trouble.answered && trouble.failure !== 'gone';
}

/** A path as programs quote it: not a part of an address on the web, nor a lone slash. */
const PATH = /(^|[\s"'(<=])\/[^\s/"')>:]+(?:\/[^\s"')>:]*)+/g;

/** What a program of this host says, without the paths of its files: those are nobody's business (mail.local names them). */
export function withoutPaths(given: Reply): Reply {
  const text = given.text.replace(PATH, '$1[file]');
  return text === given.text ? given : { ...given, text };
}

/**
 * The downstream's own reply as the client gets it: its text, and a status of its class. A 421 speaks of the
 * downstream's connection; passed on it would end the client's and with it the turn of all other recipients.
 */
export function passOn(given: Reply): Reply {
  const code = given.code === 421 ? 451 : given.code;
  const status = given.status ?? (`${Math.trunc(code / 100)}.0.0` as EnhancedStatusCode);
  return code === given.code && status === given.status ? given : { code, status, text: given.text };
}
