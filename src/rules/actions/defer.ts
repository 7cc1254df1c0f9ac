/**
 * defer - refuses for now: 4yz with the text; the client keeps the message and tries again (RFC 5321 section 4.2.1).
 */
import { z } from 'zod';
import { text } from '../../yaml/scalar.ts';
import { defineAction } from '../action.ts';
import { compileRefusal } from '../refusal.ts';
import { statusOfClass } from '../status.ts';

export const defer = defineAction({
  name: 'defer',
  summary: 'Refuses the message for now; its server tries again, for days as a rule.',
  reference: 'RFC 5321 section 4.2.1, RFC 3463',
  decides: true,
  argument: z.strictObject({
    defer: text,
    status: statusOfClass(4).optional().describe('The enhanced status code; the reply code follows from it.'),
  }),
  examples: [
    { yaml: '{ defer: The list is being moved. }', given: {}, expect: '451 4.7.1 The list is being moved. (id T1)' },
    { yaml: '{ defer: Slow down., status: 4.2.1 }', given: {}, expect: '450 4.2.1 Slow down. (id T1)' },
  ],
  compile: ({ defer: words, status = '4.7.1' }, env) => compileRefusal('defer', words, status, env),
});
