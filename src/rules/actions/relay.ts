/**
 * relay - sends the message on, with the header edits gathered so far.
 *
 * In a list's rules it ends those rules only: the system's `after` is asked all the same. `relay: NAME` names the
 * downstream in place of the one that the routes say.
 */
import { z } from 'zod';
import { text } from '../../yaml/scalar.ts';
import { nearest } from '../../yaml/suggest.ts';
import { defineAction } from '../action.ts';

export const relay = defineAction({
  name: 'relay',
  summary: 'Sends the message on; rules of the system may name the downstream.',
  reference: null,
  decides: true,
  argument: z.union([z.literal('relay'), z.strictObject({ relay: text })]),
  examples: [
    { yaml: 'relay', given: {}, expect: 'relay' },
    { yaml: '{ relay: archive }', given: {}, expect: 'relay to archive' },
  ],
  compile(argument, { scope, downstreams, report }) {
    const downstream = argument === 'relay' ? null : argument.relay;
    if (downstream !== null && scope === 'list') {
      report('E_NOT_ALLOWED', 'only rules of the system may name a downstream', 'write relay', ['relay']);
    } else if (downstream !== null && !downstreams.includes(downstream)) {
      const near = nearest(downstream, downstreams);
      const known = downstreams.length === 0 ? 'none is configured' : `known here: ${downstreams.join(', ')}`;
      report('E_REFERENCE', `no downstream is called "${downstream}"`, near === null ? known : `write ${near}`, [
        'relay',
      ]);
    }
    return { kind: 'decide', phase: 'envelope', decide: () => ({ kind: 'relay', downstream }) };
  },
});
