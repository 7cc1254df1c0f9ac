/**
 * pace - gives other sessions their turn while rules go through long texts.
 *
 * Counted in steps, as patterns are charged (pattern.ts), never in time: answers do not depend on it, it only decides when
 * they come.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';

/** Steps after which others have a turn, some 30 ms at worst. */
export const LONGEST_TURN = 1_000_000;

let spent = 0;

/** Tells what was done in this turn. */
export function spend(steps: number): void {
  if (spent === 0) setImmediate(beginTurn);
  spent += steps;
}

function beginTurn(): void {
  spent = 0;
}

/** Steps of this turn so far. */
export function spentThisTurn(): number {
  return spent;
}

/** null where it is not time yet; else a promise to wait for. */
export function pause(): Promise<void> | null {
  return spent < LONGEST_TURN ? null : rest();
}

/** Of many who wait, those that come late in a turn wait for the next one. */
async function rest(): Promise<void> {
  while (spent >= LONGEST_TURN) await nextTurn();
}
