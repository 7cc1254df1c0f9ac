/**
 * case - runs a rule case: a message through the real rules at all three phases, and whether they say what is expected.
 */
import type { Diagnostic, DiagnosticCode, Place } from '../core/diagnostic.ts';
import { type Addressees, type Facts, type ListAddress, PHASES } from '../core/facts.ts';
import type { Log } from '../core/log.ts';
import { type Mailbox, printMailbox } from '../core/mailbox.ts';
import type { Message } from '../core/message.ts';
import type { Verdict } from '../core/verdict.ts';
import { CASE_ID, factsOf, messageOf } from './case-message.ts';
import type { Expectation, RuleCase } from './case-read.ts';
import type { Expected } from './case-schema.ts';
import { foldForMatch } from '../mail/text.ts';
import { startEvaluation } from './evaluate.ts';
import type { Program } from './ruleset.ts';
import type { TraceStep } from './trace.ts';

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
    const failure = { code: 'E_FILE' as const, place: one.messagePlace, expected: 'a message', got, trace: [] };
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
  const fail = (key: keyof Expected, got: string, trace: readonly TraceStep[]): CaseFailure => ({
    code: 'E_TEST',
    place: placeOf(key),
    expected: printExpected(expected),
    got,
    trace,
  });
  if (program === null) return fail('verdict', `rules for ${address.list} that do not load`, []);
  // Answers are kept with the facts, and one more evaluation must not find those of the first.
  const facts = () => factsOf(one, recipient, address, addressees, message);
  const { verdict } = await evaluate(program, facts(), false);
  const wrong = mismatch(expectation, verdict, facts().content);
  if (wrong === null) return null;
  const { trace } = await evaluate(program, facts(), true);
  return fail(wrong, printVerdict(verdict), trace);
}

/** What a rule could not be asked for shows in the verdict; there is no log of it. */
const SILENT: Log = { transaction() {}, info() {}, warn() {}, error() {} };

async function evaluate(
  program: Program,
  facts: ReturnType<typeof factsOf>,
  tracing: boolean,
): Promise<{ readonly verdict: Verdict; readonly trace: readonly TraceStep[] }> {
  const evaluation = startEvaluation(program, SILENT, tracing);
  for (const phase of PHASES) {
    const progress = await evaluation.advance(facts[phase]);
    if (progress !== 'later') return { verdict: progress, trace: evaluation.trace };
  }
  throw new Error('the rules did not decide at the end of the content');
}

/** The first key of the expectation that the verdict does not meet. */
function mismatch({ expected, text }: Expectation, verdict: Verdict, facts: Facts): keyof Expected | null {
  const { status } = 'reply' in verdict ? verdict.reply : { status: null };
  if (expected.verdict !== verdict.kind) return 'verdict';
  if (expected.rule !== undefined && expected.rule !== verdict.rule) return 'rule';
  if (expected.phase !== undefined && expected.phase !== verdict.phase) return 'phase';
  if (expected.status !== undefined && expected.status !== status) return 'status';
  if (text === null) return null;
  const said = textOf(verdict);
  return text(expected.text?.raw === true ? said : foldForMatch(said), facts) ? null : 'text';
}

/** The text that the author of the rule gave, without the id that ends every refusal. */
function textOf(verdict: Verdict): string {
  if (verdict.kind === 'discard') return verdict.note;
  return 'reply' in verdict ? verdict.reply.text.replace(` (id ${CASE_ID})`, '') : '';
}

function printExpected({ verdict, rule, phase, status, text }: Expected): string {
  const words = Object.entries(text ?? {}).map(([word, values]) => `${word} ${printValues(values)}`);
  return print(verdict, status ?? '', words.length === 0 ? '' : `with a text that ${words.join(' and ')}`, rule, phase);
}

function printValues(values: readonly string[] | boolean | undefined): string {
  return typeof values === 'object' ? values.map((value) => JSON.stringify(value)).join(' or ') : `${values}`;
}

function printVerdict(verdict: Verdict): string {
  const status = 'reply' in verdict ? `${verdict.reply.code} ${verdict.reply.status ?? ''}` : '';
  const said = textOf(verdict);
  const { kind, phase, rule } = verdict;
  return print(kind, status, said === '' ? '' : JSON.stringify(said), rule ?? undefined, phase);
}

function print(
  kind: string,
  status: string,
  text: string,
  rule: string | undefined,
  phase: string | undefined,
): string {
  const by = rule === undefined ? '' : `by "${rule}"`;
  return [kind, status, text, by, phase === undefined ? '' : `at ${phase}`].filter((part) => part !== '').join(' ');
}

/** The failures of a file as what keeps it from being in force. */
export function caseDiagnostics(results: readonly CaseResult[]): readonly Diagnostic[] {
  return results.flatMap(({ name, recipient, failure }) => {
    if (failure === null) return [];
    const { code, place, expected, got } = failure;
    const message = `the case "${name}" fails for ${recipient}: expected ${expected}, got ${got}`;
    return [{ code, message, hint: 'mend the rules or the case; "postern test" shows which rules were asked', place }];
  });
}
