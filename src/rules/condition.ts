/**
 * condition - the contract of a condition: a question about the facts of one phase.
 *
 * The facts a condition is given are typed by its phase: an envelope condition that touches the header does not compile.
 * What is asked must be pure; only stores answer from outside, and their answers are remembered with the facts.
 */
import type { z } from 'zod';
import {
  type EnvelopeFacts,
  type Facts,
  type FactsAt,
  isReached,
  type Phase,
  type Test,
  type Truth,
} from '../core/facts.ts';
import type { CompileEnv } from './env.ts';
import type { Given, PartSpec } from './part.ts';

export type Ask<F extends EnvelopeFacts> = (facts: F) => boolean | Promise<boolean>;

export interface ConditionExample {
  /** The argument as YAML. */
  readonly argument: string;
  readonly given: Given;
  readonly expect: boolean;
}

export interface ConditionSpec<P extends Phase, A> extends PartSpec<A> {
  /** The phase at which the answer is known. */
  readonly phase: P;
  readonly examples: readonly ConditionExample[];
  /** What is certain before the phase, whatever comes: `later` where nothing is. */
  early?(argument: A, facts: EnvelopeFacts): Truth;
  /** What is unknown (no such field, no client address) compares as false. */
  compile(argument: A, env: CompileEnv): Ask<FactsAt<P>>;
  /** What the condition looks at, for `explain`. */
  saw(facts: FactsAt<P>, argument: A): string;
}

/** A condition with its argument, ready to be asked. */
export interface BoundCondition {
  readonly test: Test;
  /** What was looked at; null before its phase. */
  saw(facts: Facts): string | null;
}

/** A condition as the registry holds it: the type of its argument is known to itself alone. */
export interface Condition extends PartSpec<unknown> {
  readonly phase: Phase;
  /** Whether it may be certain of its answer before its phase. */
  readonly mayBeEarly: boolean;
  readonly examples: readonly ConditionExample[];
  /** `read` answers the argument, or null after it has reported what is wrong with it. */
  bind(read: <A>(argument: z.ZodType<A>) => A | null, env: CompileEnv): BoundCondition | null;
}

export function defineCondition<P extends Phase, A>(spec: ConditionSpec<P, A>): Condition {
  const known = (facts: Facts): facts is Facts & FactsAt<P> => isReached(spec.phase, facts.phase);
  return {
    ...spec,
    mayBeEarly: spec.early !== undefined,
    bind(read, env) {
      const argument = read(spec.argument);
      if (argument === null) return null;
      const ask = spec.compile(argument, env);
      return {
        test: (facts) => (known(facts) ? ask(facts) : (spec.early?.(argument, facts) ?? 'later')),
        saw: (facts) => (known(facts) ? spec.saw(facts, argument) : null),
      };
    },
  };
}

/** Asks once for each recipient and transaction: a store that changes between two phases cannot split a transaction. */
export function askOnce<F extends EnvelopeFacts>(ask: Ask<F>): Ask<F> {
  const key = {};
  return (facts) => {
    const known = facts.answers.get(key);
    if (known !== undefined) return known;
    const answer = ask(facts);
    if (typeof answer !== 'boolean') {
      return answer.then((fetched) => {
        facts.answers.set(key, fetched);
        return fetched;
      });
    }
    facts.answers.set(key, answer);
    return answer;
  };
}
