/**
 * text-match - match words for the name or the type of a part: a value or a list of them alone, which is `is`, or a mapping
 * of words as for header fields.
 */
import { z } from 'zod';
import { foldForMatch } from '../mail/text.ts';
import { listOf, text } from '../yaml/scalar.ts';
import type { YamlPath } from '../yaml/tree.ts';
import type { CompileEnv } from './env.ts';
import { askNothing, asksSomething, compileText, type TextTest, type TextWords, textWords } from './match.ts';

/** The schema; `example` is a match word with its value. */
export function textMatch(example: string): z.ZodType<readonly string[] | TextWords> {
  return z.union([listOf(text), z.strictObject(textWords).refine(asksSomething, askNothing(example))]);
}

/** A test of texts as they stand: it folds them where the words want it. `key`: under which the words stand. */
export function compileTextMatch(match: readonly string[] | TextWords, key: string, env: CompileEnv): TextTest {
  if (isBare(match) && match.some((value) => value.includes('*'))) {
    for (const [index, value] of match.entries()) reportPattern(value, match.length === 1 ? [key] : [key, index], env);
    return () => false;
  }
  const words = isBare(match) ? { is: match } : match;
  const test = compileText(words, reportBelow(key, isBare(match) ? 1 : 0, env));
  return (text, facts) => test === null || test(words.raw === true ? text : foldForMatch(text), facts);
}

/** A pattern where the value is compared whole. */
function reportPattern(value: string, at: YamlPath, env: CompileEnv): void {
  if (!value.includes('*')) return;
  const hint = `for a pattern write { like: "${value}" }`;
  env.report('E_VALUE', `"${value}" is compared as it stands`, hint, at);
}

function isBare(match: readonly string[] | TextWords): match is readonly string[] {
  return Array.isArray(match);
}

/** Problems are reported under the key, without the first steps of their own path that are not in the file. */
function reportBelow(key: string, unwritten: number, env: CompileEnv): CompileEnv {
  const { report } = withoutEmpty(env);
  return {
    ...env,
    report: (code, message, hint, at = []) => report(code, message, hint, [key, ...at.slice(unwritten)]),
  };
}

/** For words without `empty`, which a hint must not name then. */
export function withoutEmpty(env: CompileEnv): CompileEnv {
  const report: CompileEnv['report'] = (code, message, hint, at) =>
    env.report(code, message, code === 'E_EMPTY' ? 'write what to look for' : hint, at);
  return { ...env, report };
}
