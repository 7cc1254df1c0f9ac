/**
 * condition - the contract of a condition: a question about the facts of one phase.
 *
 * The facts a condition is given are typed by its phase: an envelope condition that touches the header does not compile.
 * What is asked must be pure; only stores answer from outside, and their answers are remembered with the facts.
 */
import type { z } from 'zod';
import {
  type Answers,
  type ContentFacts,
  type EnvelopeFacts,
  type Facts,
  type FactsAt,
  isReached,
  type Phase,
  type Test,
  type Truth,
} from '../core/facts.ts';
import type { CompileEnv } from './env.ts';
import type { Needs } from './needs.ts';
import type { Given, PartSpec } from './part.ts';
import { TooCostly } from './pattern.ts';

export type Ask<F extends EnvelopeFacts> = (facts: F) => boolean | Promise<boolean>;

export interface ConditionExample {
  /** The argument as YAML. */
  readonly argument: string;
  readonly given: Given;
  readonly expect: boolean;
  /** A message that a downstream took before. */
  readonly after?: Given;
  /** The phase at which it is known, where that depends on the argument. */
  readonly phase?: Phase;
}

export interface ConditionSpec<P extends Phase, A> extends PartSpec<A> {
  /** The phase at which the answer is known. */
  readonly phase: P;
  readonly examples: readonly ConditionExample[];
  /** What is certain before the phase, whatever comes: `later` where nothing is. */
  early?(argument: A, facts: EnvelopeFacts): Truth;
  /** What is unknown (no such field, no client address) compares as false. */
  compile(argument: A, env: CompileEnv): Ask<FactsAt<P>>;
  /** What a message must hold for the condition to be true; null, or left out, where nothing is certain. */
  needs?(argument: A): Needs;
  /** See BoundCondition; left out: never. */
  ofMessage?(argument: A): boolean;
  /** What the condition looks at, for `explain`. */
  saw(facts: FactsAt<P>, argument: A, env: CompileEnv): string;
}

/** A condition with its argument, ready to be asked. */
export interface BoundCondition {
  /** The earliest at which the answer may be known. */
  readonly phase: Phase;
  readonly test: Test;
  /** What a message must hold for it to be true; where none of it does, the test neither fails nor costs nor counts. */
  readonly needs?: Needs;
  /**
   * Whether the answer is the same for all recipients of a message: it looks at the client, the reverse-path and the content
   * alone, comes from no store, and to ask it charges nothing. Left out: that is not certain.
   */
  readonly ofMessage?: boolean;
  /** What was looked at; null before its phase. */
  saw(facts: Facts): string | null;
  /** Told when a downstream took the message; for conditions that remember. */
  accepted?(facts: ContentFacts): void | Promise<void>;
}

/** A condition as the registry holds it: the type of its argument is known to itself alone. */
export interface Condition extends PartSpec<unknown> {
  readonly phase: Phase;
  /** Said of the phase where it depends on the argument. */
  readonly phaseNote?: string;
  /** Whether to ask it leaves a trace: then it is asked last, and only where the answer hangs on it. */
  readonly counts?: true;
  /** Whether it may be certain of its answer before its phase. */
  readonly mayBeEarly: boolean;
  readonly examples: readonly ConditionExample[];
  /** `read` answers the argument, or null after it has reported what is wrong with it. */
  bind(read: <A>(argument: z.ZodType<A>) => A | null, env: CompileEnv): BoundCondition | null;
}

export function defineCondition<P extends Phase, A>(spec: ConditionSpec<P, A>): Condition {
  const { early } = spec;
  return defineBoundCondition({
    ...spec,
    mayBeEarly: early !== undefined,
    compile: (argument, env) => ({
      ...askAt(
        spec.phase,
        spec.compile(argument, env),
        (facts) => spec.saw(facts, argument, env),
        early && ((facts) => early(argument, facts)),
      ),
      needs: spec.needs?.(argument) ?? null,
      ofMessage: spec.ofMessage?.(argument) ?? false,
    }),
  });
}

/** A condition whose argument says more than what is asked: at which phase, what is looked at, what is remembered. */
export interface BoundConditionSpec<A>
  extends PartSpec<A>,
    Partial<Pick<Condition, 'phaseNote' | 'counts' | 'mayBeEarly'>> {
  /** The earliest phase at which the answer may be known. */
  readonly phase: Phase;
  readonly examples: readonly ConditionExample[];
  compile(argument: A, env: CompileEnv): BoundCondition;
}

export function defineBoundCondition<A>(spec: BoundConditionSpec<A>): Condition {
  return {
    ...spec,
    mayBeEarly: spec.mayBeEarly ?? false,
    bind(read, env) {
      const argument = read(spec.argument);
      return argument === null ? null : spec.compile(argument, env);
    },
  };
}

/** A question that is answered from `phase` on; before, `early` says what is certain, or `later`. */
export function askAt<P extends Phase>(
  phase: P,
  ask: Ask<FactsAt<P>>,
  saw: (facts: FactsAt<P>) => string,
  early?: (facts: EnvelopeFacts) => Truth,
): BoundCondition {
  const known = (facts: Facts): facts is Facts & FactsAt<P> => isReached(phase, facts.phase);
  return {
    phase: early === undefined ? phase : 'envelope',
    test: (facts) => (known(facts) ? ask(facts) : (early?.(facts) ?? 'later')),
    saw: (facts) => (known(facts) ? saw(facts) : null),
  };
}

/**
 * Asks once for each recipient and transaction: a store that changes between two phases cannot split a transaction, and what
 * patterns cost is charged once, also where it was too much.
 */
export function askOnce<F extends EnvelopeFacts>(ask: Ask<F>): Ask<F> {
  const key = {};
  const tooCostly = new WeakMap<Answers, TooCostly>();
  const failed = ({ answers }: F, error: unknown): unknown => {
    if (error instanceof TooCostly) tooCostly.set(answers, error);
    return error;
  };
  const keep = ({ answers }: F, answer: boolean): boolean => {
    answers.set(key, answer);
    return answer;
  };
  return (facts) => {
    const known = facts.answers.get(key);
    if (known !== undefined) return known;
    const before = tooCostly.get(facts.answers);
    if (before !== undefined) throw before;
    try {
      const answer = ask(facts);
      if (typeof answer === 'boolean') return keep(facts, answer);
      return answer.then(
        (fetched) => keep(facts, fetched),
        (error: unknown) => {
          throw failed(facts, error);
        },
      );
    } catch (error) {
      throw failed(facts, error);
    }
  };
}
