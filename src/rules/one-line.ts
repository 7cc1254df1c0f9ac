/**
 * one-line - texts of rules that become one line: the value of a header field, or of the log.
 */
import type { YamlPath } from '../yaml/tree.ts';
import type { CompileEnv } from './env.ts';
import { compileTemplate, type Template } from './text-template.ts';

/** In characters. */
const LONGEST = 200;

/** The template of a text on one line, or null after its problem was reported. `hint` says what an empty one lacks. */
export function compileLine(source: string, hint: string, env: CompileEnv, at: YamlPath): Template | null {
  const line = source.trim();
  if (line === '') env.report('E_EMPTY', 'there is no text here', hint, at);
  if (/\p{Cc}/u.test(line)) env.report('E_VALUE', 'a text on several lines', 'write it on one line', at);
  if (line.length > LONGEST) env.report('E_VALUE', `the text is longer than ${LONGEST} characters`, 'shorten it', at);
  return compileTemplate(line, env, at);
}
