/**
 * signals - SIGHUP, SIGTERM and SIGINT are heard before the listeners open, and acted on once there is somebody to act.
 *
 * Without a handler each of them ends a process: one that came while the listeners open would cut off whoever was first.
 */

const HEARD = ['SIGHUP', 'SIGTERM', 'SIGINT'] as const;
export type Signal = (typeof HEARD)[number];

/** What is returned hands the signals over, those that came before in their order, then each as it comes. */
export function hearSignals(): (listener: (signal: Signal) => void) => void {
  const early: Signal[] = [];
  let listener = (signal: Signal): void => void early.push(signal);
  for (const signal of HEARD) process.on(signal, () => listener(signal));
  return (next) => {
    listener = next;
    for (const signal of early.splice(0)) next(signal);
  };
}
