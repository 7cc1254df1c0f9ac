/**
 * address-match - the match words for addresses: is, like, domain, in, not_in.
 *
 * Addresses are compared whole and without case. One mailbox must satisfy `is`, `like` and `domain` together; `in` needs
 * all mailboxes in its sets, and at least one mailbox; `not_in` is its opposite, so that nobody is no member.
 */
import { z } from 'zod';
import { type EnvelopeFacts, type Facts, type FactsAt, isReached, type Phase } from '../core/facts.ts';
import { Kept } from '../core/kept.ts';
import { type Mailbox, printMailbox } from '../core/mailbox.ts';
import { addressKey, domainKey, parseAddressEntry } from '../store/address.ts';
import type { YamlPath } from '../yaml/tree.ts';
import { type Answer, anyOne, everyOne, negated } from './asking.ts';
import { type Ask, askOnce } from './condition.ts';
import type { CompileEnv } from './env.ts';
import { literalOfLike } from './like.ts';
import { allOf, anyOf, likeTest, type TextTest, matchWord } from './match.ts';
import { ADDRESS_HINT, compileMembers, type Members, SET_NAME } from './members.ts';
import { type Haystack, literalsOfEach, type Needs, needsOfAll } from './needs.ts';

const SET = 'set or addresses, or a list of them';

/** For the schema of a condition's argument. */
export const addressWords = {
  is: matchWord('The whole address, without regard to case; "{list}" is the list itself.', 'ann@example.net'),
  like: matchWord('The whole address, with * for any characters and ? for one.', '"*-noreply@*"'),
  domain: matchWord(
    'The part behind the @; "*.example.net" for what is below it.',
    'example.net',
    '[example.net, "*.example.net"]',
  ),
  in: matchWord(
    'The address is in a set: the name of one under sets, or the addresses themselves. Of several authors all must be.',
    'members',
    '[ann@example.net, "*@example.org"]',
  ).meta({ title: SET }),
  not_in: matchWord(
    'The address is in none of the sets or addresses. Of several authors one that is not will do, and so will none at all.',
    'members',
    '[members, guests]',
  ).meta({ title: SET }),
};

const schema = z.strictObject(addressWords);
export type AddressWords = z.output<typeof schema>;

export type AddressTest = (mailboxes: readonly Mailbox[], facts: EnvelopeFacts) => Answer;

const LIST = '{list}';
/** `*example.com` is meant for a domain, and also fits evilexample.com. */
const LOOSE = /^\*[\w-]+(\.[\w-]+)+$/;

export function compileAddresses(words: AddressWords, env: CompileEnv): AddressTest {
  const tests: TextTest[] = [];
  if (words.is !== undefined) tests.push(anyOf(words.is.map((value, index) => isTest(value, index, env))));
  if (words.like !== undefined)
    tests.push(anyOf(words.like.map((value, index) => wildTest(value, 'like', index, env))));
  if (words.domain !== undefined) {
    const ofDomain = anyOf(words.domain.map((value, index) => domainTest(value, index, env)));
    tests.push((key, facts) => ofDomain(key.slice(key.lastIndexOf('@') + 1), facts));
  }
  const test = allOf(tests);
  const inside = words.in && compileMembers(words.in, 'mailboxes', env, 'in');
  const outside = words.not_in && compileMembers(words.not_in, 'mailboxes', env, 'not_in');
  const questions: AddressTest[] = [];
  if (test !== null) questions.push((mailboxes, facts) => anyOne(mailboxes, (mailbox) => test(keyOf(mailbox), facts)));
  if (inside) questions.push((mailboxes, facts) => allMembers(inside, mailboxes, facts));
  if (outside) questions.push((mailboxes, facts) => negated(allMembers(outside, mailboxes, facts)));
  const [only] = questions;
  if (only !== undefined && questions.length === 1) return only;
  return (mailboxes, facts) => everyOne(questions, (question) => question(mailboxes, facts));
}

/** Whether no set is asked, whose answer must not change, and no pattern, whose cost is charged. */
function isPlain({ in: inside, not_in: outside, like, domain = [] }: AddressWords): boolean {
  const names = inside === undefined && outside === undefined && like === undefined;
  return names && !domain.some((value) => /[*?]/.test(value));
}

/** Whether the words are the same for every list, and to compare by them asks nobody and charges nothing. */
export function areForEveryList(words: AddressWords): boolean {
  return isPlain(words) && words.is?.includes(LIST) !== true;
}

/** The question, asked once for each recipient; plain words cost less than to remember their answer. */
export function askAddresses<F extends EnvelopeFacts>(words: AddressWords, ask: Ask<F>): Ask<F> {
  return isPlain(words) ? ask : askOnce(ask);
}

/** What the mailboxes must hold for the words to be true of them. */
export function needsOfAddresses(words: AddressWords, haystack: Haystack): Needs {
  const ofWords = [
    literalsOfEach(words.is, (value) => (value === LIST ? [] : [parseAddressEntry(value)?.key ?? ''])),
    literalsOfEach(words.like, (value) => [literalOfLike(asWild(value))]),
    literalsOfEach(words.domain, (value) => [/[*?]/.test(value) ? literalOfLike(asWild(value)) : domainKey(value)]),
    literalsOfEach(words.in, (value) => (SET_NAME.test(value) ? [] : [parseAddressEntry(value)?.key ?? ''])),
  ];
  return needsOfAll(ofWords.map((literals) => literals && [{ haystack, literals }]));
}

/** Where the addresses of a message are looked for. */
export function addressHaystack<P extends Phase>(
  name: string,
  phase: P,
  mailboxesOf: (facts: FactsAt<P>) => readonly Mailbox[],
): Haystack {
  const known = (facts: Facts): facts is Facts & FactsAt<P> => isReached(phase, facts.phase);
  return { name, phase, textsOf: (facts) => (known(facts) ? mailboxesOf(facts).map(keyOf) : null) };
}

function allMembers(members: Members, mailboxes: readonly Mailbox[], { transaction }: EnvelopeFacts): Answer {
  if (mailboxes.length === 0) return false;
  return everyOne(mailboxes, (mailbox) => members(keyOf(mailbox), transaction.signal));
}

/** Most mailboxes that `explain` shows. */
const SHOWN = 5;

/** Shows mailboxes as they are, with the forms under which sets look them up where these differ. */
export function showAddresses(words: AddressWords, env: CompileEnv): (mailboxes: readonly Mailbox[]) => string {
  const names = [...(words.in ?? []), ...(words.not_in ?? [])];
  const forms = names.flatMap((name) => env.set(name)?.canonical ?? []);
  return (mailboxes) =>
    mailboxes
      .slice(0, SHOWN)
      .map((mailbox) => {
        const key = keyOf(mailbox);
        const looked = new Set(forms.map((canonical) => canonical(key)).filter((form) => form !== key));
        return printMailbox(mailbox) + (looked.size === 0 ? '' : ` (looked up as ${[...looked].join(', ')})`);
      })
      .join(', ');
}

const keys = new Kept<Mailbox, string>();

function keyOf(mailbox: Mailbox): string {
  const known = keys.get(mailbox);
  if (known !== undefined) return known;
  const key = addressKey(mailbox);
  keys.set(mailbox, key);
  return key;
}

function isTest(value: string, index: number, env: CompileEnv): TextTest {
  if (value === LIST) return (key, { address }) => key === address.list;
  const entry = parseAddressEntry(value);
  if (entry?.kind !== 'address') {
    const isSet = env.setNames.includes(value);
    const hint = value.includes('*') ? 'for a pattern say `like`' : isSet ? `write in: ${value}` : ADDRESS_HINT;
    const message = isSet ? `"${value}" is a set, and not an address` : `"${value}" is not an address`;
    env.report('E_ADDRESS', message, hint, ['is', index]);
  }
  return (key) => key === entry?.key;
}

function domainTest(value: string, index: number, env: CompileEnv): TextTest {
  if (/^$|[\s@]/.test(value)) {
    env.report('E_ADDRESS', `"${value}" is not a domain`, 'write the part behind the @ alone', ['domain', index]);
  }
  if (/[*?]/.test(value)) return wildTest(value, 'domain', index, env);
  const domain = domainKey(value);
  return (key) => key === domain;
}

function wildTest(value: string, word: 'like' | 'domain', index: number, env: CompileEnv): TextTest {
  const domain = value.slice(1);
  reportLoose(value, word === 'like' ? `"*@${domain}"` : domain, env, [word, index]);
  return likeTest(value, asWild, env, [word, index]);
}

function asWild(pattern: string): string {
  return pattern.normalize('NFC').toLowerCase();
}

/** Warns of `*example.com`; `exact` is how that domain itself is written. */
export function reportLoose(value: string, exact: string, env: CompileEnv, at: YamlPath): void {
  if (!LOOSE.test(value)) return;
  const domain = value.slice(1);
  const hint = `write ${exact}, and "*.${domain}" for what is below it`;
  env.report('W_LOOSE_PATTERN', `"${value}" also matches evil${domain}`, hint, at);
}
