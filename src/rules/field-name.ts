/**
 * field-name - names of header fields in rules (RFC 5322 section 2.2, ftext).
 *
 * A rule may neither add nor remove the fields that say what the message is: with another From, or without its
 * Content-Type, it would be another message, or one that two programs read in two ways. `X-Postern-*` is ours alone.
 */
import type { z } from 'zod';
import { scalar } from '../yaml/scalar.ts';
import type { CompileEnv } from './env.ts';

/** Printable ASCII but the colon; longer ones than this are in no registry. */
const FTEXT = /^[!-9;-~]{1,76}$/;

const UNTOUCHED = new Set([
  'from',
  'date',
  'message-id',
  'received',
  'mime-version',
  'content-type',
  'content-transfer-encoding',
]);

export const fieldName: z.ZodType<string> = scalar('field name', ['X-Foo'], (source) => {
  if (FTEXT.test(source)) return { value: source };
  const hint = source.endsWith(':') ? `write ${source.slice(0, -1)}` : 'use letters, digits and -';
  return { problem: { code: 'E_VALUE', message: `"${source}" is not the name of a header field`, hint } };
});

/** Reports a field that no rule may add or remove. */
export function reportUntouched(name: string, env: CompileEnv, at: readonly string[]): void {
  const lower = name.toLowerCase();
  if (UNTOUCHED.has(lower)) {
    env.report(
      'E_NOT_ALLOWED',
      `a rule may not change ${name}`,
      'it says what the message is; use a field of your own',
      at,
    );
  } else if (lower.startsWith('x-postern-')) {
    env.report('E_NOT_ALLOWED', 'fields named X-Postern-... are set by Postern alone', 'use another name', at);
  }
}
