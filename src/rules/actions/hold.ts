/**
 * hold - sends the message on with X-Postern-Hold, for the list manager's own moderation.
 *
 * It decides as `relay` does: in a list's rules it ends those rules only. Nobody outside can set the field, nor clear it.
 */
import { z } from 'zod';
import { encodeText } from '../../mail/text.ts';
import { text } from '../../yaml/scalar.ts';
import { defineAction } from '../action.ts';
import { compileLine } from '../one-line.ts';

export const hold = defineAction({
  name: 'hold',
  summary: 'Sends the message on with the reason in X-Postern-Hold, so that the list manager lets a moderator decide.',
  reference: null,
  decides: true,
  argument: z.strictObject({ hold: text.describe('The reason, for the moderator.') }),
  examples: [
    { yaml: '{ hold: first post }', given: {}, expect: 'relay; add X-Postern-Hold: first post' },
    {
      yaml: '{ hold: "{author} is new" }',
      given: { header: 'From: Ann <ann@example.net>' },
      expect: 'relay; add X-Postern-Hold: ann@example.net is new',
    },
    { yaml: '{ hold: Prüfen }', given: {}, expect: 'relay; add X-Postern-Hold: =?UTF-8?Q?Pr=C3=BCfen?=' },
  ],
  compile({ hold: reason }, env) {
    const template = compileLine(reason, 'say why; the moderator reads it', env, ['hold']);
    if (template === null) return null;
    return {
      kind: 'decide',
      phase: template.phase,
      decide(facts) {
        const value = encodeText(template.fill(facts));
        return { kind: 'relay', downstream: null, edits: [{ kind: 'add', name: 'X-Postern-Hold', value }] };
      },
    };
  },
});
