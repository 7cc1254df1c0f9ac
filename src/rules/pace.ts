/**
 * pace - gives other sessions their turn while rules go through long texts.
 *
 * Answers do not depend on it: it only decides when they come.
 */
import { setImmediate } from 'node:timers/promises';

/** Milliseconds after which others have a turn. */
const LONGEST_TURN = 10;

let turnBegan = 0;

/** null where it is not time yet; else a promise to wait for. */
export function pause(): Promise<void> | null {
  return performance.now() - turnBegan < LONGEST_TURN ? null : rest();
}

async function rest(): Promise<void> {
  await setImmediate();
  turnBegan = performance.now();
}
