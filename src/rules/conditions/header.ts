/**
 * header - asks the text of any header field (RFC 5322 section 2.2), decoded and folded.
 */
import { z } from 'zod';
import { listOf } from '../../yaml/scalar.ts';
import { defineCondition } from '../condition.ts';
import { compileFields, fieldWords, needsOfFields, showFields } from '../field-match.ts';
import { fieldName } from '../field-name.ts';
import { askNothing, asksSomething, isForEveryList } from '../match.ts';

const LOOP = 'X-BeenThere: gardeners@lists.example.org';

export const header = defineCondition({
  name: 'header',
  summary: 'Asks the text of the header fields of a name.',
  reference: 'RFC 5322 section 2.2',
  phase: 'header',
  argument: z
    .strictObject({
      name: listOf(fieldName).describe('One name or several; any field of these names will do.'),
      ...fieldWords,
    })
    .refine(asksSomething, askNothing('exists: true')),
  examples: [
    { argument: '{ name: Precedence, is: [bulk, junk] }', given: { header: 'precedence: Junk' }, expect: true },
    { argument: '{ name: X-Autoreply, exists: true }', given: { header: 'X-Autoreply: yes' }, expect: true },
    { argument: '{ name: X-Autoreply, exists: false }', given: { header: 'Subject: tulips' }, expect: true },
    { argument: '{ name: X-Autoreply, is: "yes" }', given: { header: 'Subject: tulips' }, expect: false },
    { argument: '{ name: [X-Loop, X-BeenThere], is: "{list}" }', given: { header: LOOP }, expect: true },
    { argument: '{ name: Comments, empty: true }', given: { header: 'Comments:' }, expect: true },
    {
      argument: '{ name: Comments, contains: a, ends_with: z }',
      given: { header: 'Comments: a\nComments: z' },
      expect: false,
    },
  ],
  compile: ({ name, ...words }, env) => compileFields(name, words, env),
  ofMessage: ({ name: _, ...words }) => isForEveryList(words),
  needs: ({ name, ...words }) => needsOfFields(name, words),
  saw: (facts, { name, raw }) => showFields(facts, name, raw === true),
});
