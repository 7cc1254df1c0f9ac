/**
 * spam_score - asks what a spam filter in front of us wrote: X-Spam-Score:, `score=` of X-Spam-Status:, X-Rspamd-Score:,
 * X-Spamd-Result:.
 *
 * The highest counts: a field that the author forged can only harm him. A message that no filter has scored compares as
 * false with everything.
 */
import { z } from 'zod';
import type { Header } from '../../core/message.ts';
import { decimal } from '../../yaml/scalar.ts';
import { defineCondition } from '../condition.ts';
import { askNothing, asksSomething } from '../match.ts';

/** How each field writes its score; the number is the first group. */
const SCORES: readonly (readonly [name: string, score: RegExp])[] = [
  ['X-Spam-Score', /^(?:[a-z]+,\s*score=)?([+-]?\d+(?:\.\d+)?)/i],
  ['X-Spam-Status', /\b(?:score|hits)=([+-]?\d+(?:\.\d+)?)/i],
  ['X-Rspamd-Score', /^([+-]?\d+(?:\.\d+)?)/],
  ['X-Spamd-Result', /\[([+-]?\d+(?:\.\d+)?)\s*\//],
];
const LONGEST = 200;

export const spamScore = defineCondition({
  name: 'spam_score',
  summary: 'Asks the score that a spam filter wrote into the header; the highest where there are several.',
  reference: null,
  phase: 'header',
  argument: z
    .strictObject({
      above: decimal.optional().describe('A score above that.'),
      at_least: decimal.optional().describe('That score, or one above.'),
      below: decimal.optional().describe('A score below that.'),
    })
    .refine(asksSomething, askNothing('at_least: 5')),
  examples: [
    { argument: '{ at_least: 5 }', given: { header: 'X-Spam-Score: 5.0 (+++++)' }, expect: true },
    { argument: '{ above: 5 }', given: { header: 'X-Spam-Score: 5.0' }, expect: false },
    { argument: '{ at_least: 5 }', given: { header: 'X-Spam-Score: spam, score=5.01' }, expect: true },
    { argument: '{ above: 2.5 }', given: { header: 'X-Spam-Status: No, score=2.7 required=5.0' }, expect: true },
    { argument: '{ below: 0 }', given: { header: 'X-Rspamd-Score: -1.20' }, expect: true },
    {
      argument: '{ at_least: 15 }',
      given: { header: 'X-Spamd-Result: default: False [24.79 / 50.00];' },
      expect: true,
    },
    { argument: '{ below: 0 }', given: { header: 'X-Spam-Score: -90\nX-Rspamd-Score: 12' }, expect: false },
    { argument: '{ below: 5 }', given: {}, expect: false },
  ],
  compile({ above = Number.NEGATIVE_INFINITY, at_least: least = Number.NEGATIVE_INFINITY, below }) {
    return ({ header }) => {
      const score = scoreOf(header);
      return score !== null && score > above && score >= least && score < (below ?? Number.POSITIVE_INFINITY);
    };
  },
  saw: ({ header }) => String(scoreOf(header) ?? 'no score'),
});

const read = new WeakMap<Header, number | null>();

/** null where there is none; read once for all rules and recipients. */
function scoreOf(header: Header): number | null {
  const known = read.get(header);
  if (known !== undefined) return known;
  const score = highestOf(header);
  read.set(header, score);
  return score;
}

function highestOf(header: Header): number | null {
  let highest: number | null = null;
  for (const [name, pattern] of SCORES) {
    for (const { value } of header.named(name)) {
      const score = Number(pattern.exec(value.slice(0, LONGEST))?.[1] ?? Number.NaN);
      if (!Number.isNaN(score) && (highest === null || score > highest)) highest = score;
    }
  }
  return highest;
}
