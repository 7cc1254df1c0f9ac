/**
 * action - the contract of an action: it decides on the recipient, or it edits the recipient's copy and goes on.
 */
import type { z } from 'zod';
import type { Facts, Phase } from '../core/facts.ts';
import type { Mailbox } from '../core/mailbox.ts';
import type { Reply } from '../core/reply.ts';
import type { HeaderEdit } from '../core/verdict.ts';
import type { CompileEnv } from './env.ts';
import type { Given, PartSpec } from './part.ts';

/** What a rule decides; the evaluator makes a verdict of it. `edits` come behind those gathered so far. */
export type Decision =
  | { readonly kind: 'relay'; readonly downstream: string | null; readonly edits?: readonly HeaderEdit[] }
  | { readonly kind: 'redirect'; readonly to: Mailbox }
  | { readonly kind: 'quarantine'; readonly downstream: string }
  | { readonly kind: 'reject' | 'defer'; readonly reply: Reply }
  | { readonly kind: 'discard'; readonly note: string };

/** What an action that goes on leaves behind. */
export type Mark =
  | { readonly kind: 'edit'; readonly phase: Phase; edit(facts: Facts): HeaderEdit }
  | { readonly kind: 'score'; readonly phase: Phase; readonly points: number }
  | { readonly kind: 'copy'; readonly phase: Phase; readonly to: Mailbox }
  | { readonly kind: 'note'; readonly phase: Phase; note(facts: Facts): string };

/** An action with its argument. `phase`: the one from which on its texts can be filled. */
export type Effect = { readonly kind: 'decide'; readonly phase: Phase; decide(facts: Facts): Decision } | Mark;

export interface ActionExample {
  /** One item of `then` as YAML. */
  readonly yaml: string;
  readonly given: Given;
  /**
   * `550 5.7.1 text`, `relay`, `relay to NAME`, `redirect: ADDRESS`, `quarantine: NAME`, `discard: note`, `add Name: value`,
   * `remove Name`, `prefix Name: text`, `copy: ADDRESS`, `note: text` or `score 5`.
   */
  readonly expect: string;
}

/** The argument is the whole item of `then`: the action's own key and the keys beside it. */
export interface ActionSpec<A> extends PartSpec<A> {
  /** Whether it decides: then it comes last in its rule, and only one does. */
  readonly decides: boolean;
  readonly examples: readonly ActionExample[];
  /** null after a problem was reported. */
  compile(argument: A, env: CompileEnv): Effect | null;
}

/** An action as the registry holds it: the type of its argument is known to itself alone. */
export interface Action extends PartSpec<unknown> {
  readonly decides: boolean;
  readonly examples: readonly ActionExample[];
  /** `read` answers the argument, or null after it has reported what is wrong with it. */
  bind(read: <A>(argument: z.ZodType<A>) => A | null, env: CompileEnv): Effect | null;
}

export function defineAction<A>(spec: ActionSpec<A>): Action {
  return {
    ...spec,
    bind(read, env) {
      const argument = read(spec.argument);
      return argument === null ? null : spec.compile(argument, env);
    },
  };
}
