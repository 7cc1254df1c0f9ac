/**
 * measure - one round of one row: smtp-source sends, the clock runs, the processor's time is read before and after.
 */
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Row } from './scenarios.ts';
import type { Subject } from './subjects.ts';

export interface Sample {
  readonly messagesPerSecond: number;
  /** Microseconds of processor time that the process under test, with all its threads, spent on a message. */
  readonly cpuPerMessage: number;
}

/** Somebody of nowhere in particular: the baseline rules have nothing against it. */
const REVERSE_PATH = 'ann@example.net';
const FORWARD_PATH = 'gardeners@lists.example.org';

const MICROSECONDS_A_TICK =
  1_000_000 / Number(spawnSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }).stdout?.trim() || 100);

/** Throws with smtp-source's words when a message was not accepted. */
export async function measure(row: Row, subject: Subject, messages: number): Promise<Sample> {
  const { load, protocol } = row;
  const args = [
    ...(protocol === 'lmtp' ? ['-L'] : []),
    ...(load.kept ? ['-d'] : []),
    ...['-s', String(load.sessions), '-m', String(messages), '-l', String(load.size)],
    ...['-f', REVERSE_PATH, '-t', FORWARD_PATH, '-S', 'bench', subject.address],
  ];
  const cpuBefore = cpuTime(subject.pid);
  const start = process.hrtime.bigint();
  await smtpSource(args);
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  return {
    messagesPerSecond: messages / seconds,
    cpuPerMessage: (cpuTime(subject.pid) - cpuBefore) / messages,
  };
}

function smtpSource(args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('smtp-source', args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let errors = '';
    child.stderr.on('data', (chunk) => {
      errors += String(chunk);
    });
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`smtp-source ${args.join(' ')}: exit ${code}\n${errors}`));
    });
  });
}

/** User and system time of a process in microseconds: fields 14 and 15 of /proc/PID/stat (proc(5)). */
function cpuTime(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * MICROSECONDS_A_TICK;
}
