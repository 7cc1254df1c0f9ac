/**
 * host-match - the match words for host names: those for texts, and `exists`. What nobody told compares as false.
 */
import { z } from 'zod';
import type { EnvelopeFacts } from '../core/facts.ts';
import { foldForMatch } from '../mail/text.ts';
import { flag } from '../yaml/scalar.ts';
import { reportLoose } from './address-match.ts';
import { type Ask, askOnce } from './condition.ts';
import type { CompileEnv } from './env.ts';
import { compileText, textWords } from './match.ts';

const { raw: _, ...words } = textWords;

/** For the schema of a condition's argument. */
export const hostWords = {
  ...words,
  exists: flag.optional().describe('Whether a name is known.'),
};

const schema = z.strictObject(hostWords);
export type HostWords = z.output<typeof schema>;

/** `nameOf` answers null where nobody told the name. */
export function compileHost(
  { exists, ...rest }: HostWords,
  env: CompileEnv,
  nameOf: (facts: EnvelopeFacts) => string | null,
): Ask<EnvelopeFacts> {
  for (const [index, value] of (rest.like ?? []).entries())
    reportLoose(value, `"${value.slice(1)}"`, env, ['like', index]);
  const test = compileText(rest, env);
  // A pattern costs time, which is charged once.
  return askOnce((facts) => {
    const name = nameOf(facts);
    if (exists !== undefined && exists !== (name !== null)) return false;
    return test === null || (name !== null && test(foldForMatch(name), facts));
  });
}
