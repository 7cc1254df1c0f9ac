/**
 * scenarios - what is measured, as data: the loads, and who stands between smtp-source and smtp-sink.
 *
 * A new size, another number of sessions or one more server is one more line here.
 */

export type Protocol = 'smtp' | 'lmtp';

export interface Load {
  readonly name: string;
  /** Octets of a message without its header section. */
  readonly size: number;
  /** Sessions at a time. */
  readonly sessions: number;
  /** Whether a session goes on with the next message, or ends after one. */
  readonly kept: boolean;
  /** Messages of a round where the command line names no number: about a second of the fastest row. */
  readonly messages: number;
}

export const LOADS: readonly Load[] = [
  { name: 'sessions kept', size: 4096, sessions: 20, kept: true, messages: 10_000 },
  { name: 'one message a connection', size: 4096, sessions: 20, kept: false, messages: 5_000 },
];

/** Postern with other rules than the baseline, which `postern` has; what they are is in rulesets.ts. */
export const RULESETS = [
  'postern, no rules',
  'postern, 1,000 rules more',
  'postern, 1,371 taboo patterns more',
  'postern, 100,000 lists',
] as const;
export type RulesetName = (typeof RULESETS)[number];

/** `sink`: smtp-source speaks to smtp-sink directly. */
export type SubjectName = 'sink' | 'haproxy' | 'postern' | RulesetName;

export interface Row {
  readonly name: string;
  readonly subject: SubjectName;
  readonly protocol: Protocol;
  readonly load: Load;
}

export const SUBJECTS: readonly SubjectName[] = ['sink', 'haproxy', 'postern'];
export const PROTOCOLS: readonly Protocol[] = ['smtp', 'lmtp'];

/** Every subject with every protocol under every load; a row is measured once a round, in this order. */
export const ROWS: readonly Row[] = LOADS.flatMap((load) =>
  PROTOCOLS.flatMap((protocol) =>
    subjectsOf(protocol, load).map((subject) => ({
      name: `${subject} ${protocol}, ${load.name}`,
      subject,
      protocol,
      load,
    })),
  ),
);

/** What rules cost is measured where little else costs. */
function subjectsOf(protocol: Protocol, load: Load): readonly SubjectName[] {
  return protocol === 'smtp' && load.kept ? [...SUBJECTS, ...RULESETS] : SUBJECTS;
}

/** The row with which `row` is compared: the same load and protocol through another subject. */
export function counterpart(row: Row, subject: SubjectName, rows: readonly Row[]): Row | undefined {
  return rows.find((other) => other.subject === subject && other.protocol === row.protocol && other.load === row.load);
}
