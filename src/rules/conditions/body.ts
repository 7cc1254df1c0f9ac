/**
 * body - asks the text of a message: its text parts, decoded and folded; of HTML what a reader sees.
 *
 * One part must satisfy all words. Rules see the first 65,536 characters of the plain texts and of the HTML texts each. Long
 * texts take time, so others have their turn between two questions.
 */
import { z } from 'zod';
import { andThen } from '../../core/eventual.ts';
import { TEXT_WINDOW, type TextPart, textsOf } from '../../mail/body.ts';
import { foldForMatch } from '../../mail/text.ts';
import { anyOne } from '../asking.ts';
import { askOnce, defineCondition } from '../condition.ts';
import { askNothing, asksSomething, compileText, textWords } from '../match.ts';
import { OtherForm, type TextOfOctets } from '../needles.ts';
import { type Haystack, literalsOf } from '../needs.ts';
import { withoutEmpty } from '../text-match.ts';

const HTML = 'Content-Type: text/html; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable';
const LONGEST_SHOWN = 200;

export const body = defineCondition({
  name: 'body',
  summary: 'Asks the text of the message, decoded.',
  reference: 'RFC 2045 section 6',
  phase: 'content',
  argument: z.strictObject(textWords).refine(asksSomething, askNothing('contains: tulips')),
  examples: [
    { argument: '{ contains: [roses, tulips] }', given: { body: 'My\nTULIPS' }, expect: true },
    { argument: '{ contains: "my tulips" }', given: { body: 'My\nTULIPS' }, expect: true },
    {
      argument: '{ contains: "größe" }',
      given: { header: HTML, body: '<p>Die Gr=F6=\n<b>&szlig;</b>e' },
      expect: true,
    },
    { argument: '{ contains: "<b>" }', given: { header: HTML, body: '<p>Die Gr=F6=\n<b>&szlig;</b>e' }, expect: false },
    { argument: '{ starts_with: unsubscribe }', given: { body: 'Unsubscribe' }, expect: true },
    { argument: '{ like: "*tulips*roses*" }', given: { body: 'roses, then tulips' }, expect: false },
    { argument: '{ regex: "tulips?\\\\b" }', given: { body: 'One tulip.' }, expect: true },
    {
      argument: '{ regex: "(?im)^unsubscribe$", raw: true }',
      given: { body: 'Please\nUnsubscribe\nAnn' },
      expect: true,
    },
    { argument: '{ contains: TULIPS, raw: true }', given: { body: 'tulips' }, expect: false },
  ],
  compile(words, env) {
    const test = compileText(words, withoutEmpty(env), TEXT_WINDOW);
    const raw = words.raw === true;
    return askOnce((facts) =>
      andThen(textsOf(facts.message), (texts) =>
        anyOne(texts, (part) => test === null || test(raw ? part.text : foldedText(part), facts)),
      ),
    );
  },
  needs(words) {
    const literals = literalsOf(words);
    return literals && [{ haystack: words.raw === true ? RAW : FOLDED, literals }];
  },
  saw({ message }) {
    const texts = textsOf(message);
    if (texts instanceof Promise) return 'not read';
    const [first] = texts;
    if (first === undefined) return 'no text';
    const cut = texts.some((part) => part.cut) ? ', cut' : '';
    return `${texts.length} ${texts.length === 1 ? 'text' : 'texts'}${cut}: ${JSON.stringify(first.text.slice(0, LONGEST_SHOWN))}`;
  },
});

const FOLDED = haystackOf('body', (part) => new OtherForm(part, foldedText));
const RAW = haystackOf('raw body', (part) => part);

function haystackOf(name: string, textOf: (part: TextPart) => TextOfOctets): Haystack {
  return {
    name,
    phase: 'content',
    textsOf(facts) {
      const texts = facts.phase === 'content' ? textsOf(facts.message) : null;
      return texts instanceof Promise || texts === null ? null : texts.map(textOf);
    },
  };
}

const folded = new WeakMap<TextPart, string>();

/** Folded once for all rules and recipients that ask. */
function foldedText(part: TextPart): string {
  const known = folded.get(part);
  if (known !== undefined) return known;
  const fresh = foldForMatch(part.text).trim();
  folded.set(part, fresh);
  return fresh;
}
