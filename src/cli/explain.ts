/**
 * explain - the verdict of each recipient of a message, and why: every rule that was asked, what it saw, what it answered.
 * What became of a past transaction is explain-record.ts.
 */
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { loadConfig } from '../config/load.ts';
import { routeOf } from '../config/routes.ts';
import { isWarning, type Place } from '../core/diagnostic.ts';
import type { Recipient, Transaction } from '../core/envelope.ts';
import { type Mailbox, printMailbox } from '../core/mailbox.ts';
import type { Message } from '../core/message.ts';
import { replies, withId } from '../core/reply.ts';
import { copiesOf, type HeaderEdit, isServed, refuses, type Verdict } from '../core/verdict.ts';
import { parseHeader } from '../mail/header.ts';
import { type Decision, decide, openCourse, openDecision } from '../pipeline/decide.ts';
import { loops, mailLoop } from '../pipeline/loop-mark.ts';
import type { TraceStep } from '../rules/trace.ts';
import { parsePath } from '../smtp/path.ts';
import { formatReply } from '../smtp/reply-format.ts';
import { type Command, readArguments, type Streams, UsageError } from './command.ts';
import { composeRules } from './compose.ts';
import { findConfig } from './config-file.ts';
import { printDiagnostics } from './diagnostics.ts';
import { explainRecord } from './explain-record.ts';
import { createLog } from './log.ts';
import { PHASE_WORDS } from './phases.ts';
import { printStep } from './print-trace.ts';
import { shownPath } from './shown-path.ts';

const HELP = `Usage: postern explain MESSAGE --to ADDRESS… [--from ADDRESS] [--client-ip IP] [--helo NAME] [--json] [--config FILE]
       postern explain ID --log FILE [--json]

Prints the verdict of each recipient of a message and why. MESSAGE is a file, or - for standard input. Nothing is sent.

  --from ADDRESS     the reverse-path; empty or left out for <>
  --to ADDRESS       a recipient; may be given again
  --client-ip IP     the original client, as XFORWARD would name it
  --json             the same as data

With --log prints what became of the transaction with that id, which ends every refusal, from a log in JSON (- for standard
input).

Examples: postern explain message.eml --from ann@example.net --to gardeners@lists.example.org
          journalctl -o cat -u postern | postern explain 8H6Q3T5W0K --log -
`;

/** What is printed in place of the id that a live transaction would have. */
const ID = 'EXPLAINED';

interface ExplainedCopy {
  readonly to: string;
  readonly downstream: string;
  readonly edits: readonly string[];
}

interface Explanation {
  readonly recipient: string;
  readonly list: string;
  readonly role: string;
  readonly verdict: Verdict['kind'];
  /** As the wire would carry it; where the message is sent on what the downstream answers stands in its place. */
  readonly reply: string;
  readonly downstream: string | null;
  /** The address that gets the message in place of the recipient; null where it is not redirected. */
  readonly redirect: string | null;
  readonly copies: readonly ExplainedCopy[];
  readonly phase: Verdict['phase'];
  readonly rule: string | null;
  /** Where the rule stands; null where none decided. */
  readonly place: Place | null;
  readonly ruleset: string;
  readonly edits: readonly string[];
  readonly notes: readonly string[];
  /** null where no rule scored. */
  readonly score: number | null;
  readonly steps: readonly TraceStep[];
}

async function run(args: readonly string[], streams: Streams): Promise<number> {
  const { values, positionals } = readArguments(
    args,
    {
      config: { type: 'string' },
      from: { type: 'string' },
      to: { type: 'string', multiple: true },
      'client-ip': { type: 'string' },
      helo: { type: 'string' },
      json: { type: 'boolean' },
      log: { type: 'string' },
    },
    true,
  );
  const [file] = positionals;
  if (values.log !== undefined) {
    if (file === undefined || positionals.length > 1) throw new UsageError('name one id, like 8H6Q3T5W0K');
    return await explainRecord(file, values.log, values.json === true, streams);
  }
  if (file === undefined || positionals.length > 1) throw new UsageError('name one message: a file, or -');
  const to = values.to ?? [];
  if (to.length === 0) throw new UsageError('name a recipient: --to ADDRESS');
  const transaction = transactionOf(values.from ?? '', values['client-ip'] ?? null, values.helo ?? '');
  const recipients = to.map(recipientOf);
  const message = readMessage(file);
  if (typeof message === 'string') {
    streams.err(`postern explain: ${message}\n`);
    return 1;
  }

  const { config, diagnostics, text } = loadConfig(findConfig(values.config));
  printDiagnostics(diagnostics, () => text, streams);
  if (config === null) return 1;
  const log = createLog({ level: 'warn', format: 'pretty' }, { write: streams.err });
  const { rulebook, diagnostics: ofRules, sources } = composeRules(config, log);
  const errors = ofRules.filter((diagnostic) => !isWarning(diagnostic));
  printDiagnostics(errors, (name) => sources.get(name) ?? null, streams);
  if (rulebook === null || errors.length > 0) return 1;

  const course = openCourse(Date.now());
  const decisions: Decision[] = [];
  for (const recipient of recipients) {
    const policy = await rulebook.policyFor(recipient.forwardPath);
    const decision = openDecision(transaction, course, recipient, policy, true);
    await decide(decision, { phase: 'envelope' });
    decisions.push(decision);
  }
  const explanations: Explanation[] = [];
  for (const decision of decisions) {
    explanations.push(await explain(decision, message, (mailbox) => routeOf(config.routes, mailbox)));
  }
  rulebook.close();
  if (values.json === true) streams.out(`${JSON.stringify(explanations, null, 2)}\n`);
  else streams.out(explanations.map(print).join('\n'));
  return 0;
}

function transactionOf(from: string, clientIp: string | null, helo: string): Transaction {
  const parsed = parsePath('MAIL', Buffer.from(`FROM:<${from}>`).toString('latin1'));
  if ('problem' in parsed) throw new UsageError(`--from ${from}: ${parsed.problem}`);
  if (clientIp !== null && isIP(clientIp) === 0) throw new UsageError(`--client-ip ${clientIp} is no IP address`);
  return {
    id: ID,
    client: { address: clientIp, name: null, port: null, helo, tls: null, protocol: 'ESMTP' },
    reversePath: parsed.path.mailbox,
    rawReversePath: parsed.path.raw,
    parameters: new Map(),
    signal: new AbortController().signal,
  };
}

function recipientOf(to: string): Recipient {
  const parsed = parsePath('RCPT', Buffer.from(`TO:<${to}>`).toString('latin1'));
  if ('problem' in parsed) throw new UsageError(`--to ${to}: ${parsed.problem}`);
  if (parsed.path.mailbox === null) throw new UsageError('--to: the null path is no recipient');
  return { forwardPath: parsed.path.mailbox, raw: parsed.path.raw, parameters: new Map() };
}

/** The message with the line ends that it has on the wire, or why it cannot be read. */
function readMessage(file: string): Message | string {
  let octets: Buffer;
  try {
    octets = readFileSync(file === '-' ? 0 : file);
  } catch (error) {
    return `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`;
  }
  const wire = Buffer.from(octets.toString('latin1').replace(/\r?\n/g, '\r\n'), 'latin1');
  return { header: parseHeader(wire), content: { size: wire.length, slices: () => [wire] } };
}

/** Takes a decision, which was asked at RCPT, to its end. */
async function explain(
  decision: Decision,
  message: Message,
  route: (mailbox: Mailbox) => string,
): Promise<Explanation> {
  const { policy, recipient } = decision;
  const { header } = message;
  await decide(decision, { phase: 'header', header });
  const verdict = await decide(decision, { phase: 'content', header, message });
  if (verdict === null) throw new Error('the rules did not decide at the end of the content');
  const steps = await decision.evaluation.trace();
  const redirect = verdict.kind === 'redirect' ? verdict.to : null;
  return {
    recipient: printMailbox(recipient.forwardPath),
    list: policy.address.list,
    role: policy.address.role,
    verdict: verdict.kind,
    reply: (loops(decision, header) ? formatReply(withId(mailLoop, ID)) : replyOf(verdict)).trimEnd(),
    downstream: isServed(verdict) ? (verdict.downstream ?? route(redirect ?? recipient.forwardPath)) : null,
    redirect: redirect === null ? null : printMailbox(redirect),
    copies: copiesOf(verdict).map(({ to, edits }) => ({
      to: printMailbox(to),
      downstream: route(to),
      edits: edits.map(printEdit),
    })),
    phase: verdict.phase,
    rule: verdict.rule,
    ruleset: policy.unavailable ?? verdict.ruleset,
    edits: isServed(verdict) ? verdict.edits.map(printEdit) : [],
    notes: verdict.notes ?? [],
    score: verdict.score ?? null,
    place: steps.findLast(({ rule, place }) => rule === verdict.rule && place.file === verdict.ruleset)?.place ?? null,
    steps,
  };
}

function printEdit(edit: HeaderEdit): string {
  switch (edit.kind) {
    case 'add':
      return `add ${edit.name}: ${edit.value}`;
    case 'remove':
      return `remove ${edit.name}`;
    case 'prefix':
      return `prefix ${edit.name}: ${edit.text}`;
  }
}

function replyOf(verdict: Verdict): string {
  if (verdict.kind === 'discard') return formatReply(replies.messageAccepted);
  return refuses(verdict) ? formatReply(verdict.reply) : '';
}

function print(one: Explanation): string {
  const instead = one.redirect === null ? '' : ` ${one.redirect}`;
  const to = `${instead}${one.downstream === null ? '' : ` to ${one.downstream}`}`;
  const where = one.place === null ? '' : `  ${shownPath(one.place.file)}:${one.place.line}`;
  const by = one.rule === null ? 'no rule decided' : `rule "${one.rule}"${where}`;
  const address = one.recipient === one.list ? '' : `  (${one.role} of ${one.list})`;
  const unavailable = one.rule === null && one.ruleset !== '' ? `  ${one.ruleset}\n` : '';
  return [
    `${one.recipient}${address}\n  ${one.verdict.toUpperCase()}${to} ${PHASE_WORDS[one.phase]}: ${by}\n`,
    unavailable,
    one.reply === '' ? '' : `${one.reply.replace(/^/gm, '  ')}\n`,
    ...one.edits.map((edit) => `  ${edit}\n`),
    ...one.copies.map(({ to, downstream, edits }) => `  copy ${[`${to} to ${downstream}`, ...edits].join('; ')}\n`),
    ...one.notes.map((note) => `  note: ${note}\n`),
    one.score === null ? '' : `  score ${one.score}\n`,
    ...one.steps.map((step) => printStep(step, 4)),
  ].join('');
}

export const explainCommand: Command = {
  name: 'explain',
  summary: 'tells the verdict of each recipient of a message, and why; or what became of an id',
  help: HELP,
  run,
};
