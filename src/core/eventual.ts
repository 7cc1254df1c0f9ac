/**
 * eventual - a value that is there at once in most cases, and a promise in the others.
 *
 * To await what is there already costs more than most of what is asked for each message.
 */

import { Kept } from './kept.ts';

export type Eventual<T> = T | Promise<T>;

export function andThen<T, U>(value: Eventual<T>, next: (value: T) => Eventual<U>): Eventual<U> {
  return value instanceof Promise ? value.then(next) : next(value);
}

/** A function of something that is computed when it is first asked, and kept for all who ask later. */
export function oncePer<K extends object, T>(compute: (key: K) => Eventual<T>): (key: K) => Eventual<T> {
  const known = new Kept<K, { readonly value: Eventual<T> }>();
  return (key) => {
    const kept = known.get(key);
    if (kept !== undefined) return kept.value;
    const computed = compute(key);
    const value =
      computed instanceof Promise
        ? computed.then((settled) => {
            known.set(key, { value: settled });
            return settled;
          })
        : computed;
    known.set(key, { value });
    return value;
  };
}
