/**
 * turn - what is written in one turn of the event loop leaves at its end, one socket behind the other.
 *
 * To the kernel a write costs little and waking up whoever reads it costs much. While many sessions are busy, their replies
 * written in a row find the reader awake; written one by one, each between two reads of ours, they wake it each time.
 */

let waiting: (() => void)[] = [];

/** Calls `flush` behind all that has arrived by now. It must not throw. */
export function atEndOfTurn(flush: () => void): void {
  if (waiting.length === 0) setImmediate(flushAll);
  waiting.push(flush);
}

function flushAll(): void {
  const due = waiting;
  waiting = [];
  for (const flush of due) flush();
}
