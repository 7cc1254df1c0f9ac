/**
 * note - writes a text into the log record of this recipient, and goes on.
 */
import { z } from 'zod';
import { text } from '../../yaml/scalar.ts';
import { defineAction } from '../action.ts';
import { compileLine } from '../one-line.ts';

export const note = defineAction({
  name: 'note',
  summary: 'Writes a text into the log.',
  reference: null,
  decides: false,
  argument: z.strictObject({ note: text }),
  examples: [
    { yaml: '{ note: would be held }', given: {}, expect: 'note: would be held' },
    {
      yaml: '{ note: "{author} by {envelope_from}" }',
      given: { from: '', header: 'From: Ann <ann@example.net>' },
      expect: 'note: ann@example.net by <>',
    },
  ],
  compile({ note: words }, env) {
    const template = compileLine(words, 'say what is to be noted', env, ['note']);
    return template === null ? null : { kind: 'note', phase: template.phase, note: template.fill };
  },
});
