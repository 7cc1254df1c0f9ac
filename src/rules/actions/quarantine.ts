/**
 * quarantine - puts the message into a Maildir of the list in place of sending it on; 250 once it is safe there.
 *
 * The author believes it delivered, so somebody has to look at that Maildir. Also in a list's rules the decision is final.
 */
import { z } from 'zod';
import { text } from '../../yaml/scalar.ts';
import { nearest } from '../../yaml/suggest.ts';
import { defineAction } from '../action.ts';

export const quarantine = defineAction({
  name: 'quarantine',
  summary: "Puts the message into the list's Maildir in a downstream of the kind maildir, for somebody to look at.",
  reference: null,
  decides: true,
  systemOnly: true,
  argument: z.strictObject({ quarantine: text.describe('The name of a downstream that is a maildir.') }),
  examples: [{ yaml: '{ quarantine: junk }', given: {}, expect: 'quarantine: junk' }],
  compile({ quarantine: downstream }, { downstreams, maildirs, report }) {
    if (!maildirs.includes(downstream)) {
      const near = nearest(downstream, maildirs);
      const known =
        maildirs.length === 0
          ? 'add one to the configuration, like downstreams: { junk: { maildir: /var/spool/postern/junk } }'
          : `known here: ${maildirs.join(', ')}`;
      const message = downstreams.includes(downstream)
        ? `the downstream "${downstream}" is not a maildir`
        : `no maildir is called "${downstream}"`;
      report('E_REFERENCE', message, near === null ? known : `write ${near}`, ['quarantine']);
    }
    return { kind: 'decide', phase: 'envelope', decide: () => ({ kind: 'quarantine', downstream }) };
  },
});
