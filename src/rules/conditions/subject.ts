/**
 * subject - asks the text of Subject: (RFC 5322 section 3.6.5), decoded and folded.
 */
import { z } from 'zod';
import { defineCondition } from '../condition.ts';
import { compileFields, fieldWords, needsOfFields, showFields } from '../field-match.ts';
import { askNothing, asksSomething, isForEveryList } from '../match.ts';

const NAMES = ['Subject'];

export const subject = defineCondition({
  name: 'subject',
  summary: 'Asks the text of the subject.',
  reference: 'RFC 5322 section 3.6.5',
  phase: 'header',
  argument: z.strictObject(fieldWords).refine(asksSomething, askNothing('contains: tulips')),
  examples: [
    { argument: '{ is: Tulips }', given: { header: 'Subject: TULIPS' }, expect: true },
    { argument: '{ contains: [roses, tulips] }', given: { header: 'Subject: About tulips' }, expect: true },
    {
      argument: '{ starts_with: "automatic reply:" }',
      given: { header: 'Subject: Automatic reply: tulips' },
      expect: true,
    },
    { argument: '{ ends_with: "?" }', given: { header: 'Subject: Tulips' }, expect: false },
    { argument: '{ contains: "größe" }', given: { header: 'Subject: =?UTF-8?Q?Gr=C3=B6=C3=9Fe?=' }, expect: true },
    { argument: '{ like: "re: * tulips?" }', given: { header: 'Subject: Re: my tulips!' }, expect: true },
    { argument: '{ regex: "^(re|aw): " }', given: { header: 'Subject: AW: Tulpen' }, expect: true },
    { argument: '{ contains: tulips, raw: true }', given: { header: 'Subject: TULIPS' }, expect: false },
    { argument: '{ empty: true }', given: { header: 'From: ann@example.net' }, expect: true },
  ],
  compile: (words, env) => compileFields(NAMES, words, env),
  ofMessage: isForEveryList,
  needs: (words) => needsOfFields(NAMES, words),
  saw: (facts, { raw }) => showFields(facts, NAMES, raw === true),
});
