/**
 * combinators - all, any and not over true, false and later (Kleene's three values).
 *
 * `all` is false and `any` is true as soon as one child is, whatever the others may become: that is what lets a verdict be
 * reached early without ever being another one. A child that fails counts as unknown in the same way: it matters only
 * where the others leave the answer open, so the order in which children are asked never shows.
 *
 * No promise is made unless a child answers with one.
 */
import type { Facts, Test, Truth } from '../core/facts.ts';

/** True where all children are; false as soon as one is. */
export function all(children: readonly Test[]): Test {
  return combine(children, false);
}

/** True as soon as one child is. */
export function any(children: readonly Test[]): Test {
  return combine(children, true);
}

/** `all` or `any` of two, of which the second is not asked before the first has left the answer to it. */
export function inTurn(kind: 'all' | 'any', first: Test, second: Test): Test {
  const open = kind === 'all';
  return (facts) => {
    const truth = first(facts);
    const next = (known: Truth) => (known === open ? second(facts) : known);
    return typeof truth === 'object' ? truth.then(next) : next(truth);
  };
}

export function not(child: Test): Test {
  return (facts) => {
    const truth = child(facts);
    return typeof truth === 'object' ? truth.then(opposite) : opposite(truth);
  };
}

function opposite(truth: Truth): Truth {
  return truth === 'later' ? 'later' : !truth;
}

function combine(children: readonly Test[], decisive: boolean): Test {
  const [only, ...more] = children;
  if (only !== undefined && more.length === 0) return only;
  return (facts) => ask(children, facts, decisive, { next: 0, open: !decisive, failure: null });
}

/** How far the children were asked. `open`: what the answer will be, should no other child decide. */
interface Progress {
  readonly next: number;
  readonly open: Truth;
  readonly failure: { readonly error: unknown } | null;
}

function ask(children: readonly Test[], facts: Facts, decisive: boolean, from: Progress): Truth | Promise<Truth> {
  let { next, open, failure } = from;
  for (let child = children[next]; child !== undefined; child = children[next]) {
    next += 1;
    try {
      const truth = child(facts);
      if (typeof truth === 'object') return wait(truth, children, facts, decisive, { next, open, failure });
      if (truth === decisive) return decisive;
      if (truth === 'later') open = 'later';
    } catch (error) {
      failure ??= { error };
    }
  }
  // While something is still to be known, it may make the failure of no importance.
  if (failure === null || open === 'later') return open;
  throw failure.error;
}

async function wait(
  pending: Promise<Truth>,
  children: readonly Test[],
  facts: Facts,
  decisive: boolean,
  { next, open, failure }: Progress,
): Promise<Truth> {
  const settled = await pending.then(
    (truth) => ({ truth, failure }),
    (error: unknown) => ({ truth: !decisive, failure: failure ?? { error } }),
  );
  if (settled.truth === decisive) return decisive;
  return ask(children, facts, decisive, {
    next,
    open: settled.truth === 'later' ? 'later' : open,
    failure: settled.failure,
  });
}
