/**
 * refusal - the reply of a rule that refuses: the author's text and, at its end, the id that finds it in the log.
 */
import { type EnhancedStatusCode, reply, withId } from '../core/reply.ts';
import type { Effect } from './action.ts';
import type { CompileEnv } from './env.ts';
import { reportCode } from './marks.ts';
import { replyCode } from './status.ts';
import { compileTemplate } from './text-template.ts';

/** In characters; a reply as a whole has to fit into 1,500 octets. */
const LONGEST_TEXT = 1000;

/** `kind` is also the key under which the text stands. */
export function compileRefusal(
  kind: 'reject' | 'defer',
  text: string,
  status: EnhancedStatusCode,
  env: CompileEnv,
): Effect | null {
  if (text.trim() === '')
    env.report('E_EMPTY', `\`${kind}\` without a text`, 'say to the author what to do instead', [kind]);
  if (text.length > LONGEST_TEXT) {
    env.report(
      'E_VALUE',
      `the text is longer than ${LONGEST_TEXT} characters`,
      'put the details on a page and name it',
      [kind],
    );
  }
  reportCode(kind, text.trim(), env);
  const template = compileTemplate(text.trim(), env, [kind]);
  if (template === null) return null;
  const code = replyCode(status);
  return {
    kind: 'decide',
    phase: template.phase,
    decide: (facts) => ({ kind, reply: withId(reply(code, status, template.fill(facts)), facts.transaction.id) }),
  };
}
