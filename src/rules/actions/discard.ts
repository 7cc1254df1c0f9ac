/**
 * discard - says 250 and drops the message; the note goes to the log.
 *
 * The author believes it delivered, so this is for mail that no human waits for.
 */
import { z } from 'zod';
import { text } from '../../yaml/scalar.ts';
import { defineAction } from '../action.ts';
import { compileTemplate } from '../text-template.ts';

export const discard = defineAction({
  name: 'discard',
  summary: 'Takes the message and drops it without a word; the note goes to the log.',
  reference: null,
  decides: true,
  argument: z.strictObject({ discard: text }),
  examples: [
    { yaml: '{ discard: automatic reply }', given: {}, expect: 'discard: automatic reply' },
    { yaml: '{ discard: "bounce to {list}" }', given: {}, expect: 'discard: bounce to gardeners@lists.example.org' },
  ],
  compile({ discard: note }, env) {
    if (note.trim() === '')
      env.report('E_EMPTY', '`discard` without a note', 'say why; it stands in the log', ['discard']);
    const template = compileTemplate(note.trim(), env, ['discard']);
    if (template === null) return null;
    return {
      kind: 'decide',
      phase: template.phase,
      decide: (facts) => ({ kind: 'discard', note: template.fill(facts) }),
    };
  },
});
