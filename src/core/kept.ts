/**
 * kept - what was made of an object, kept with that object for all who ask again.
 *
 * A WeakMap does the same, at five times the cost for an object that lives as long as a message: garbage collection has to
 * look after each entry. A copy of the object takes nothing along.
 */
interface Entry<V> {
  readonly owner: object;
  readonly value: V;
}

export class Kept<K extends object, V> {
  readonly #slot = Symbol('kept');

  get(owner: K): V | undefined {
    const entry = (owner as { readonly [slot: symbol]: Entry<V> | undefined })[this.#slot];
    return entry?.owner === owner ? entry.value : undefined;
  }

  set(owner: K, value: V): void {
    (owner as { [slot: symbol]: Entry<V> })[this.#slot] = { owner, value };
  }
}
