/**
 * detail - asks what stands behind the `+` of the recipient's address (RFC 5233), as in `gardeners+2026@...`.
 */
import { z } from 'zod';
import { foldForMatch } from '../../mail/text.ts';
import { flag } from '../../yaml/scalar.ts';
import { askOnce, defineCondition } from '../condition.ts';
import { askNothing, asksSomething, compileText, textWords } from '../match.ts';

const DETAIL = { to: 'gardeners-confirm+a1B2@lists.example.org' };

export const detail = defineCondition({
  name: 'detail',
  summary: "Asks what stands behind the + of the recipient's address.",
  reference: 'RFC 5233',
  phase: 'envelope',
  systemOnly: true,
  argument: z
    .strictObject({ empty: flag.optional().describe('Whether there is none.'), ...textWords })
    .refine(asksSomething, askNothing('empty: false')),
  examples: [
    { argument: '{ is: a1b2 }', given: DETAIL, expect: true },
    { argument: '{ is: a1b2, raw: true }', given: DETAIL, expect: false },
    { argument: '{ regex: "^[0-9a-f]+$" }', given: DETAIL, expect: true },
    { argument: '{ empty: true }', given: {}, expect: true },
    { argument: '{ empty: true }', given: DETAIL, expect: false },
  ],
  compile({ empty, ...words }, env) {
    const test = compileText(words, env);
    return askOnce((facts) => {
      const { detail: text } = facts.address;
      if (empty !== undefined && empty !== (text === '')) return false;
      return test === null || test(words.raw === true ? text : foldForMatch(text), facts);
    });
  },
  saw: ({ address }) => JSON.stringify(address.detail),
});
