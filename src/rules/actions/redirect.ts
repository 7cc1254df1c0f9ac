/**
 * redirect - sends the message to another address in place of this one.
 *
 * It decides as `relay` does: in a list's rules it ends those rules only. The rules of the other address are not asked, and
 * the reverse-path stays. What has been sent on from here before (X-Loop) is refused when it comes again.
 */
import { z } from 'zod';
import { defineAction } from '../action.ts';
import { oneAddress, reportPlaceholder } from '../one-address.ts';

export const redirect = defineAction({
  name: 'redirect',
  summary: 'Sends the message to another address in place of this one.',
  reference: 'RFC 5228 section 4.2',
  decides: true,
  systemOnly: true,
  argument: z.strictObject({ redirect: oneAddress }),
  examples: [
    {
      yaml: '{ redirect: roses@lists.example.org }',
      given: {},
      expect: 'redirect: roses@lists.example.org',
    },
  ],
  compile({ redirect: to }, env) {
    reportPlaceholder(to, env, 'redirect');
    return { kind: 'decide', phase: 'envelope', decide: () => ({ kind: 'redirect', to }) };
  },
});
