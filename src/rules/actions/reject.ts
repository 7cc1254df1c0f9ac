/**
 * reject - refuses for good: 5yz with the text, which the author of the message gets to read (RFC 5321 section 4.2.1).
 */
import { z } from 'zod';
import { text } from '../../yaml/scalar.ts';
import { defineAction } from '../action.ts';
import { compileRefusal } from '../refusal.ts';
import { statusOfClass } from '../status.ts';

export const reject = defineAction({
  name: 'reject',
  summary: 'Refuses the message for good; the text tells its author why.',
  reference: 'RFC 5321 section 4.2.1, RFC 3463',
  decides: true,
  argument: z.strictObject({
    reject: text,
    status: statusOfClass(5).optional().describe('The enhanced status code; the reply code follows from it.'),
  }),
  examples: [
    {
      yaml: '{ reject: Only subscribers may post. }',
      given: {},
      expect: '550 5.7.1 Only subscribers may post. (id T1)',
    },
    { yaml: '{ reject: Too large., status: 5.3.4 }', given: {}, expect: '552 5.3.4 Too large. (id T1)' },
    {
      yaml: '{ reject: "{author} may not post to {list}." }',
      given: { header: 'From: Eve <eve@example.com>' },
      expect: '550 5.7.1 eve@example.com may not post to gardeners@lists.example.org. (id T1)',
    },
  ],
  compile: ({ reject: words, status = '5.7.1' }, env) => compileRefusal('reject', words, status, env),
});
