/**
 * dialog - one connection's dialog: the hello, and one transaction (RFC 5321 section 3, RFC 2033, RFC 2920).
 *
 * Pipelined where that is offered, else a command at a time. The final dot is the commit point: before it everything can
 * be given up, and is when the client has left; after it nothing is. What differs between LMTP and SMTP is a Dialect.
 */
import { giveBack } from '../core/blocks.ts';
import type { Envelope } from '../core/envelope.ts';
import type { Content } from '../core/message.ts';
import { isPositive, type Reply, withId } from '../core/reply.ts';
import { parseCapabilities } from '../smtp/capabilities.ts';
import { DotEncoder } from '../smtp/dot-stuffing.ts';
import type { Answers } from './answers.ts';
import { mailCommand, needsSmtputf8, rcptCommand, xforwardCommands } from './commands.ts';
import type { Connection } from './connection.ts';
import type { DeliverOptions } from './downstream.ts';
import { handshake, type Tls } from './tls.ts';
import { addressNotSupported, type Failure, passOn, type Stage, type Trouble } from './failure.ts';

export interface Dialect {
  /** The verbs of the hello; the next is tried where one is refused. */
  readonly hello: readonly string[];
  /**
   * Reads the replies that follow the final dot, for the positions accepted at RCPT, and gives each its answer. The
   * connection is spent (`over`), or the transaction `complete`, or there is trouble for whoever is left.
   */
  finalReplies(
    connection: Connection,
    accepted: readonly number[],
    delivery: Delivery,
  ): Promise<'complete' | 'over' | Trouble>;
}

/** One call of `deliver`, on whichever connection. */
export interface Delivery {
  readonly envelope: Envelope;
  readonly content: Content;
  readonly answers: Answers;
  readonly xforward: boolean;
  readonly options: DeliverOptions;
  /** Until when to wait for the next reply, in milliseconds since the epoch. */
  readonly until: () => number;
}

/**
 * How a transaction ended. `complete`: the connection is ready for the next; `incomplete`: after RSET; `over`: the
 * connection is out of step. In these three everyone has a reply.
 */
export type Ending = 'complete' | 'incomplete' | 'over' | Trouble;

export function trouble(connection: Connection, stage: Stage, failure: Failure, answered = true): Trouble {
  return { stage, failure, detail: connection.detail, answered };
}

/** Reads the greeting, says hello, and again over TLS where that is wanted; null: ready for MAIL. */
export async function greet(
  connection: Connection,
  dialect: Dialect,
  helo: string,
  tls: Tls | null,
  until: () => number,
): Promise<Trouble | null> {
  const greeting = await connection.reply(until);
  if (typeof greeting === 'string') return trouble(connection, 'greeting', greeting);
  if (isIntermediate(greeting)) return trouble(connection, 'greeting', 'misplaced');
  if (!isPositive(greeting)) return refusal('greeting', greeting);
  const failed = await hello(connection, dialect.hello, helo, until);
  if (failed !== null || tls === null) return failed;
  const secured = await startTls(connection, tls, until);
  return secured === true ? await hello(connection, dialect.hello, helo, until) : secured;
}

/** Whether TLS is active now; null: it need not be. What was offered before counts no more then (RFC 3207 section 4.2). */
async function startTls(connection: Connection, tls: Tls, until: () => number): Promise<true | null | Trouble> {
  const insecure = (detail: string): Trouble => ({ stage: 'tls', failure: 'insecure', detail, answered: true });
  if (!connection.capabilities.has('STARTTLS')) {
    return tls.required ? insecure('the server does not offer STARTTLS') : null;
  }
  if (!connection.quiet) return trouble(connection, 'tls', 'misplaced');
  connection.write('STARTTLS\r\n');
  const consent = await connection.reply(until);
  if (typeof consent === 'string') return trouble(connection, 'tls', consent);
  if (!isPositive(consent)) {
    if (isIntermediate(consent)) return trouble(connection, 'tls', 'misplaced');
    if (consent.code === 421) return refusal('tls', consent);
    return tls.required ? insecure(`STARTTLS: ${consent.code} ${consent.text}`) : null;
  }
  if (!connection.quiet) return trouble(connection, 'tls', 'misplaced');
  const failed = await connection.secure(handshake(tls, connection.address), until());
  if (failed === null) return true;
  return failed === 'silent'
    ? trouble(connection, 'tls', failed)
    : insecure(connection.detail ?? 'the connection was lost');
}

/** The next verb is tried where one is refused. */
async function hello(
  connection: Connection,
  verbs: readonly string[],
  helo: string,
  until: () => number,
): Promise<Trouble | null> {
  const [verb = '', ...others] = verbs;
  if (!connection.quiet) return trouble(connection, 'hello', 'misplaced');
  connection.write(`${verb} ${helo}\r\n`);
  const outcome = await connection.reply(until);
  if (typeof outcome === 'string') return trouble(connection, 'hello', outcome);
  if (isIntermediate(outcome)) return trouble(connection, 'hello', 'misplaced');
  if (isPositive(outcome)) {
    connection.capabilities = parseCapabilities(outcome);
    return null;
  }
  if (others.length === 0 || outcome.code === 421) return refusal('hello', outcome);
  return await hello(connection, others, helo, until);
}

function refusal(stage: Stage, { code, text }: Reply): Trouble {
  return { stage, failure: 'refused', detail: `${code} ${text}`, answered: true };
}

/** 3yz, which belongs behind DATA and nowhere else. */
function isIntermediate({ code }: Reply): boolean {
  return code >= 300 && code < 400;
}

/** Whether a reply behind the final dot settles a recipient. A 221 only says that the server leaves. */
export function isFinal(reply: Reply): boolean {
  return !isIntermediate(reply) && reply.code !== 221;
}

/** One transaction. Recipients that the connection cannot carry, and those it refuses, are answered on the way. */
export async function transact(connection: Connection, dialect: Dialect, delivery: Delivery): Promise<Ending> {
  const wanted = carried(connection, delivery);
  if (wanted.length === 0) return connection.needsReset ? 'incomplete' : 'complete';

  const accepted = await envelopeDialog(connection, delivery, wanted);
  if (typeof accepted === 'string' || 'failure' in accepted) return accepted;

  const interruption = await sendContent(connection, delivery);
  if (interruption !== null) {
    if ('failure' in interruption) return interruption;
    if (isPositive(interruption) || isIntermediate(interruption)) return trouble(connection, 'content', 'misplaced');
    delivery.answers.rest(passOn(interruption));
    return 'over';
  }

  const ending = await dialect.finalReplies(connection, accepted, delivery);
  return ending === 'complete' && !(connection.quiet && connection.sent) ? 'over' : ending;
}

/** The positions of the recipients that this connection can carry; the others get their answer. */
function carried(connection: Connection, { envelope, answers }: Delivery): readonly number[] {
  const { transaction, recipients } = envelope;
  const positions = recipients.map((_, position) => position);
  if (connection.capabilities.has('SMTPUTF8')) return positions;
  if (!needsSmtputf8(transaction.rawReversePath + recipients.map(({ raw }) => raw).join(''))) return positions;
  const refused = withId(addressNotSupported, transaction.id);
  if (needsSmtputf8(transaction.rawReversePath)) {
    answers.rest(refused);
    return [];
  }
  return positions.filter((position) => {
    const given = recipients[position];
    if (given === undefined || !needsSmtputf8(given.raw)) return true;
    answers.set(position, refused);
    return false;
  });
}

interface Step {
  readonly stage: 'reset' | 'xforward' | 'mail' | 'rcpt' | 'data';
  readonly command: string;
  /** Of the recipient, for `rcpt`. */
  readonly position: number;
}

function stepsFor(connection: Connection, delivery: Delivery, wanted: readonly number[]): readonly Step[] {
  const { capabilities } = connection;
  const { envelope, content, xforward } = delivery;
  const steps: Step[] = [];
  const add = (stage: Step['stage'], command: string, position = -1): void => {
    steps.push({ stage, command, position });
  };
  if (connection.needsReset) add('reset', 'RSET\r\n');
  if (xforward) for (const command of xforwardCommands(envelope.transaction, capabilities)) add('xforward', command);
  add('mail', mailCommand(envelope, content.size, capabilities));
  for (const position of wanted) {
    const recipient = envelope.recipients[position];
    if (recipient !== undefined) add('rcpt', rcptCommand(recipient, capabilities), position);
  }
  add('data', 'DATA\r\n');
  return steps;
}

/** From RSET or MAIL to the reply to DATA: the positions accepted, at least one, where content is wanted now. */
async function envelopeDialog(
  connection: Connection,
  delivery: Delivery,
  wanted: readonly number[],
): Promise<readonly number[] | Ending> {
  const { answers } = delivery;
  const steps = stepsFor(connection, delivery, wanted);
  const pipelined = connection.capabilities.has('PIPELINING');
  const accepted: number[] = [];
  let answered = false;
  let mailRefusal: Reply | null = null;
  let refusals: Map<number, Reply> | null = null;
  const tell = (): void => {
    if (mailRefusal !== null) answers.rest(mailRefusal);
    if (refusals !== null) for (const [position, refusal] of refusals) answers.set(position, refusal);
  };
  const fail = (stage: Stage, failure: Failure): Trouble => {
    // A reply too many or too few: then a refusal may have been another recipient's, or none at all.
    if (failure !== 'misplaced') tell();
    return trouble(connection, stage, failure, answered);
  };

  let isFirst = true;
  for (const step of steps) {
    if (isFirst || !pipelined) {
      if (mailRefusal !== null || (step.stage === 'data' && accepted.length === 0)) break;
      if (!connection.quiet) return fail(step.stage, 'misplaced');
      connection.write(pipelined ? steps.map(({ command }) => command).join('') : step.command);
      isFirst = false;
    }
    // Of pipelined commands most replies are there already, and a wait for nothing costs too.
    const outcome = connection.take() ?? (await connection.reply(delivery.until));
    if (typeof outcome === 'string') return fail(step.stage, outcome);
    // The last words of a server that closed an idle connection: they came before the command did.
    if (outcome.code === 421 && connection.reused && !answered) return fail(step.stage, 'lost');
    answered = true;
    const positive = isPositive(outcome);
    if (isIntermediate(outcome) && step.stage !== 'data') return fail(step.stage, 'misplaced');
    switch (step.stage) {
      case 'reset':
        if (!positive) return trouble(connection, 'reset', 'misplaced', false);
        break;
      case 'xforward':
        break;
      case 'mail':
        if (!positive) mailRefusal = passOn(outcome);
        break;
      case 'rcpt':
        if (positive) accepted.push(step.position);
        else {
          refusals ??= new Map();
          refusals.set(step.position, passOn(outcome));
        }
        break;
      case 'data':
        if (positive) return fail('data', 'misplaced');
        tell();
        if (isIntermediate(outcome)) return accepted.length === 0 || mailRefusal !== null ? 'over' : accepted;
        answers.rest(passOn(outcome));
        break;
    }
  }
  tell();
  return 'incomplete';
}

/**
 * Sends content and final dot; null: sent. A reply is one that came before the dot. The dot is not sent where the client
 * has gone, the time is up, or the octets are not those that the content promised.
 */
async function sendContent(connection: Connection, delivery: Delivery): Promise<Reply | Trouble | null> {
  const { content, options } = delivery;
  const encoder = new DotEncoder();
  const stopped = (outcome: Reply | Failure): Reply | Trouble =>
    typeof outcome === 'string' ? trouble(connection, 'content', outcome) : outcome;
  let octets = 0;
  /** Whether the connection takes more at once. */
  const send = (slice: Buffer): boolean => {
    octets += slice.length;
    let room = true;
    for (const piece of encoder.push(slice)) {
      room = piece === slice ? connection.write(piece) : connection.write(piece, () => giveBack(piece));
    }
    return room;
  };
  const waitForRoom = async (): Promise<Reply | Failure | null> => {
    const interruption = await connection.room(delivery.until());
    return interruption === null && options.signal.aborted ? 'gone' : interruption;
  };
  try {
    const slices = content.slices();
    // Not `for await` over an array too, which would wait for each slice.
    if (Symbol.asyncIterator in slices) {
      for await (const slice of slices) {
        const interruption = send(slice) ? null : await waitForRoom();
        if (interruption !== null) return stopped(interruption);
      }
    } else {
      for (const slice of slices) {
        const interruption = send(slice) ? null : await waitForRoom();
        if (interruption !== null) return stopped(interruption);
      }
    }
  } catch (error) {
    return { stage: 'content', failure: 'unreadable', detail: String(error), answered: true };
  }
  const interruption = connection.take();
  if (interruption !== null) return stopped(interruption);
  if (octets !== content.size) return stopped('unreadable');
  if (options.signal.aborted) return stopped('gone');
  if (Date.now() >= options.deadline) return stopped('silent');
  connection.write(encoder.end());
  return null;
}
