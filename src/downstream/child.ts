/**
 * child - a program that we run: never through a shell, in a process group of its own, with an end to everything.
 *
 * The group keeps a Ctrl-C on our terminal from the program in the middle of a delivery, and takes the program's own
 * children along when it must end. What it writes on standard error is told line by line, cut and counted.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';

export type Child = ChildProcessWithoutNullStreams;

/** Milliseconds between SIGTERM and SIGKILL. */
const KILL_AFTER = 2_000;
/** Octets of a line on standard error that are told. */
const LONGEST_LINE = 400;
/** Lines on standard error that are told in a minute; the rest is counted. */
const MOST_LINES = 50;
const MINUTE = 60_000;

/** Our own environment may hold what is nobody's business. */
const ENVIRONMENT = ['PATH', 'TZ', 'LANG'];

/** Starts path and arguments as they are; the running program, or why there is none. */
export function start(program: readonly string[], onComplaint: (line: string) => void): Promise<Child | Error> {
  const [file = '', ...args] = program;
  return new Promise((resolve) => {
    try {
      const env = Object.fromEntries(ENVIRONMENT.map((name) => [name, process.env[name]]));
      const child = spawn(file, args, { stdio: 'pipe', detached: true, cwd: '/', env });
      child.on('error', resolve);
      child.once('spawn', () => {
        // It need not read its input, nor let us read its output: the exit code says how it went.
        for (const stream of [child.stdin, child.stdout, child.stderr]) stream.on('error', () => undefined);
        tellLines(child.stderr, onComplaint);
        resolve(child);
      });
    } catch (error) {
      resolve(error instanceof Error ? error : new Error(String(error)));
    }
  });
}

export function hasExited({ exitCode, signalCode }: Child): boolean {
  return exitCode !== null || signalCode !== null;
}

/** SIGTERM now, SIGKILL for what is still there a little later. */
export function terminate(child: Child): void {
  signal(child, 'SIGTERM');
  const timer = setTimeout(() => signal(child, 'SIGKILL'), KILL_AFTER);
  child.once('exit', () => clearTimeout(timer));
  if (hasExited(child)) clearTimeout(timer);
}

function signal(child: Child, name: NodeJS.Signals): void {
  if (child.pid === undefined || hasExited(child)) return;
  try {
    process.kill(-child.pid, name);
  } catch {
    // It has just gone.
  }
}

function tellLines(stream: Readable, tell: (line: string) => void): void {
  let line = '';
  let told = 0;
  let left = 0;
  let windowEnds = 0;
  const end = (): void => {
    const now = Date.now();
    if (now >= windowEnds) {
      if (left > 0) tell(`(${left} more lines)`);
      [told, left, windowEnds] = [0, 0, now + MINUTE];
    }
    if (line !== '' && told < MOST_LINES) tell(line);
    if (told < MOST_LINES) told++;
    else left++;
    line = '';
  };
  stream.setEncoding('utf8');
  stream.on('data', (text: string) => {
    const [first = '', ...others] = text.split('\n');
    line = cut(line + cut(first));
    for (const other of others) {
      end();
      line = cut(other);
    }
  });
  stream.on('end', () => {
    if (line !== '') end();
    if (left > 0) tell(`(${left} more lines)`);
  });
}

function cut(line: string): string {
  return line.slice(0, LONGEST_LINE).replace(/\p{Cc}/gu, '?');
}
