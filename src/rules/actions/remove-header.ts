/**
 * remove_header - removes all header fields of a name from this recipient's copy, and goes on.
 */
import { z } from 'zod';
import { defineAction } from '../action.ts';
import { fieldName, reportUntouched } from '../field-name.ts';

export const removeHeader = defineAction({
  name: 'remove_header',
  summary: "Removes all header fields of a name from this recipient's copy.",
  reference: 'RFC 5322 section 2.2',
  decides: false,
  argument: z.strictObject({ remove_header: fieldName }),
  examples: [
    {
      yaml: '{ remove_header: Disposition-Notification-To }',
      given: {},
      expect: 'remove Disposition-Notification-To',
    },
  ],
  compile({ remove_header: name }, env) {
    reportUntouched(name, env, ['remove_header']);
    return { kind: 'edit', phase: 'envelope', edit: () => ({ kind: 'remove', name }) };
  },
});
