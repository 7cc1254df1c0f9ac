/**
 * latency - what a path adds to the time of a message when it is half busy.
 *
 * Messages come at a rate that does not wait for replies: half of what Postern was just measured to do. Times are from a
 * message's turn to its last reply, so that waiting for a free session counts. Added is the difference to the same stream
 * into the bare sink, round by round. Each stream's first second does not count: its client is a process made anew, whose
 * compiler takes processor time for milliseconds on end from whoever shares that processor with it, whatever the path.
 */
import type { Sandbox } from '../e2e/sandbox.ts';
import { type Figure, inSandbox, type Measurement } from './figures.ts';
import { runClient } from './measure.ts';
import type { ClientReport } from './pipelining-client.ts';
import type { Subject } from './programs.ts';
import { spread } from './quantile.ts';
import { startSink, startSubject } from './subjects.ts';

const ROUNDS = 5;
const SECONDS = 3;
const WARM_UP_SECONDS = 1;
const FULL_SPEED = 8_000;
const STREAM = { protocol: 'smtp', sessions: 20, size: 4096, recipients: 1, lists: 1 } as const;
const NAMES = ['sink', 'haproxy', 'postern'] as const;

export const LATENCY: readonly Measurement[] = [
  {
    name: 'latency: SMTP, 4 KB, at half of the rate that Postern can do',
    programs: ['smtp-sink', 'haproxy'],
    measure: () => inSandbox('latency', measure),
  },
];

async function measure(sandbox: Sandbox): Promise<readonly Figure[]> {
  const sink = await startSink(sandbox, 'smtp');
  const around = { sandbox, protocol: 'smtp', sink: sink.address } as const;
  const subjects: Readonly<Record<(typeof NAMES)[number], Subject>> = {
    sink,
    haproxy: await startSubject('haproxy', around),
    postern: await startSubject('postern', around),
  };
  const fullSpeed = { ...STREAM, address: subjects.postern.address, messages: FULL_SPEED, rate: null };
  await runClient(fullSpeed);
  const rate = Math.round(FULL_SPEED / (await runClient(fullSpeed)).seconds / 2);
  const rounds: Record<(typeof NAMES)[number], ClientReport>[] = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
    const stream = { ...STREAM, messages: rate * (WARM_UP_SECONDS + SECONDS), warmUp: rate * WARM_UP_SECONDS, rate };
    const report = async (name: (typeof NAMES)[number]): Promise<ClientReport> =>
      await runClient({ ...stream, address: subjects[name].address });
    const reports = { sink: await report('sink'), haproxy: await report('haproxy'), postern: await report('postern') };
    if (round > 0) rounds.push(reports);
  }
  const figure = (name: string, values: readonly number[], atMost: number | null = null): Figure => {
    const all = spread(values);
    return { name, value: all.median, spread: all, unit: 'ms', atMost };
  };
  const added = (name: 'haproxy' | 'postern', key: 'median' | 'percentile99'): readonly number[] =>
    rounds.map((reports) => reports[name][key] - reports.sink[key]);
  return [
    { name: 'rate', value: rate, unit: '/s', atMost: null },
    figure(
      'bare path, median',
      rounds.map((one) => one.sink.median),
    ),
    figure(
      'bare path, 99 of 100',
      rounds.map((one) => one.sink.percentile99),
    ),
    figure('added by haproxy, median', added('haproxy', 'median')),
    figure('added by haproxy, 99 of 100', added('haproxy', 'percentile99')),
    figure('added by postern, median', added('postern', 'median')),
    figure('added by postern, 99 of 100', added('postern', 'percentile99'), 3),
  ];
}
