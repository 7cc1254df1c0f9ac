/**
 * score - how much of a table that others made comes out the same here, and where it does not.
 *
 * Cases have ids: the number of a row, the name of a message. `differences.yaml` says of each table how many are the same,
 * which differ and why, and which ask what this product has no part for. A difference that is not listed fails the test,
 * and so does a listed one that is gone. Nothing of a table is copied: it is read where it lies, or the test says that it
 * was not run.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { load } from 'js-yaml';
import { z } from 'zod';
import { missingCorpus } from '../support/wire-corpus.ts';

const id = z.union([z.string(), z.number()]).transform(String);
const listed = z.array(z.strictObject({ because: z.string(), cases: z.array(id) })).default([]);
const tables = z.record(z.string(), z.strictObject({ same: z.number(), differ: listed, outside: listed }));
const differences = tables.parse(load(readFileSync('test/ground-truth/differences.yaml', 'utf8')));

export class Score {
  readonly #table: string;
  readonly #outside: ReadonlySet<string>;
  readonly #differing = new Map<string, string>();
  readonly #left = new Set<string>();
  #same = 0;

  constructor(table: string) {
    this.#table = table;
    this.#outside = new Set(idsOf(differences[table]?.outside));
  }

  /** Whether the case asks what there is no part for; then it is counted as that. */
  isOutside(name: string | number): boolean {
    if (!this.#outside.has(String(name))) return false;
    this.#left.add(String(name));
    return true;
  }

  compare(name: string | number, ours: unknown, theirs: unknown): void {
    if (isDeepStrictEqual(ours, theirs)) this.#same += 1;
    else this.#differing.set(String(name), `ours ${JSON.stringify(ours)}, theirs ${JSON.stringify(theirs)}`);
  }

  settle(t: TestContext): void {
    const { same, differ, outside } = differences[this.#table] ?? { same: 0, differ: [], outside: [] };
    const differing = [...this.#differing.keys()];
    const left = this.#left.size === 0 ? '' : `, ${this.#left.size} are not asked`;
    t.diagnostic(`${this.#table}: ${this.#same} are the same, ${differing.length} differ as listed${left}`);
    const known = new Set(idsOf(differ));
    const fresh = [...this.#differing].filter(([name]) => !known.has(name)).map(([name, said]) => `${name}: ${said}`);
    assert.deepEqual(fresh, [], `${this.#table}: differences that are not listed`);
    assert.deepEqual(differing.toSorted(), idsOf(differ).toSorted(), `${this.#table}: listed, and gone`);
    assert.deepEqual([...this.#left].toSorted(), idsOf(outside).toSorted(), `${this.#table}: left out`);
    assert.equal(this.#same, same, `${this.#table}: how many are the same`);
  }
}

function idsOf(list: readonly { readonly cases: readonly string[] }[] = []): readonly string[] {
  return list.flatMap(({ cases }) => cases);
}

/** A test that compares one table; it says so where the corpus is missing. */
export function scored(table: string, compareAll: (score: Score) => void | Promise<void>): void {
  test(`ground truth: ${table}`, async (t) => {
    if (missingCorpus !== null) {
      t.skip(missingCorpus);
      return;
    }
    const score = new Score(table);
    await compareAll(score);
    score.settle(t);
  });
}
