/**
 * process-figures - what Linux tells of a process: memory that it holds now and held at most, open descriptors, time on
 * the processor (proc(5)).
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

export interface ProcessFigures {
  /** In MB, of 1024 KB. */
  readonly resident: number;
  /** The most that it ever held, in MB. */
  readonly mostResident: number;
  readonly descriptors: number;
}

export function figuresOf(pid: number): ProcessFigures {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const megabytes = (key: string): number => Number(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024;
  return {
    resident: megabytes('VmRSS'),
    mostResident: megabytes('VmHWM'),
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
  };
}

const MICROSECONDS_A_TICK =
  1_000_000 / Number(spawnSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }).stdout?.trim() || 100);

/** User and system time in microseconds, of the process, its children, and theirs; also of those that have ended. */
export function cpuTimeOf(pid: number): number {
  let stat: string;
  let children: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  } catch {
    // A child that has ended between the list and the look at it.
    return 0;
  }
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  const pids = children.split(' ').filter((one) => one.trim() !== '');
  return pids.reduce((sum, child) => sum + cpuTimeOf(Number(child)), ticks * MICROSECONDS_A_TICK);
}
