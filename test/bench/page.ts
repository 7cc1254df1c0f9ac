/**
 * page - `npm run bench -- page`: writes the newest whole run and the newest comparison of inline.ts into the tables of
 * docs/performance.md and README.md, between <!-- bench:NAME --> and <!-- /bench:NAME -->.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Measured, showFigure } from './figures.ts';
import type { InlineResult } from './inline.ts';
import type { Spread } from './quantile.ts';
import type { Results, RowResult } from './report.ts';
import { isPeer, LOADS, PEERS, PROTOCOLS, VARIANTS } from './scenarios.ts';

const FOLDER = join('build', 'bench');
const PAGES = [join('docs', 'performance.md'), 'README.md'];
const MARKED = /(<!-- bench:(\S+) -->\n)[\s\S]*?(<!-- \/bench:\2 -->)/g;

interface Source {
  readonly results: Results;
  readonly inline: InlineResult;
}

/** Exit code 0 or 1. */
export function page(): number {
  const results = newest<Results>(/^\d.*\.json$/, ({ whole }) => whole === true);
  const inline = newest<InlineResult>(/^inline-.*\.json$/, () => true);
  if (results === null || inline === null) {
    process.stderr.write(
      `${FOLDER} holds no whole run: first "npm run bench" and "npm run bench -- inline", without other arguments\n`,
    );
    return 1;
  }
  for (const file of PAGES) {
    const text = readFileSync(file, 'utf8');
    const filled = text.replace(MARKED, (_, open: string, name: string, close: string) => {
      const table = TABLES[name];
      if (table === undefined) throw new Error(`${file} asks for a table ${name}`);
      return `${open}${table({ results, inline })}\n${close}`;
    });
    if (filled !== text) writeFileSync(file, filled);
    process.stderr.write(`${file}: ${filled === text ? 'as it was' : 'written'}\n`);
  }
  return 0;
}

function newest<T>(pattern: RegExp, fits: (content: T) => boolean): T | null {
  for (const name of readdirSync(FOLDER).sort().reverse()) {
    if (!pattern.test(name)) continue;
    const content: T = JSON.parse(readFileSync(join(FOLDER, name), 'utf8'));
    if (fits(content)) return content;
  }
  return null;
}

const TABLES: Readonly<Record<string, (source: Source) => string>> = {
  machine: ({ results: { at, machine, rounds } }) =>
    `Measured on ${at.slice(0, 10)}: ${machine.processors} processors (${machine.model}), Linux ${machine.kernel}, ` +
    `Node ${machine.node}; ${rounds} rounds.`,
  goals: (source) =>
    table(
      ['case', 'reached', 'min – max', 'at least', 'goal'],
      GOALS.map(({ name, of, atLeast, goal }) => {
        const reached = of(source);
        return [name, ...(reached === null ? ['–', ''] : ratioCells(reached)), atLeast, goal];
      }),
    ),
  throughput: ({ results: { results } }) =>
    table(
      ['load', 'sink', 'HAProxy', 'Postern', 'of HAProxy', 'min – max', 'of sink', 'CPU HAProxy', 'CPU Postern'],
      LOADS.flatMap(({ name: load }) =>
        PROTOCOLS.flatMap((protocol) => {
          const row = (subject: string) => find(results, subject, protocol, load);
          const [sink, haproxy, postern] = [row('sink'), row('haproxy'), row('postern')];
          if (sink === undefined || haproxy === undefined || postern === undefined) return [];
          const rates = [sink, haproxy, postern].map(({ messagesPerSecond }) => whole(messagesPerSecond.median));
          const cpu = [haproxy, postern].map(({ cpuPerMessage }) => `${whole(cpuPerMessage.median)} µs`);
          const ratios = [...ratioCells(postern.toHaproxy), postern.toSink?.median.toFixed(2) ?? '–'];
          return [[`${protocol.toUpperCase()}, ${load}`, ...rates, ...ratios, ...cpu]];
        }),
      ),
    ),
  rules: ({ results: { results } }) =>
    table(
      ['Postern', 'load', 'messages/s', 'beside the baseline', 'min – max', 'of HAProxy', 'CPU'],
      results
        .filter(({ subject }) => VARIANTS.some((name) => name === subject && name !== 'postern'))
        .map((row) => [
          row.subject.replace('postern, ', ''),
          `${row.protocol.toUpperCase()}, ${row.load}`,
          whole(row.messagesPerSecond.median),
          ...ratioCells(row.toBaseline),
          row.toHaproxy?.median.toFixed(2) ?? '–',
          `${whole(row.cpuPerMessage.median)} µs`,
        ]),
    ),
  peers: ({ results: { results } }) =>
    table(
      ['SMTP, sessions kept, 4 KB', 'messages/s', 'of HAProxy', 'min – max', 'CPU'],
      ['haproxy', 'postern', ...PEERS].flatMap((subject) => {
        const row = find(results, subject, 'smtp', 'sessions kept, 4 KB');
        if (row === undefined)
          return isPeer(subject as (typeof PEERS)[number]) ? [[subject, 'not installed', '', '', '']] : [];
        const ratios = subject === 'haproxy' ? ['1', ''] : ratioCells(row.toHaproxy);
        return [[subject, whole(row.messagesPerSecond.median), ...ratios, `${whole(row.cpuPerMessage.median)} µs`]];
      }),
    ),
  pipe: ({ results: { results } }) =>
    table(
      ['load', 'through', 'messages/s', 'of HAProxy', 'min – max', 'CPU'],
      results
        .filter(({ subject }) => subject === 'bare pipe')
        .flatMap(({ protocol, load }) =>
          ['haproxy', 'bare pipe', 'postern'].flatMap((subject) => {
            const row = find(results, subject, protocol, load);
            if (row === undefined) return [];
            const ratios = subject === 'haproxy' ? ['1', ''] : ratioCells(row.toHaproxy);
            const cpu = `${whole(row.cpuPerMessage.median)} µs`;
            return [
              [`${protocol.toUpperCase()}, ${load}`, subject, whole(row.messagesPerSecond.median), ...ratios, cpu],
            ];
          }),
        ),
    ),
  latency: ({ results }) => figures(results, /^latency/),
  memory: ({ results }) => figures(results, /^memory/),
  scales: ({ results }) => figures(results, /^(patterns|dots|sets|lists)/),
  inline: ({ inline }) =>
    table(
      [
        `${whole(inline.offered)} messages/s offered`,
        'delivered a second',
        'most that waited',
        'the last arrived after its turn by',
      ],
      [
        ['Postern inline', whole(inline.inline), `${whole(inline.inlineMostOpen)} (in sessions)`, '0 s'],
        [
          'Maildir and queue runner',
          whole(inline.maildir),
          whole(inline.mostBacklog),
          `${inline.secondsBehind.toFixed(1)} s`,
        ],
      ],
    ) +
    `\n\nEnd to end the path through the queue delivers ${whole(inline.maildir)} messages a second, the one inline ` +
    `${whole(inline.inlineAtMost)} at most: × ${inline.ratio.toFixed(1)}.`,
  readme: ({ results: { results } }) =>
    table(
      ['messages a second, as a ratio to HAProxy', 'SMTP', 'LMTP'],
      ['sessions kept', 'one message a connection'].map((way) => [
        way,
        ...PROTOCOLS.map(
          (protocol) => find(results, 'postern', protocol, `${way}, 4 KB`)?.toHaproxy?.median.toFixed(2) ?? '–',
        ),
      ]),
    ),
};

interface Goal {
  readonly name: string;
  readonly atLeast: string;
  readonly goal: string;
  of(source: Source): Spread | null;
}

const toHaproxy =
  (protocol: string, load: string, subject = 'postern') =>
  ({ results: { results } }: Source): Spread | null =>
    find(results, subject, protocol, load)?.toHaproxy ?? null;

const toBaseline =
  (subject: string) =>
  ({ results: { results } }: Source): Spread | null =>
    find(results, subject, 'smtp', 'sessions kept, 4 KB')?.toBaseline ?? null;

/** Of the design; latency and memory have theirs beside the figures. */
const GOALS: readonly Goal[] = [
  {
    name: 'SMTP 4 KB, sessions kept, to HAProxy',
    of: toHaproxy('smtp', 'sessions kept, 4 KB'),
    atLeast: '0.8',
    goal: '1.0',
  },
  {
    name: 'SMTP 4 KB, one message a connection, to HAProxy',
    ...{ of: toHaproxy('smtp', 'one message a connection, 4 KB'), atLeast: '0.7', goal: '1.0' },
  },
  {
    name: 'LMTP 4 KB, 20 recipients pipelined, each its own list, to HAProxy',
    ...{ of: toHaproxy('lmtp', 'pipelining, 20 recipients, 4 KB'), atLeast: '0.8', goal: '1.2' },
  },
  {
    name: 'the same, and each list with rules of its own (100,000 lists)',
    ...{
      of: toHaproxy('lmtp', 'pipelining, 20 recipients, 4 KB', 'postern, 100,000 lists'),
      atLeast: '0.8',
      goal: '1.2',
    },
  },
  { name: 'SMTP 25 MB, to HAProxy', of: toHaproxy('smtp', 'sessions kept, 25 MB'), atLeast: '0.9', goal: '1.0' },
  { name: 'LMTP 25 MB, to HAProxy', of: toHaproxy('lmtp', 'sessions kept, 25 MB'), atLeast: '0.9', goal: '1.0' },
  {
    name: '1,000 rules more, beside the baseline',
    of: toBaseline('postern, 1,000 rules more'),
    atLeast: '0.9',
    goal: '0.97',
  },
  {
    name: '1,371 taboo patterns more, beside the baseline',
    ...{ of: toBaseline('postern, 1,371 taboo patterns more'), atLeast: '0.7', goal: '0.9' },
  },
  { name: '100,000 lists beside one', of: toBaseline('postern, 100,000 lists'), atLeast: '0.95', goal: '1.0' },
  {
    name: 'inline, beside Maildir and queue runner',
    ...{ of: ({ inline: { ratio } }) => ({ median: ratio, min: ratio, max: ratio }), atLeast: '5', goal: '8' },
  },
];

function find(rows: readonly RowResult[], subject: string, protocol: string, load: string): RowResult | undefined {
  return rows.find((row) => row.subject === subject && row.protocol === protocol && row.load === load);
}

function ratioCells(ratio: Spread | null): readonly string[] {
  if (ratio === null) return ['–', ''];
  const { median, min, max } = ratio;
  return [median.toFixed(2), min === max ? '' : `${min.toFixed(2)} – ${max.toFixed(2)}`];
}

function figures({ figures: measured }: Results, pattern: RegExp): string {
  return measured
    .filter(({ name }) => pattern.test(name))
    .map(({ name, figures: rows }: Measured) =>
      table(
        [name, 'measured', 'min – max', 'at most'],
        rows.map((figure) => {
          const { name: what, spread, unit, atMost } = figure;
          const range = spread === undefined ? '' : `${spread.min.toFixed(2)} – ${spread.max.toFixed(2)}`;
          return [what, showFigure(figure), range, atMost === null ? '' : `${atMost} ${unit}`];
        }),
      ),
    )
    .join('\n\n');
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en');
}

function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(headings), line(headings.map(() => '---')), ...rows.map(line)].join('\n');
}
