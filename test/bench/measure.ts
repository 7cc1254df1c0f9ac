/**
 * measure - one round of one row: a client sends, the clock runs, the processor's time is read before and after.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { cpuTimeOf } from './process-figures.ts';
import type { ClientOptions, ClientReport } from './pipelining-client.ts';
import type { Row } from './scenarios.ts';
import type { Subject } from './programs.ts';

export interface Sample {
  readonly messagesPerSecond: number;
  /** Microseconds of processor time that the program under test, with all its threads and processes, spent on a message. */
  readonly cpuPerMessage: number;
}

/** Somebody of nowhere in particular: the baseline rules have nothing against it. */
const REVERSE_PATH = 'ann@example.net';
const FORWARD_PATH = 'gardeners@lists.example.org';
/** Lists to which pipelined recipients belong; few enough that a site would have all of them in use. */
const LISTS = 100;

/** Throws with the client's words when a message was not accepted. */
export async function measure(row: Row, subject: Subject, messages: number): Promise<Sample> {
  const { way, size } = row.load;
  const cpuBefore = cpuTimeOf(subject.pid);
  const amount = { messages, sessions: Math.min(size.sessions, messages) };
  const { seconds, sent } = await (way.client === 'smtp-source' ? smtpSource : pipelined)(row, subject, amount);
  return {
    messagesPerSecond: messages / seconds,
    cpuPerMessage: (cpuTimeOf(subject.pid) - cpuBefore) / sent,
  };
}

interface Amount {
  readonly messages: number;
  readonly sessions: number;
}

interface Sent {
  /** For as many messages as were asked for. */
  readonly seconds: number;
  /** Messages, with those that do not count. */
  readonly sent: number;
}

async function smtpSource(
  { load, protocol }: Row,
  { address }: Subject,
  { messages, sessions }: Amount,
): Promise<Sent> {
  const start = performance.now();
  await outputOf('smtp-source', [
    ...(protocol === 'lmtp' ? ['-L'] : []),
    ...(load.way.kept ? ['-d'] : []),
    ...['-s', String(sessions), '-m', String(messages), '-l', String(load.size.octets)],
    ...['-f', REVERSE_PATH, '-t', FORWARD_PATH, '-S', 'bench', address],
  ]);
  return { seconds: (performance.now() - start) / 1000, sent: messages };
}

/** The first half does not count: a process made anew is slower for about a second, and who waits for it idles. */
async function pipelined({ load, protocol }: Row, { address }: Subject, amount: Amount): Promise<Sent> {
  const { recipients } = load.way;
  const [warmUp, sent] = [amount.messages, 2 * amount.messages];
  const { seconds } = await runClient({
    ...{ address, protocol, sessions: amount.sessions, messages: sent, warmUp, recipients },
    ...{ size: load.size.octets, lists: LISTS, rate: null },
  });
  return { seconds, sent };
}

/** The client's own clock counts, not the start of its process. */
export async function runClient(options: ClientOptions): Promise<ClientReport> {
  const program = join(import.meta.dirname, 'pipelining-client.js');
  return JSON.parse(await outputOf(process.execPath, [program, JSON.stringify(options)])) as ClientReport;
}

function outputOf(program: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const [output, errors]: [string[], string[]] = [[], []];
    child.stdout.on('data', (chunk) => output.push(String(chunk)));
    child.stderr.on('data', (chunk) => errors.push(String(chunk)));
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(output.join(''));
      else reject(new Error(`${program} ${args.join(' ')}: exit ${code}\n${errors.join('')}`));
    });
  });
}
