/**
 * inline - `npm run bench -- inline`: is it worth the trouble to stand in the path, or does a queue do? The same stream of
 * messages into
 *
 * - Postern, which hands each to an LMTP sink before it says 250, and
 * - a Maildir, synced before the 250, from which a queue runner delivers to the same kind of sink.
 *
 * Offered is a stream that does not wait, at most of what the first path can do. Counted is what has arrived at the sink.
 * Writes docs/performance/inline.svg and build/bench/inline-*.json.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freeAddress, Sandbox } from '../e2e/sandbox.ts';
import { runClient } from './measure.ts';
import { type Panel, plot } from './plot.ts';
import { run, type Subject } from './programs.ts';
import type { RunnerLook } from './queue-runner.ts';
import { startPostern, startSink } from './subjects.ts';

export interface InlineResult {
  readonly at: string;
  /** Messages a second that were offered, and that arrived at the sink: all of them, until the last was there. */
  readonly offered: number;
  readonly inline: number;
  readonly maildir: number;
  /** What each path can do at most: the inline one as fast as its client is answered, the other as measured under the stream. */
  readonly inlineAtMost: number;
  readonly ratio: number;
  /** Messages: the most that were offered and not yet through, inline. */
  readonly inlineMostOpen: number;
  /** Messages: the most that waited in the Maildir or for it. */
  readonly mostBacklog: number;
  /** Until the queue was empty, from the last message that was offered. */
  readonly secondsBehind: number;
}

const STREAM = { protocol: 'lmtp', sessions: 20, size: 4096, recipients: 1, lists: 1 } as const;
const FULL_SPEED = 8_000;
const SHARE = 0.8;
const SECONDS = 10;
/** Messages that make both paths warm. */
const WARM = 2_000;
/** Of a line in the plot. */
const POINTS = 100;
const SVG = join('docs', 'performance', 'inline.svg');

interface Point {
  readonly at: number;
  readonly offered: number;
  readonly delivered: number;
}

/** Exit code 0. */
export async function inline(): Promise<number> {
  mkdirSync('build', { recursive: true });
  const sandbox = new Sandbox('inline');
  try {
    return await compare(sandbox);
  } finally {
    await sandbox.close();
  }
}

async function compare(sandbox: Sandbox): Promise<number> {
  const sink = await startSink(sandbox, 'lmtp');
  const through = await startPostern({ sandbox, protocol: 'lmtp', sink: sink.address });
  await runClient({ ...STREAM, address: through.address, messages: WARM, rate: null });
  const fullSpeed = await runClient({ ...STREAM, address: through.address, messages: FULL_SPEED, rate: null });
  const inlineAtMost = FULL_SPEED / fullSpeed.seconds;
  const rate = Math.round(inlineAtMost * SHARE);
  const messages = rate * SECONDS;
  process.stderr.write(
    `Postern inline: ${inlineAtMost.toFixed(0)} messages/s at most; ${rate}/s for ${SECONDS} s into both\n`,
  );
  const direct = await runClient({ ...STREAM, address: through.address, messages, rate });
  const inlinePoints = direct.series.map(({ at, offered, accepted }) => ({ at, offered, delivered: accepted }));
  const maildirPoints = await intoMaildir(sandbox, sink, messages, rate);

  const inlineRate = messages / secondsOf(inlinePoints);
  const maildirRate = messages / secondsOf(maildirPoints);
  const lastOffered = maildirPoints.find(({ offered }) => offered === messages)?.at ?? Number.NaN;
  const result: InlineResult = {
    at: new Date().toISOString(),
    offered: rate,
    inline: inlineRate,
    maildir: maildirRate,
    inlineAtMost,
    ratio: inlineAtMost / maildirRate,
    inlineMostOpen: mostBetween(inlinePoints),
    mostBacklog: mostBetween(maildirPoints),
    secondsBehind: ((maildirPoints.at(-1)?.at ?? Number.NaN) - lastOffered) / 1000,
  };
  write(result, [
    { title: 'Postern inline', points: relative(inlinePoints) },
    { title: 'Maildir and queue runner', points: relative(maildirPoints) },
  ]);
  process.stdout.write(
    `offered: ${rate} messages/s for ${SECONDS} s\n` +
      `Postern inline: ${inlineRate.toFixed(0)} delivered a second, ${inlineAtMost.toFixed(0)} at most\n` +
      `Maildir and queue runner: ${maildirRate.toFixed(0)} delivered a second; ` +
      `${result.mostBacklog} waited at most, the last arrived ${result.secondsBehind.toFixed(1)} s after it was offered\n` +
      `what can be delivered end to end, inline beside the queue: x ${result.ratio.toFixed(1)}\n`,
  );
  return 0;
}

/** Delivered is what the queue runner has delivered. Below `build`, which is on a disk where /tmp may be none. */
async function intoMaildir(sandbox: Sandbox, sink: Subject, messages: number, rate: number): Promise<readonly Point[]> {
  const disk = new Sandbox('maildir', resolve('build'));
  sandbox.onClose(() => disk.close());
  const acceptor = await startAcceptor(sandbox, join(disk.folder, 'mail'));
  const maildir = join(disk.folder, 'mail', 'lists.example.org', 'list-1');
  const looks: RunnerLook[] = [];
  const runner = spawn(process.execPath, [join(import.meta.dirname, 'queue-runner.js'), maildir, sink.address], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  sandbox.onClose(() => void runner.kill());
  let partial = '';
  runner.stdout.on('data', (chunk) => {
    const lines = (partial + String(chunk)).split('\n');
    partial = lines.pop() ?? '';
    looks.push(...lines.map((line): RunnerLook => JSON.parse(line)));
  });
  const arrived = async (count: number): Promise<void> => {
    while ((looks.at(-1)?.delivered ?? 0) < count) {
      if (runner.exitCode !== null) throw new Error('the queue runner has ended');
      await pause(50);
    }
  };
  await runClient({ ...STREAM, address: acceptor.address, messages: WARM, rate: null });
  await arrived(WARM);
  const from = looks.length;
  const { series } = await runClient({ ...STREAM, address: acceptor.address, messages, rate });
  await arrived(WARM + messages);
  const [first] = series;
  return looks
    .slice(from)
    .filter(({ at }) => first !== undefined && at >= first.at)
    .map(({ at, delivered }) => ({
      at,
      offered: series.findLast((one) => one.at <= at)?.offered ?? 0,
      delivered: delivered - WARM,
    }));
}

/** Postern's own Maildir downstream: one LMTP server writes, syncs and answers, and asks no rules worth the name. */
async function startAcceptor(sandbox: Sandbox, maildir: string): Promise<Subject> {
  const address = await freeAddress();
  const file = join(sandbox.folder, 'acceptor.yaml');
  writeFileSync(join(sandbox.folder, 'none.yaml'), NO_RULES);
  writeFileSync(
    file,
    `version: 1\nhostname: bench.example.org\nlisten: [ { lmtp: "${address}" } ]\n` +
      `downstreams: { mail: { maildir: ${maildir} } }\nroutes: [ { to: mail } ]\nrules: { system: none.yaml }\n`,
  );
  const main = resolve('dist', 'cli', 'main.js');
  return await run(sandbox, 'acceptor', address, process.execPath, [main, 'serve', '--config', file]);
}

const NO_RULES = 'version: 1\nbefore:\n  - { name: never, when: { helo: { is: nobody } }, then: relay }\n';

/** From the first look to the first that shows everything delivered. */
function secondsOf(points: readonly Point[]): number {
  const all = points.at(-1)?.delivered;
  const last = points.find(({ delivered }) => delivered === all)?.at ?? Number.NaN;
  return (last - (points[0]?.at ?? Number.NaN)) / 1000;
}

function mostBetween(points: readonly Point[]): number {
  return Math.max(...points.map(({ offered, delivered }) => offered - delivered));
}

/** As many as a plot can show. */
function relative(points: readonly Point[]): Panel['points'] {
  const start = points[0]?.at ?? 0;
  const every = Math.ceil(points.length / POINTS);
  return points
    .filter((_, index) => index % every === 0 || index === points.length - 1)
    .map(({ at, ...counts }) => ({ seconds: (at - start) / 1000, ...counts }));
}

function write(result: InlineResult, panels: readonly Panel[]): void {
  mkdirSync(join('build', 'bench'), { recursive: true });
  mkdirSync(join('docs', 'performance'), { recursive: true });
  const file = join('build', 'bench', `inline-${result.at.replaceAll(':', '-')}.json`);
  writeFileSync(file, `${JSON.stringify({ ...result, panels }, null, 2)}\n`);
  writeFileSync(SVG, plot(panels));
  process.stderr.write(`written to ${SVG} and ${file}\n`);
}
