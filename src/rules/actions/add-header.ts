/**
 * add_header - adds a header field to this recipient's copy, and goes on.
 */
import { z } from 'zod';
import { text } from '../../yaml/scalar.ts';
import { defineAction } from '../action.ts';
import { fieldName, reportUntouched } from '../field-name.ts';
import { compileTemplate } from '../text-template.ts';

/** In characters; a line of a message may have 998 (RFC 5322 section 2.1.1). */
const LONGEST_VALUE = 500;
const LONGEST_FILLED = 900;
const ONE_LINE = /^[\x20-\x7e]*$/;

export const addHeader = defineAction({
  name: 'add_header',
  summary: "Adds a header field to this recipient's copy.",
  reference: 'RFC 5322 section 2.2',
  decides: false,
  argument: z.strictObject({
    add_header: z.strictObject({
      name: fieldName.meta({ description: 'The name of the field.', examples: ['X-List'] }),
      value: text.meta({ description: 'One line of printable ASCII.', examples: ['first post', '"{list}"'] }),
    }),
  }),
  examples: [
    {
      yaml: '{ add_header: { name: X-List, value: "{list}" } }',
      given: {},
      expect: 'add X-List: gardeners@lists.example.org',
    },
    {
      yaml: '{ add_header: { name: X-Author, value: "{author}" } }',
      given: { header: 'From: =?UTF-8?Q?J=C3=BCrgen?= <"a b"@example.net>' },
      expect: 'add X-Author: "a b"@example.net',
    },
  ],
  compile({ add_header: { name, value } }, env) {
    reportUntouched(name, env, ['add_header', 'name']);
    const at = ['add_header', 'value'];
    const line = value.trim();
    if (line === '') env.report('E_EMPTY', 'a header field without a value', 'give it one', at);
    if (!ONE_LINE.test(line)) env.report('E_VALUE', 'a value is one line of printable ASCII', 'write it in ASCII', at);
    if (line.length > LONGEST_VALUE)
      env.report('E_VALUE', `the value is longer than ${LONGEST_VALUE} characters`, 'shorten it', at);
    const template = compileTemplate(line, env, at);
    if (template === null) return null;
    return {
      kind: 'edit',
      phase: template.phase,
      edit: (facts) => ({ kind: 'add', name, value: template.fill(facts).slice(0, LONGEST_FILLED) }),
    };
  },
});
