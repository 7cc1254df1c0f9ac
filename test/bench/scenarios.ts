/**
 * scenarios - what is measured, as data: ways to send, sizes, and who stands between the client and smtp-sink.
 *
 * A new size, another way to send or one more server is one more line here. Every combination is a row that --only and
 * --all reach; USUAL is what a run without them measures, in ten minutes.
 */

export type Protocol = 'smtp' | 'lmtp';
export const PROTOCOLS: readonly Protocol[] = ['smtp', 'lmtp'];

interface Way {
  readonly name: string;
  /** smtp-source waits for each reply; the other one writes MAIL, every RCPT and DATA together. */
  readonly client: 'smtp-source' | 'pipelining';
  /** Whether a session goes on with the next message, or ends after one. */
  readonly kept: boolean;
  /** Each of another list. */
  readonly recipients: number;
  /** Of the messages of a size. */
  readonly share: number;
}

interface Size {
  readonly name: string;
  /** Octets of a message without its header section. */
  readonly octets: number;
  /** Sessions at a time. */
  readonly sessions: number;
  /** Messages of a round: about a second of the fastest row. */
  readonly messages: number;
}

export interface Load {
  readonly name: string;
  readonly way: Way;
  readonly size: Size;
}

export const WAYS: readonly Way[] = [
  { name: 'sessions kept', client: 'smtp-source', kept: true, recipients: 1, share: 1 },
  { name: 'one message a connection', client: 'smtp-source', kept: false, recipients: 1, share: 0.5 },
  { name: 'pipelining', client: 'pipelining', kept: true, recipients: 1, share: 1 },
  { name: 'pipelining, 20 recipients', client: 'pipelining', kept: true, recipients: 20, share: 1 },
];

export const SIZES: readonly Size[] = [
  { name: '1 KB', octets: 1024, sessions: 20, messages: 8_000 },
  { name: '4 KB', octets: 4096, sessions: 20, messages: 8_000 },
  { name: '100 KB', octets: 100 * 1024, sessions: 20, messages: 2_000 },
  { name: '5 MB', octets: 5 * 1024 * 1024, sessions: 4, messages: 60 },
  { name: '25 MB', octets: 25 * 1024 * 1024, sessions: 4, messages: 16 },
];

/** The shipped rules refuse what is larger; these sizes meet the same rules with that limit raised. */
const LARGE = 20 * 1000 * 1000;

export function isLarge({ size }: Load): boolean {
  return size.octets > LARGE;
}

export const LOADS: readonly Load[] = WAYS.flatMap((way) =>
  SIZES.map((size) => ({ name: `${way.name}, ${size.name}`, way, size })),
);

/** Postern with the shipped rules, and what differs from that; what it is, is in rulesets.ts. */
export const VARIANTS = [
  'postern',
  'postern, workers: cores',
  'postern, no rules',
  'postern, 1,000 rules more',
  'postern, 1,371 taboo patterns more',
  'postern, one list',
  'postern, 100,000 lists',
] as const;
export type VariantName = (typeof VARIANTS)[number];

/** What else could stand there, where it is installed; how, is in peers.ts. SMTP only. */
export const PEERS = ['postfix, proxy filter', 'aiosmtpd, one regex', 'haraka, one regex'] as const;
export type PeerName = (typeof PEERS)[number];
/** Peers take longer for a message. */
const SHARE_OF_PEERS = 0.15;

/** `sink`: the client speaks to smtp-sink directly. `bare pipe`: Node hands octets on, unread. */
export type SubjectName = 'sink' | 'haproxy' | 'bare pipe' | VariantName | PeerName;

export interface Row {
  readonly name: string;
  readonly subject: SubjectName;
  readonly protocol: Protocol;
  readonly load: Load;
  /** Messages of a round where the command line names no number. */
  readonly messages: number;
}

const PATHS: readonly SubjectName[] = ['sink', 'haproxy', 'postern'];
const WITH_WORKERS: readonly SubjectName[] = [...PATHS, 'postern, workers: cores'];
const EVERY: readonly SubjectName[] = ['sink', 'haproxy', 'bare pipe', ...VARIANTS, ...PEERS];

const USUAL: Readonly<Record<Protocol, Readonly<Record<string, readonly SubjectName[]>>>> = {
  smtp: {
    'sessions kept, 1 KB': PATHS,
    'sessions kept, 4 KB': EVERY,
    'sessions kept, 100 KB': PATHS,
    'sessions kept, 5 MB': PATHS,
    'sessions kept, 25 MB': PATHS,
    'one message a connection, 4 KB': WITH_WORKERS,
    'pipelining, 4 KB': PATHS,
  },
  lmtp: {
    'sessions kept, 4 KB': WITH_WORKERS,
    'sessions kept, 25 MB': PATHS,
    'one message a connection, 4 KB': PATHS,
    'pipelining, 20 recipients, 4 KB': ['bare pipe', ...WITH_WORKERS, 'postern, 100,000 lists'],
  },
};

/** A row is measured once a round, in this order. */
export const ROWS: readonly Row[] = LOADS.flatMap((load) =>
  PROTOCOLS.flatMap((protocol) =>
    EVERY.filter((subject) => protocol === 'smtp' || !isPeer(subject)).map((subject) => ({
      name: `${subject} ${protocol}, ${load.name}`,
      subject,
      protocol,
      load,
      messages: messagesOf(load, subject),
    })),
  ),
);

export const USUAL_ROWS: readonly Row[] = ROWS.filter(
  ({ subject, protocol, load }) => USUAL[protocol][load.name]?.includes(subject) === true,
);

export function isPeer(subject: SubjectName): subject is PeerName {
  return PEERS.some((name) => name === subject);
}

function messagesOf({ way, size }: Load, subject: SubjectName): number {
  const share = way.share * (isPeer(subject) ? SHARE_OF_PEERS : 1);
  return Math.max(size.sessions, Math.round(size.messages * share));
}

/** The row with which `row` is compared: the same load and protocol through another subject. */
export function counterpart(row: Row, subject: SubjectName, rows: readonly Row[]): Row | undefined {
  return rows.find((other) => other.subject === subject && other.protocol === row.protocol && other.load === row.load);
}

/** To which Postern another one is compared. */
export function baselineOf(subject: SubjectName): SubjectName | null {
  if (subject === 'postern, 100,000 lists') return 'postern, one list';
  return subject !== 'postern' && VARIANTS.some((name) => name === subject) ? 'postern' : null;
}
