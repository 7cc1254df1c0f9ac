/**
 * case-read - the cases of one file, read and checked against its rules and sets, each problem at its place.
 */
import type { z } from 'zod';
import type { Place } from '../core/diagnostic.ts';
import type { Mailbox } from '../core/mailbox.ts';
import type { VerdictKind } from '../core/verdict.ts';
import { addressKey } from '../store/address.ts';
import type { YamlPath, YamlValue } from '../yaml/load.ts';
import { valueAt } from '../yaml/tree.ts';
import { listOf } from '../yaml/scalar.ts';
import { nearest } from '../yaml/suggest.ts';
import { compileHeaders, type ExpectedField } from './case-headers.ts';
import { MOST_ATTACHED } from './case-attachments.ts';
import { reportMeant } from './case-meant.ts';
import { type CaseMessage, caseForAll, caseForEach, type Expected } from './case-schema.ts';
import type { Given, GivenSets } from './case-sets.ts';
import type { FileEnv } from './compile.ts';
import type { MatchEnv, NamedSet } from './env.ts';
import { fieldName } from './field-name.ts';
import { compileText, type TextTest } from './match.ts';
import { ADDRESS_HINT } from './members.ts';
import { readMailbox } from './one-address.ts';
import { entrySchema, mayLieAt, networkSchema } from './sets.ts';
import { isList, isMapping, kindOf, type Source } from './source.ts';

/** How `expect` is written. */
const EXPECT = { path: ['expect'], yaml: 'expect: { verdict: reject }' };

/** Cases of one file; each is a whole message. */
const MOST_CASES = 200;

export type ExpectedPath = readonly [keyof Expected, ...string[]];

/** What is expected for one recipient. */
export interface Expectation {
  readonly recipient: Mailbox;
  readonly expected: Expected;
  /** Asked of the text of the refusal; null where nothing is said of it. */
  readonly text: TextTest | null;
  readonly headers: readonly ExpectedField[];
  /** Of one key of the expectation, or what stands below it. */
  placeOf(path: ExpectedPath): Place;
}

export interface RuleCase {
  readonly name: string;
  readonly place: Place;
  readonly message: CaseMessage;
  /** How many such messages come; what is expected is expected of the last. */
  readonly times: number;
  /** Of `file:` in the message. */
  readonly messagePlace: Place;
  /** undefined: the author. */
  readonly envelopeFrom: { readonly mailbox: Mailbox | null } | undefined;
  readonly recipients: readonly Mailbox[];
  readonly clientIp: string | null;
  readonly helo: string;
  readonly given: GivenSets;
  readonly expectations: readonly Expectation[];
}

export interface CaseContext {
  /** The list whose file it is; null for the system's file and for a domain's default. */
  readonly list: string | null;
  readonly rules: readonly string[];
  readonly sets: ReadonlyMap<string, NamedSet>;
  readonly env: FileEnv;
}

export function readCases(source: Source, value: YamlValue | undefined, context: CaseContext): readonly RuleCase[] {
  if (value === undefined) return [];
  if (!isList(value)) {
    source.report('E_TYPE', `expected a list, found ${kindOf(value)}`, 'begin each case with "- name:"', ['tests']);
    return [];
  }
  if (value.length > MOST_CASES) {
    const message = `a file has at most ${MOST_CASES} cases, this one ${value.length}`;
    source.report('E_TOO_MANY', message, 'keep those that show something of their own', ['tests', MOST_CASES]);
    return [];
  }
  return value.flatMap((one, index) => readCase(source, one, ['tests', index], context) ?? []);
}

function readCase(source: Source, value: YamlValue, path: YamlPath, context: CaseContext): RuleCase | null {
  if (reportMeant(source, value, path)) return null;
  const read = isForEach(value) ? source.read(caseForEach, path) : source.read(caseForAll, path, EXPECT);
  if (read === null) return null;
  checkMessage(source, read.message, [...path, 'message'], context);
  const wanted = wantedOf(source, read, path, context);
  const recipients = read.recipients ?? wanted.flatMap((one) => one.recipients);
  if (recipients.length === 0 && read.expect.kind === 'all') {
    source.report('E_MISSING_KEY', 'the case has no `recipients`', 'say to whom the message goes', path);
  }
  return {
    name: read.name,
    place: source.document.placeOf([...path, 'name']),
    message: read.message,
    times: read.times ?? 1,
    messagePlace: source.document.placeOf([...path, 'message', 'file']),
    envelopeFrom: read.envelope_from,
    recipients,
    clientIp: read.client_ip ?? null,
    helo: read.helo ?? 'mx.example.net',
    given: readGiven(source, Object.keys(read.given ?? {}), [...path, 'given'], context),
    expectations: wanted.flatMap((one) => expectationsOf(source, one, context)),
  };
}

/** An expectation as it stands in the file, and of whom it is. */
interface Wanted {
  readonly recipients: readonly Mailbox[];
  readonly expected: Expected;
  readonly path: YamlPath;
}

function wantedOf(
  source: Source,
  { expect, recipients }: z.output<typeof caseForAll> | z.output<typeof caseForEach>,
  above: YamlPath,
  { list }: CaseContext,
): readonly Wanted[] {
  const path = [...above, 'expect'];
  if (expect.kind === 'all') {
    const own = list === null ? null : readMailbox(list);
    return [{ recipients: recipients ?? (own === null ? [] : [own]), expected: expect.all, path }];
  }
  const known = recipients && new Set(recipients.map(addressKey));
  return Object.entries(expect.each).flatMap(([key, expected]) => {
    const recipient = readMailbox(key);
    const at = [...path, key];
    if (recipient === null) {
      source.report('E_ADDRESS', `"${key}" is not an address`, ADDRESS_HINT, at, 'key');
      return [];
    }
    if (known !== undefined && !known.has(addressKey(recipient))) {
      source.report('E_REFERENCE', 'the message does not go there', 'add it to recipients', at, 'key');
    }
    return [{ recipients: [recipient], expected, path: at }];
  });
}

/** Whether `expect` has addresses for keys. */
function isForEach(value: YamlValue): boolean {
  const expected = isMapping(value) ? value['expect'] : undefined;
  return isMapping(expected) && Object.keys(expected).some((key) => key.includes('@'));
}

function checkMessage(source: Source, message: CaseMessage, path: YamlPath, { env }: CaseContext): void {
  checkFieldNames(source, message.headers ?? {}, [...path, 'headers']);
  checkAttachments(source, message, path);
  if (message.file === undefined) return;
  const [other] = Object.keys(message).filter((key) => key !== 'file');
  if (other !== undefined) {
    source.report('E_VALUE', 'the file is the whole message', `take \`${other}\` out`, [...path, other], 'key');
  }
  if (!mayLieAt(message.file, env.scope)) {
    const hint = 'put it beside the file of the list, or below';
    source.report('E_NOT_ALLOWED', 'a list may only read files of its own folder', hint, [...path, 'file']);
  }
}

function checkAttachments(source: Source, { attachments = [], headers = {} }: CaseMessage, path: YamlPath): void {
  if (attachments.length === 0) return;
  const own = Object.keys(headers).find((name) => name.toLowerCase() === 'content-type');
  if (own !== undefined) {
    source.report(
      'E_VALUE',
      'the attachments have their own Content-Type',
      'take it out',
      [...path, 'headers', own],
      'key',
    );
  }
  if (attachments.reduce((sum, { size = 0 }) => sum + size, 0) > MOST_ATTACHED) {
    const hint = 'for the message as a whole say size: beside attachments:';
    source.report('E_AMOUNT', 'the attachments of a case have at most 32 MB', hint, [...path, 'attachments'], 'key');
  }
  for (const [index, { size, holds }] of attachments.entries()) {
    if (size === undefined || holds === undefined) continue;
    const at = [...path, 'attachments', index, 'size'];
    source.report('E_VALUE', 'the size of an archive follows from what it holds', 'take size or holds out', at, 'key');
  }
}

function checkFieldNames(source: Source, fields: object, path: YamlPath): void {
  for (const name of Object.keys(fields)) {
    if (fieldName.safeParse(name).success) continue;
    const hint = 'use letters, digits and -';
    source.report('E_VALUE', `"${name}" is not the name of a header field`, hint, [...path, name], 'key');
  }
}

/** Which verdicts have what a key asks. */
const KEYS_OF_VERDICTS: readonly (readonly [keyof Expected, readonly VerdictKind[]])[] = [
  ['text', ['reject', 'defer', 'discard']],
  ['headers', ['relay', 'redirect', 'quarantine']],
  ['to', ['redirect']],
  ['downstream', ['relay', 'redirect', 'quarantine']],
  ['copies', ['relay', 'redirect', 'quarantine', 'discard']],
];

function expectationsOf(
  source: Source,
  { recipients, expected, path }: Wanted,
  { rules, env }: CaseContext,
): readonly Expectation[] {
  const { verdict, rule, status } = expected;
  // A list's case may also name a rule of the system, which its file does not show.
  if (rule !== undefined && env.scope === 'system' && !rules.includes(rule)) {
    const near = nearest(rule, rules);
    const hint = near === null ? 'write the name of a rule of this file' : `write ${near}`;
    source.report('E_REFERENCE', `no rule is called "${rule}"`, hint, [...path, 'rule']);
  }
  const refuses = verdict === 'reject' || verdict === 'defer';
  const level = verdict === 'reject' ? '5' : '4';
  if (status !== undefined && !(refuses && status.startsWith(level))) {
    const hint = refuses ? `write a code that begins with ${level}` : 'take it out';
    source.report('E_STATUS', `${verdict} has no status ${status}`, hint, [...path, 'status']);
  }
  const { downstream } = expected;
  if (downstream !== undefined && !env.downstreams.includes(downstream)) {
    const near = nearest(downstream, env.downstreams);
    const hint = near === null ? `known here: ${env.downstreams.join(', ')}` : `write ${near}`;
    source.report('E_REFERENCE', `no downstream is called "${downstream}"`, hint, [...path, 'downstream']);
  }
  checkFieldNames(source, expected.headers ?? {}, [...path, 'headers']);
  for (const [key, verdicts] of KEYS_OF_VERDICTS) {
    if (expected[key] === undefined || verdicts.includes(verdict)) continue;
    source.report('E_VALUE', `${verdict} has no ${key}`, 'take it out', [...path, key], 'key');
  }
  const envAt = (key: keyof Expected): MatchEnv => ({
    ...env,
    rule: '',
    report: (code, message, hint, at = []) => source.report(code, message, hint, [...path, key, ...at]),
  });
  const { document } = source;
  const shared = {
    expected,
    text: expected.text === undefined ? null : compileText(expected.text, envAt('text')),
    headers: expected.headers === undefined ? [] : compileHeaders(expected.headers, envAt('headers')),
    placeOf: (at: ExpectedPath) => document.placeOf([...path, ...at]),
  };
  return recipients.map((recipient) => ({ ...shared, recipient }));
}

const networks = listOf(networkSchema);
const entries = listOf(entrySchema);

function readGiven(source: Source, names: readonly string[], path: YamlPath, context: CaseContext): GivenSets {
  const given = new Map<string, Given>();
  for (const name of names) {
    const at = [...path, name];
    const set = context.sets.get(name);
    if (set === undefined) {
      const near = nearest(name, [...context.sets.keys()]);
      const sets = [...context.sets.keys()].join(', ');
      const known = sets === '' ? 'take it out: this file has no sets' : `known here: ${sets}`;
      const hint = near === null ? known : `write ${near}`;
      source.report('E_REFERENCE', `no set is called "${name}"`, hint, at, 'key');
    } else if (set.kind === 'mailboxes' && /[\\/]|\.txt$/.test(String(valueAt(source.document.value, at)))) {
      const hint = `write who is in it, in this case: ${name}: [ann@example.net]`;
      source.report('E_ADDRESS', 'a case reads no file', hint, at);
    } else if (set.kind === 'networks') {
      given.set(name, { addresses: source.read(networks, at) ?? [] });
    } else {
      given.set(name, { values: source.read(entries, at) ?? [] });
    }
  }
  return given;
}
