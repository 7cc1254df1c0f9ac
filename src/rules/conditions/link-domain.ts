/**
 * link_domain - asks the hosts to which the links in the text parts lead, plain and HTML.
 *
 * One host must satisfy all words. `is` is the host itself, `domain` also what is below it. A named set tells hosts by its
 * entries for whole domains (`*@bit.ly`).
 */
import { z } from 'zod';
import type { ContentFacts } from '../../core/facts.ts';
import { textsOf } from '../../mail/body.ts';
import { domainKey } from '../../store/address.ts';
import { type Answer, anyOne, everyOne, negated } from '../asking.ts';
import { askOnce, defineCondition } from '../condition.ts';
import type { CompileEnv } from '../env.ts';
import { askNothing, asksSomething, likeTest, matchWord } from '../match.ts';
import { compileMembers, SET_NAME } from '../members.ts';

type Question = (host: string, facts: ContentFacts) => Answer;

const WORDS = ['is', 'domain', 'like', 'in', 'not_in'] as const;
type Word = (typeof WORDS)[number];

const LINK = { body: 'See https://www.example.com/tulips.' };
const DECEIT = {
  header: 'Content-Type: text/html',
  body: '<a href="http://bank.example@evil.example/">bank.example</a>',
};
const SHOWN = 10;

export const linkDomain = defineCondition({
  name: 'link_domain',
  summary: 'Asks where the links in the text lead; one host must satisfy all words.',
  reference: null,
  phase: 'content',
  argument: z
    .strictObject({
      is: matchWord('The host itself.', 'www.example.com'),
      domain: matchWord('The host, or one below it.', 'example.com'),
      like: matchWord('The whole host, with * for any characters and ? for one.', '"*.example.*"'),
      in: matchWord('A link to one of these hosts, or to one of a set under sets.', '[bit.ly, t.co]'),
      not_in: matchWord('A link to none of these hosts, nor to one of a set under sets.', 'example.org'),
    })
    .refine(asksSomething, askNothing('domain: example.com')),
  examples: [
    { argument: '{ is: www.example.com }', given: LINK, expect: true },
    { argument: '{ is: example.com }', given: LINK, expect: false },
    { argument: '{ domain: example.com }', given: LINK, expect: true },
    { argument: '{ like: "*.example.*" }', given: LINK, expect: true },
    { argument: '{ in: [bit.ly, t.co] }', given: { body: 'HTTP://Bit.Ly/x' }, expect: true },
    { argument: '{ is: evil.example }', given: DECEIT, expect: true },
    { argument: '{ is: bank.example }', given: DECEIT, expect: false },
    { argument: '{ not_in: example.org }', given: LINK, expect: true },
    { argument: '{ not_in: example.org }', given: { body: 'no link' }, expect: false },
  ],
  compile(words, env) {
    const questions = WORDS.flatMap((word) => {
      const items = words[word];
      return items === undefined ? [] : [compileWord(word, items, env)];
    });
    return askOnce(async (facts) => {
      const texts = await textsOf(facts.message);
      const hosts = [...new Set(texts.flatMap((part) => part.hosts))];
      return anyOne(hosts, (host) => everyOne(questions, (question) => question(host, facts)));
    });
  },
  saw({ message }) {
    const texts = textsOf(message);
    if (texts instanceof Promise) return 'not read';
    const hosts = [...new Set(texts.flatMap((part) => part.hosts))];
    return [...hosts.slice(0, SHOWN), ...(hosts.length > SHOWN ? ['...'] : [])].join(', ') || 'no link';
  },
});

function compileWord(word: Word, items: readonly string[], env: CompileEnv): Question {
  switch (word) {
    case 'is':
      return isOne(hosts(items, word, env));
    case 'domain': {
      const domains = hosts(items, word, env);
      return (host) => domains.some((domain) => host === domain || host.endsWith(`.${domain}`));
    }
    case 'like': {
      const tests = items.map((item, index) => likeTest(item, (value) => value.toLowerCase(), env, [word, index]));
      return (host, facts) => anyOne(tests, (test) => test(host, facts));
    }
    case 'in':
      return isMember(word, items, env);
    case 'not_in': {
      const member = isMember(word, items, env);
      return (host, facts) => negated(member(host, facts));
    }
  }
}

function isMember(word: 'in' | 'not_in', items: readonly string[], env: CompileEnv): Question {
  const literal = isOne(
    hosts(
      items.map((item) => (SET_NAME.test(item) ? null : item)),
      word,
      env,
    ),
  );
  const positions = [...items.keys()].filter((index) => SET_NAME.test(items[index] ?? ''));
  const report: CompileEnv['report'] = (code, message, hint, [, position] = []) =>
    env.report(code, message, hint?.replace('ann@example.net', '"*@bit.ly"') ?? null, [
      word,
      positions[Number(position)] ?? 0,
    ]);
  const names = positions.map((index) => items[index] ?? '');
  const stored = compileMembers(names, 'mailboxes', { ...env, report }, word);
  return (host, facts) => literal(host, facts) || stored(`@${host}`, facts.transaction.signal);
}

function isOne(known: readonly string[]): Question {
  const set = new Set(known);
  return (host) => set.has(host);
}

/** Keys of the hosts; null stands for what is no host. */
function hosts(items: readonly (string | null)[], word: Word, env: CompileEnv): readonly string[] {
  return items.flatMap((item, index) => {
    if (item === null) return [];
    if (/^$|[\s@/:*?]/.test(item)) {
      env.report('E_ADDRESS', `"${item}" is not a host`, hintFor(item, word), [word, index]);
    }
    return [domainKey(item)];
  });
}

function hintFor(item: string, word: Word): string {
  if (!/[*?]/.test(item)) return 'write the host alone, like www.example.com';
  return word === 'domain' && item.startsWith('*.')
    ? `write ${item.slice(2)}, which is also what is below it`
    : 'for a pattern say `like`';
}
