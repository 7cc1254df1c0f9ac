/**
 * subject_prefix - puts a text in front of the subject of this recipient's copy, and goes on.
 *
 * A subject that holds the text already, wherever it stands, is left alone: so an answer, `Re: [gardeners] tulips`, is not
 * marked again. Else the text goes in front of all, `Re:` too. The subject's own octets stay as they are.
 */
import { z } from 'zod';
import { text } from '../../yaml/scalar.ts';
import { defineAction } from '../action.ts';
import { compileLine } from '../one-line.ts';

/** In characters; it stands on one line of the header section. */
const LONGEST_FILLED = 200;

export const subjectPrefix = defineAction({
  name: 'subject_prefix',
  summary: "Puts a text in front of the subject of this recipient's copy, unless it stands there already.",
  reference: 'RFC 5322 section 3.6.5, RFC 2047',
  decides: false,
  argument: z.strictObject({ subject_prefix: text.describe('The text; a blank follows it.') }),
  examples: [
    { yaml: '{ subject_prefix: "[gardeners]" }', given: {}, expect: 'prefix Subject: [gardeners]' },
    { yaml: '{ subject_prefix: "[Gärtner]" }', given: {}, expect: 'prefix Subject: [Gärtner]' },
  ],
  compile({ subject_prefix: prefix }, env) {
    const template = compileLine(prefix, 'write one like "[gardeners]"', env, ['subject_prefix']);
    if (template === null) return null;
    return {
      kind: 'edit',
      phase: template.phase,
      edit: (facts) => ({ kind: 'prefix', name: 'Subject', text: template.fill(facts).slice(0, LONGEST_FILLED) }),
    };
  },
});
