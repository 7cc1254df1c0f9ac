/**
 * auth - asks what the site's own MTA found out about the message: SPF, DKIM, DMARC, ARC, from Authentication-Results:
 * (RFC 8601).
 *
 * Anybody can write such a field. Only those count whose authserv-id the system's file names under `trust_results_from:`,
 * and of each of these the topmost, because what the MTA writes stands above what came with the message; all of them where
 * `several: true` vouches that the MTA takes out what came in its name (section 5). Where two of them tell of the same method
 * the upper one is asked.
 * One signature that passes is enough, however many others do not (section 2.7.1). SPF of the HELO name is asked only where
 * there is none of MAIL FROM. What no field tells compares as false.
 */
import { z } from 'zod';
import type { Header } from '../../core/message.ts';
import {
  type AuthenticationResults,
  type MethodResult,
  parseAuthenticationResults,
} from '../../mail/authentication-results.ts';
import { listOf } from '../../yaml/scalar.ts';
import { defineCondition } from '../condition.ts';
import type { TrustedServer } from '../env.ts';
import { askNothing, asksSomething } from '../match.ts';

const METHODS = ['spf', 'dkim', 'dmarc', 'arc'] as const;
type Method = (typeof METHODS)[number];
const QUESTIONS = [...METHODS, 'dmarc_policy'] as const;
type Question = (typeof QUESTIONS)[number];

const DKIM_RESULTS = ['none', 'pass', 'fail', 'policy', 'neutral', 'temperror', 'permerror'] as const;

const MX = 'Authentication-Results: mx.example.org';
const FAILS = `${MX}; dmarc=fail (p=reject dis=none) header.from=example.net`;

export const auth = defineCondition({
  name: 'auth',
  summary: "Asks the results of SPF, DKIM, DMARC and ARC that the site's own servers wrote into the header.",
  reference: 'RFC 8601',
  phase: 'header',
  argument: z
    .strictObject({
      spf: listOf(z.enum([...DKIM_RESULTS, 'softfail']))
        .optional()
        .describe('What SPF said of the reverse-path (RFC 7208).'),
      dkim: listOf(z.enum(DKIM_RESULTS)).optional().describe('What DKIM said of the signatures (RFC 6376).'),
      dmarc: listOf(z.enum(['none', 'pass', 'fail', 'temperror', 'permerror', 'bestguesspass']))
        .optional()
        .describe('What DMARC said of the author (RFC 7489).'),
      dmarc_policy: listOf(z.enum(['none', 'quarantine', 'reject']))
        .optional()
        .describe('What the domain of the author asks for, where the field tells it.'),
      arc: listOf(z.enum(['none', 'pass', 'fail']))
        .optional()
        .describe('What ARC said of the chain (RFC 8617).'),
    })
    .refine(asksSomething, askNothing('dmarc: fail')),
  examples: [
    { argument: '{ dmarc: fail, dmarc_policy: reject }', given: { header: FAILS }, expect: true },
    {
      argument: '{ dmarc_policy: [quarantine, reject] }',
      given: { header: `${MX}; dmarc=pass policy.dmarc=none` },
      expect: false,
    },
    {
      argument: '{ spf: [fail, softfail] }',
      given: { header: `${MX}; spf=softfail smtp.mailfrom=example.net` },
      expect: true,
    },
    {
      argument: '{ spf: fail }',
      given: { header: `${MX}; spf=fail smtp.helo=mx; spf=pass smtp.mailfrom=a.example` },
      expect: false,
    },
    {
      argument: '{ dkim: pass }',
      given: { header: `${MX}; dkim=fail header.d=a.example; dkim=pass header.d=b.example` },
      expect: true,
    },
    {
      argument: '{ dkim: fail }',
      given: { header: `${MX}; dkim=fail header.d=a.example; dkim=pass header.d=b.example` },
      expect: false,
    },
    { argument: '{ arc: pass }', given: { header: 'Authentication-Results: mx.example.com; arc=pass' }, expect: false },
    { argument: '{ dmarc: pass }', given: { header: `${FAILS}\n${MX}; dmarc=pass` }, expect: false },
    { argument: '{ dmarc: pass }', given: { header: `${MX} 2; dmarc=pass\n${MX}; dmarc=pass` }, expect: false },
    { argument: '{ dkim: none }', given: {}, expect: false },
  ],
  compile(wanted, { trustResultsFrom, report }) {
    if (trustResultsFrom.length === 0) {
      const hint = 'name your MTA in the file of the system: trust_results_from: [mx.example.org]';
      report('W_UNTRUSTED', 'nobody is trusted to tell, so `auth` never holds', hint);
    }
    const questions = QUESTIONS.flatMap((question) => {
      const results: readonly string[] | undefined = wanted[question];
      return results === undefined ? [] : [{ question, results }];
    });
    return (facts) => {
      const told = trustedFields(facts.header, trustResultsFrom);
      return questions.every(({ question, results }) =>
        answersTo(question, told).some((answer) => results.includes(answer)),
      );
    };
  },
  saw: ({ header }, _, { trustResultsFrom }) => show(header, trustedFields(header, trustResultsFrom)),
});

/** The fields that count, in order. */
function trustedFields(header: Header, trusted: readonly TrustedServer[]): readonly AuthenticationResults[] {
  const seen = new Set<string>();
  return fieldsOf(header).filter(({ authservId }) => {
    const server = trusted.find(({ name }) => name === authservId);
    if (server === undefined || (seen.has(authservId) && !server.several)) return false;
    seen.add(authservId);
    return true;
  });
}

function answersTo(question: Question, told: readonly AuthenticationResults[]): readonly string[] {
  const method = question === 'dmarc_policy' ? 'dmarc' : question;
  const results = told.map((field) => resultsOf(method, field)).find((some) => some.length > 0) ?? [];
  if (question === 'dmarc_policy') return results.flatMap((result) => policyOf(result) ?? []);
  return results.some(({ result }) => result === 'pass') ? ['pass'] : results.map(({ result }) => result);
}

function resultsOf(method: Method, { results }: AuthenticationResults): readonly MethodResult[] {
  const all = results.filter((result) => result.method === method);
  if (method !== 'spf') return all;
  const ofMail = all.filter(
    ({ properties }) => !properties.some(({ type, name }) => type === 'smtp' && name === 'helo'),
  );
  return ofMail.length > 0 ? ofMail : all;
}

/** The published policy: a property for some MTAs, at the start of a comment for most: `(p=reject dis=none)`. */
function policyOf({ properties, comments }: MethodResult): string | null {
  const property = properties.find(
    ({ type, name }) => type === 'policy' && (name === 'published-domain-policy' || name === 'dmarc'),
  );
  if (property !== undefined) return property.value.toLowerCase();
  for (const comment of comments) {
    const policy = /^\s*(?:p|policy)=(none|quarantine|reject)\b/i.exec(comment)?.[1];
    if (policy !== undefined) return policy.toLowerCase();
  }
  return null;
}

/** Fields that are read; a trusted one stands near the top. */
const MOST_FIELDS = 100;
const read = new WeakMap<Header, readonly AuthenticationResults[]>();

/** Read once for all rules and recipients. */
function fieldsOf(header: Header): readonly AuthenticationResults[] {
  const known = read.get(header);
  if (known !== undefined) return known;
  const fields = header.named('Authentication-Results').slice(0, MOST_FIELDS);
  const parsed = fields.flatMap(({ value }) => parseAuthenticationResults(value) ?? []);
  read.set(header, parsed);
  return parsed;
}

function show(header: Header, counted: readonly AuthenticationResults[]): string {
  const fields = fieldsOf(header).slice(0, 5);
  const words = fields.map((field) => {
    const asked = field.results.filter(({ method }) => METHODS.some((known) => known === method));
    const counts = counted.includes(field) ? '' : ' (does not count)';
    return `${field.authservId}: ${asked.map(({ method, result }) => `${method}=${result}`).join(' ') || 'nothing'}${counts}`;
  });
  return words.join('; ') || 'no such field';
}
