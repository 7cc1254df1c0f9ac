/**
 * suite - a group of tests, or one test that is skipped and says why: a skipped group would be counted as passed.
 */
import { describe, test } from 'node:test';

/** `whyNot` is false where the tests can run. */
export function suite(name: string, whyNot: string | false, tests: () => void): void {
  if (whyNot === false) describe(name, tests);
  else test(name, (t) => t.skip(whyNot));
}
