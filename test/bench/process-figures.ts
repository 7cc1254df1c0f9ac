/**
 * process-figures - what Linux tells of a process: memory that it holds now and held at most, open descriptors (proc(5)).
 */
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
