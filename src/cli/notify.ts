/**
 * notify - tells systemd how we are (sd_notify(3)): READY, RELOADING, STOPPING, and WATCHDOG while the event loop turns.
 *
 * The way there is a datagram to a unix socket, which Node cannot send; `systemd-notify` does it for us. One run takes
 * about 5 milliseconds of another process, twice in a WatchdogSec. Its messages come from a child: the unit needs
 * NotifyAccess=all.
 */
import { spawn } from 'node:child_process';
import type { Log } from '../core/log.ts';

const PROGRAM = 'systemd-notify';
const LONGEST_RUN = 10_000;

export interface Notifier {
  /** Tells the assignments, like `READY=1`, behind all that was told before. Never rejects. */
  tell(...assignments: readonly string[]): Promise<void>;
  /** Tells WATCHDOG=1 from now on, where systemd asked for it. */
  watch(): void;
  /** Resolves when all is told. */
  close(): Promise<void>;
}

/** Without NOTIFY_SOCKET in `env` nobody wants to know, and nothing is run. */
export function createNotifier(env: NodeJS.ProcessEnv, pid: number, log: Log): Notifier {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: usec, WATCHDOG_PID: watched, PATH } = env;
  let last = Promise.resolve();
  let working = socket !== undefined && socket !== '';
  let timer: NodeJS.Timeout | null = null;
  const tell = (...assignments: readonly string[]): Promise<void> => {
    last = last.then(async () => {
      if (!working) return;
      const problem = await run(assignments, { NOTIFY_SOCKET: socket, PATH });
      if (problem === null) return;
      working = problem !== 'ENOENT';
      log.warn('notify-failed', { program: PROGRAM, problem, told: assignments });
    });
    return last;
  };
  return {
    tell,
    watch() {
      const interval = Math.floor(Number(usec ?? 0) / 1000 / 2);
      const ours = watched === undefined || watched === String(pid);
      if (!working || !ours || !(interval > 0)) return;
      timer = setInterval(() => void tell('WATCHDOG=1'), interval);
    },
    close() {
      if (timer !== null) clearInterval(timer);
      return last;
    },
  };
}

/** RELOADING wants to be told when it began (CLOCK_MONOTONIC in microseconds), which is what hrtime counts. */
export function reloading(): readonly string[] {
  return ['RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`];
}

/** What went wrong, or null. */
function run(assignments: readonly string[], env: NodeJS.ProcessEnv): Promise<string | null> {
  return new Promise((resolve) => {
    const child = spawn(PROGRAM, [...assignments], { env, stdio: 'ignore', timeout: LONGEST_RUN });
    child.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    child.once('exit', (code, signal) => resolve(code === 0 ? null : `exit ${code ?? signal}`));
  });
}
