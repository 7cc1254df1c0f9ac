/**
 * tag - adds an X-Postern-Tag field with a word to this recipient's copy, and goes on.
 *
 * One field for each tag. For the list manager and for filters of members: nobody outside can set the field.
 */
import { z } from 'zod';
import { scalar } from '../../yaml/scalar.ts';
import { defineAction } from '../action.ts';

const word = scalar('word', ['newcomer'], (source) => {
  if (/^[A-Za-z0-9][\w.-]{0,63}$/.test(source)) return { value: source };
  const hint = 'use up to 64 letters, digits, -, _ and . like first-post';
  return { problem: { code: 'E_VALUE', message: `"${source}" is not a word`, hint } };
});

export const tag = defineAction({
  name: 'tag',
  summary: "Marks this recipient's copy with a word, in a field X-Postern-Tag.",
  reference: null,
  decides: false,
  argument: z.strictObject({ tag: word }),
  examples: [{ yaml: '{ tag: first-post }', given: {}, expect: 'add X-Postern-Tag: first-post' }],
  compile: ({ tag: value }) => ({
    kind: 'edit',
    phase: 'envelope',
    edit: () => ({ kind: 'add', name: 'X-Postern-Tag', value }),
  }),
});
