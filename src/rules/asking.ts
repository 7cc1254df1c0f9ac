/**
 * asking - asks a question of several things, in order, and no further than needed; waits only where an answer is a promise.
 */

export type Answer = boolean | Promise<boolean>;

/** Whether it holds for all of them; true where there are none. */
export function everyOne<T>(items: readonly T[], holds: (item: T) => Answer): Answer {
  return search(items, holds, false);
}

/** Whether it holds for one of them; false where there are none. */
export function anyOne<T>(items: readonly T[], holds: (item: T) => Answer): Answer {
  return search(items, holds, true);
}

export function negated(answer: Answer): Answer {
  return typeof answer === 'boolean' ? !answer : answer.then((fetched) => !fetched);
}

function search<T>(items: readonly T[], holds: (item: T) => Answer, wanted: boolean): Answer {
  let asked = 0;
  for (const item of items) {
    asked += 1;
    const answer = holds(item);
    if (typeof answer !== 'boolean') {
      const rest = items.slice(asked);
      return answer.then((fetched) => (fetched === wanted ? wanted : search(rest, holds, wanted)));
    }
    if (answer === wanted) return wanted;
  }
  return !wanted;
}
