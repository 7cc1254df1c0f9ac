/**
 * case - runs a rule case: a message through the real rules at all three phases, and whether they say what is expected.
 */
import type { Diagnostic, DiagnosticCode, Place } from '../core/diagnostic.ts';
import { type Addressees, type ContentFacts, type ListAddress, PHASES } from '../core/facts.ts';
import type { Log } from '../core/log.ts';
import { type Mailbox, printMailbox, sameMailbox } from '../core/mailbox.ts';
import type { Message } from '../core/message.ts';
import { copiesOf, isServed, refuses, type Verdict } from '../core/verdict.ts';
import { nearest } from '../yaml/suggest.ts';
import { edited, printHeaders, printWords, wrongField } from './case-headers.ts';
import { CASE_ID, factsOf, messageOf } from './case-message.ts';
import type { Expectation, ExpectedPath, RuleCase } from './case-read.ts';
import type { Expected } from './case-schema.ts';
import { foldForMatch } from '../mail/text.ts';
import { startEvaluation } from './evaluate.ts';
import type { Program } from './program.ts';
import type { TracedClause, TraceStep } from './trace.ts';

/** What applies to a recipient of a case; null where its rules do not load. */
export interface CasePolicy {
  readonly address: ListAddress;
  readonly program: Program | null;
}

/** Why a case failed. */
export interface CaseFailure {
  readonly code: DiagnosticCode;
  /** Of what is not as expected. */
  readonly place: Place;
  readonly expected: string;
  readonly got: string;
  /** What may be the reason, where the case itself is likely to be wrong. */
  readonly hint: string | null;
  /** Every rule that was asked; the last one decided, if one did. */
  readonly trace: readonly TraceStep[];
}

/** One expectation of one case; `failure` is null where it is met. */
export interface CaseResult {
  readonly name: string;
  readonly recipient: string;
  readonly place: Place;
  readonly failure: CaseFailure | null;
}

/** `file` is the one in which the case stands; `asks` says which recipients are looked at. */
export async function runCase(
  one: RuleCase,
  file: string,
  policyFor: (recipient: Mailbox) => CasePolicy,
  asks: (address: ListAddress) => boolean,
): Promise<readonly CaseResult[]> {
  const result = (recipient: Mailbox, failure: CaseFailure | null): CaseResult => ({
    name: one.name,
    recipient: printMailbox(recipient),
    place: one.place,
    failure,
  });
  const policies = one.expectations
    .map((expectation) => ({ expectation, policy: policyFor(expectation.recipient) }))
    .filter(({ policy }) => asks(policy.address));
  let message: Message;
  try {
    message = messageOf(one, file);
  } catch (error) {
    const got = error instanceof Error ? error.message : String(error);
    const failure = {
      code: 'E_FILE' as const,
      place: one.messagePlace,
      expected: 'a message',
      got,
      hint: null,
      trace: [],
    };
    return policies.map(({ expectation }) => result(expectation.recipient, failure));
  }
  const addressees: Addressees = {
    recipients: new Set(one.recipients.map((recipient) => printMailbox(recipient).toLowerCase())),
    lists: new Set(one.recipients.map((recipient) => policyFor(recipient).address.list)),
  };
  const results: CaseResult[] = [];
  for (const { expectation, policy } of policies) {
    const failure = await judge(one, expectation, policy, addressees, message);
    results.push(result(expectation.recipient, failure));
  }
  return results;
}

async function judge(
  one: RuleCase,
  expectation: Expectation,
  { address, program }: CasePolicy,
  addressees: Addressees,
  message: Message,
): Promise<CaseFailure | null> {
  const { expected, recipient, placeOf } = expectation;
  const fail = (path: ExpectedPath, got: string, trace: readonly TraceStep[]): CaseFailure => ({
    code: 'E_TEST',
    place: placeOf(path),
    expected: printExpected(expected),
    got,
    hint: hintFor(one, expected, program, trace),
    trace,
  });
  if (program === null) return fail(['verdict'], `rules for ${address.list} that do not load`, []);
  // Answers are kept with the facts, and one more evaluation must not find those of the first.
  const facts = () => factsOf(one, recipient, address, addressees, message);
  const { verdict } = await evaluate(program, facts(), false);
  const wrong = await mismatch(expectation, verdict, () => facts().content);
  if (wrong === null) return null;
  const { trace } = await evaluate(program, facts(), true);
  return fail(wrong.path, [printVerdict(verdict), wrong.got ?? ''].filter((part) => part !== '').join(' with '), trace);
}

/** What is likely to be wrong with the case itself. */
function hintFor(
  { times }: RuleCase,
  { verdict, rule }: Expected,
  program: Program | null,
  trace: readonly TraceStep[],
): string | null {
  const names = program?.rules.map(({ name }) => name) ?? [];
  if (rule !== undefined && program !== null && !names.includes(rule)) {
    const near = nearest(rule, names);
    const instead = near === null ? 'write the name of one, or leave `rule` out' : `write rule: ${near}`;
    return `no rule is called "${rule}"; ${instead}`;
  }
  const last = trace.at(-1);
  const mine = program?.rules.find(({ name }) => name === rule);
  if (last?.truth === true && last.layer === 'before' && mine?.layer === 'rules') {
    return `the system's rule "${last.rule}" decides before the rules of the list; take \`rule\` out of what is expected`;
  }
  const counts = times === 1 && verdict !== 'relay' && trace.some(({ clauses }) => clauses.some(isBelowRate));
  return counts ? 'in a case each message is the first of its period; for the 21st write times: 21' : null;
}

function isBelowRate({ label, truth, children }: TracedClause): boolean {
  return (label === 'rate' && truth === false) || children.some(isBelowRate);
}

/** What a rule could not be asked for shows in the verdict; there is no log of it. */
const SILENT: Log = { transaction() {}, info() {}, warn() {}, error() {} };

async function evaluate(
  program: Program,
  facts: ReturnType<typeof factsOf>,
  tracing: boolean,
): Promise<{ readonly verdict: Verdict; readonly trace: readonly TraceStep[] }> {
  const evaluation = startEvaluation(program, SILENT, { trace: tracing });
  for (const phase of PHASES) {
    const progress = await evaluation.advance(facts[phase]);
    if (progress !== 'later') return { verdict: progress, trace: await evaluation.trace() };
  }
  throw new Error('the rules did not decide at the end of the content');
}

interface Mismatch {
  readonly path: ExpectedPath;
  /** What the verdict alone does not show. */
  readonly got?: string;
}

/** The first key of the expectation that the verdict does not meet. */
async function mismatch(
  { expected, text, headers }: Expectation,
  verdict: Verdict,
  facts: () => ContentFacts,
): Promise<Mismatch | null> {
  const { status } = refuses(verdict) ? verdict.reply : { status: null };
  if (expected.verdict !== verdict.kind) return { path: ['verdict'] };
  if (expected.rule !== undefined && expected.rule !== verdict.rule) return { path: ['rule'] };
  if (expected.phase !== undefined && expected.phase !== verdict.phase) return { path: ['phase'] };
  if (expected.status !== undefined && expected.status !== status) return { path: ['status'] };
  if (expected.downstream !== undefined && expected.downstream !== downstreamOf(verdict))
    return { path: ['downstream'] };
  if (expected.to !== undefined && !(verdict.kind === 'redirect' && sameMailbox(expected.to, verdict.to)))
    return { path: ['to'] };
  if (expected.copies !== undefined && printed(expected.copies) !== printed(copiesOf(verdict).map(({ to }) => to)))
    return { path: ['copies'] };
  const said = textOf(verdict);
  const compared = expected.text?.raw === true ? said : foldForMatch(said);
  if (text !== null && !(await text(compared, facts()))) return { path: ['text'] };
  const wrong =
    headers.length > 0 && isServed(verdict) ? await wrongField(headers, await edited(facts(), verdict.edits)) : null;
  return wrong && { path: ['headers', wrong.name], got: wrong.got };
}

function downstreamOf(verdict: Verdict): string | null {
  return isServed(verdict) ? verdict.downstream : null;
}

/** In any order, each once. */
function printed(mailboxes: readonly Mailbox[]): string {
  return [...new Set(mailboxes.map(printMailbox))].sort().join(', ');
}

/** The text that the author of the rule gave, without the id that ends every refusal. */
function textOf(verdict: Verdict): string {
  if (verdict.kind === 'discard') return verdict.note;
  return 'reply' in verdict ? verdict.reply.text.replace(` (id ${CASE_ID})`, '') : '';
}

function printExpected({ verdict, rule, phase, status, text, to, downstream, copies, headers }: Expected): string {
  const parts = [
    status,
    printWhere(to ?? null, downstream ?? null, copies ?? []),
    text && `with a text that ${printWords(text)}`,
    headers && `with ${printHeaders(headers)}`,
  ];
  return print(verdict, parts, rule, phase);
}

function printVerdict(verdict: Verdict): string {
  const { kind, phase, rule } = verdict;
  const said = textOf(verdict);
  const to = verdict.kind === 'redirect' ? verdict.to : null;
  const parts = [
    refuses(verdict) ? `${verdict.reply.code} ${verdict.reply.status ?? ''}` : '',
    printWhere(
      to,
      downstreamOf(verdict),
      copiesOf(verdict).map((copy) => copy.to),
    ),
    said === '' ? '' : JSON.stringify(said),
  ];
  return print(kind, parts, rule ?? undefined, phase);
}

function printWhere(to: Mailbox | null, downstream: string | null, copies: readonly Mailbox[]): string {
  const words = [
    to === null ? '' : printMailbox(to),
    downstream === null ? '' : `to ${downstream}`,
    copies.length === 0 ? '' : `with a copy to ${printed(copies)}`,
  ];
  return words.filter((word) => word !== '').join(' ');
}

function print(
  kind: string,
  parts: readonly (string | undefined)[],
  rule: string | undefined,
  phase: string | undefined,
): string {
  const by = rule === undefined ? '' : `by "${rule}"`;
  const at = phase === undefined ? '' : `at ${phase}`;
  return [kind, ...parts, by, at].filter((part) => part !== undefined && part !== '').join(' ');
}

/** The failures of a file as what keeps it from being in force. */
export function caseDiagnostics(results: readonly CaseResult[]): readonly Diagnostic[] {
  return results.flatMap(({ name, recipient, failure }) => {
    if (failure === null) return [];
    const { code, place, expected, got } = failure;
    const message = `the case "${name}" fails for ${recipient}: expected ${expected}, got ${got}`;
    const hint = failure.hint ?? 'mend the rules or the case; "postern test" shows which rules were asked';
    return [{ code, message, hint, place }];
  });
}
