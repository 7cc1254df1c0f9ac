/**
 * tally - what `postern stats` shows: plain counts since the start, rates of the last minute, the busiest lists and rules.
 *
 * Unlike the metrics it knows lists and rules by name, in bounded memory. Tallies of several processes add up (`addUp`).
 */
import type { TransactionRecord } from '../core/log.ts';
import type { RuleTime } from '../rules/rule-clock.ts';
import type { ShadowCount } from '../rules/shadow-counts.ts';
import { classOf, type Detail, type Observer } from './observed-log.ts';
import { type Counted, ranked, TopCounts } from './top-counts.ts';

export interface DownstreamStats {
  readonly name: string;
  /** As last seen: false after a failure, until it takes a message again or a reload tries it. */
  readonly up: boolean;
  readonly deliveries: number;
  readonly failures: number;
  /** Milliseconds over all deliveries, and the longest one. */
  readonly total: number;
  readonly longest: number;
}

export interface Stats {
  /** Milliseconds since the epoch. */
  readonly since: number;
  readonly processes: number;
  readonly sessions: number;
  readonly connections: number;
  readonly contentInMemory: number;
  readonly transactions: number;
  readonly recipients: number;
  readonly lastMinute: { readonly transactions: number; readonly recipients: number; readonly refused: number };
  /** `relay`, `reject`, `defer`, `discard`, `none` to the number of recipients. */
  readonly verdicts: Readonly<Record<string, number>>;
  /** `2yz`, `4yz`, `5yz`, `none` likewise. */
  readonly replies: Readonly<Record<string, number>>;
  readonly downstreams: readonly DownstreamStats[];
  readonly lists: readonly Counted[];
  /** `RULESET: RULE` of the rules that decided. */
  readonly rules: readonly Counted[];
  /** The rules that took longest to be asked, on average over a sample, since they were read. */
  readonly slowest: readonly RuleTime[];
  /** Shadow rules, those that would have decided most often first, since they were read. */
  readonly shadows: readonly ShadowCount[];
}

/** What only the process itself can tell. */
export type Now = Pick<Stats, 'sessions' | 'connections' | 'contentInMemory' | 'slowest' | 'shadows'>;

/** Events of deliveries that failed, and all after which a downstream is taken to be down. */
const FAILED: readonly string[] = ['downstream-failed', 'downstream-unknown-outcome'];
const DOWN: readonly string[] = [...FAILED, 'downstream-unreachable', 'downstream-not-asked'];

const SHOWN = 20;
const PLACES = 200;
const SLOT = 5_000;
const SLOTS = 12;

interface Slot {
  readonly number: number;
  transactions: number;
  recipients: number;
  refused: number;
}

interface DownstreamCounts {
  up: boolean;
  deliveries: number;
  failures: number;
  total: number;
  longest: number;
}

export class Tally implements Observer {
  readonly #now: () => number;
  readonly #since: number;
  readonly #verdicts = new Map<string, number>();
  readonly #replies = new Map<string, number>();
  readonly #downstreams = new Map<string, DownstreamCounts>();
  readonly #lists = new TopCounts(PLACES);
  readonly #rules = new TopCounts(PLACES);
  #slots: Slot[] = [];
  #transactions = 0;
  #recipients = 0;

  /** `now`: milliseconds since the epoch. */
  constructor(now: () => number) {
    this.#now = now;
    this.#since = now();
  }

  transaction({ recipients }: TransactionRecord): void {
    const slot = this.#slot();
    this.#transactions += 1;
    this.#recipients += recipients.length;
    slot.transactions += 1;
    slot.recipients += recipients.length;
    for (const { list, ruleset, rule, verdict, reply, downstream, ms } of recipients) {
      const answer = classOf(reply);
      if (answer === '4yz' || answer === '5yz') slot.refused += 1;
      increase(this.#verdicts, verdict);
      increase(this.#replies, answer);
      this.#lists.add(list);
      if (rule !== null) this.#rules.add(`${ruleset ?? ''}: ${rule}`);
      if (downstream === null || ms === null) continue;
      const counts = this.#downstream(downstream);
      counts.deliveries += 1;
      counts.total += ms;
      counts.longest = Math.max(counts.longest, ms);
      if (answer === '2yz') counts.up = true;
    }
  }

  event(_level: string, event: string, { downstream }: Detail): void {
    if (typeof downstream !== 'string' || !DOWN.includes(event)) return;
    const counts = this.#downstream(downstream);
    counts.up = false;
    if (FAILED.includes(event)) counts.failures += 1;
  }

  /** After a reload, which tries each of them. */
  assumeAllUp(): void {
    for (const counts of this.#downstreams.values()) counts.up = true;
  }

  isUp(downstream: string): boolean {
    return this.#downstreams.get(downstream)?.up ?? true;
  }

  /** `names` are the downstreams in force; others are left out. */
  stats(live: Now, names: readonly string[]): Stats {
    this.#slot();
    return {
      since: this.#since,
      processes: 1,
      sessions: live.sessions,
      connections: live.connections,
      contentInMemory: live.contentInMemory,
      transactions: this.#transactions,
      recipients: this.#recipients,
      lastMinute: {
        transactions: sum(this.#slots, (slot) => slot.transactions),
        recipients: sum(this.#slots, (slot) => slot.recipients),
        refused: sum(this.#slots, (slot) => slot.refused),
      },
      verdicts: Object.fromEntries(this.#verdicts),
      replies: Object.fromEntries(this.#replies),
      downstreams: names.map((name) => ({ name, ...this.#downstream(name) })),
      lists: this.#lists.top(SHOWN),
      rules: this.#rules.top(SHOWN),
      slowest: slowest(live.slowest),
      shadows: foremost(live.shadows),
    };
  }

  #downstream(name: string): DownstreamCounts {
    let counts = this.#downstreams.get(name);
    if (counts === undefined) {
      counts = { up: true, deliveries: 0, failures: 0, total: 0, longest: 0 };
      this.#downstreams.set(name, counts);
    }
    return counts;
  }

  /** The slot of this moment; those older than a minute are dropped. */
  #slot(): Slot {
    const number = Math.floor(this.#now() / SLOT);
    const last = this.#slots.at(-1);
    if (last?.number === number) return last;
    const fresh = { number, transactions: 0, recipients: 0, refused: 0 };
    this.#slots = [...this.#slots.filter((slot) => slot.number > number - SLOTS), fresh];
    return fresh;
  }
}

/** The sum over processes; the earliest start; a downstream is up where every process says so. */
export function addUp(all: readonly Stats[]): Stats {
  const counts = (of: (stats: Stats) => Readonly<Record<string, number>>): Record<string, number> =>
    Object.fromEntries(together(all.map((one) => Object.entries(of(one)).map(([name, count]) => ({ name, count })))));
  const top = (of: (stats: Stats) => readonly Counted[]): readonly Counted[] =>
    ranked([...together(all.map(of))].map(([name, count]) => ({ name, count }))).slice(0, SHOWN);
  return {
    since: Math.min(...all.map(({ since }) => since)),
    processes: sum(all, (one) => one.processes),
    sessions: sum(all, (one) => one.sessions),
    connections: sum(all, (one) => one.connections),
    contentInMemory: sum(all, (one) => one.contentInMemory),
    transactions: sum(all, (one) => one.transactions),
    recipients: sum(all, (one) => one.recipients),
    lastMinute: {
      transactions: sum(all, (one) => one.lastMinute.transactions),
      recipients: sum(all, (one) => one.lastMinute.recipients),
      refused: sum(all, (one) => one.lastMinute.refused),
    },
    verdicts: counts(({ verdicts }) => verdicts),
    replies: counts(({ replies }) => replies),
    downstreams: [...new Set(all.flatMap(({ downstreams }) => downstreams.map(({ name }) => name)))].map((name) => {
      const ones = all.flatMap(({ downstreams }) => downstreams.filter((one) => one.name === name));
      return {
        name,
        up: ones.every(({ up }) => up),
        deliveries: sum(ones, (one) => one.deliveries),
        failures: sum(ones, (one) => one.failures),
        total: sum(ones, (one) => one.total),
        longest: Math.max(...ones.map(({ longest }) => longest)),
      };
    }),
    lists: top(({ lists }) => lists),
    rules: top(({ rules }) => rules),
    slowest: slowest(
      byRule(all.flatMap((one) => one.slowest)).map((ones) => ({
        ...ones[0],
        measured: sum(ones, ({ measured }) => measured),
        total: sum(ones, ({ total }) => total),
        longest: Math.max(...ones.map(({ longest }) => longest)),
      })),
    ),
    shadows: foremost(
      byRule(all.flatMap((one) => one.shadows)).map((ones) => ({
        ...ones[0],
        asked: sum(ones, ({ asked }) => asked),
        matched: sum(ones, ({ matched }) => matched),
      })),
    ),
  };
}

function slowest(all: readonly RuleTime[]): readonly RuleTime[] {
  const mean = ({ total, measured }: RuleTime): number => total / measured;
  return [...all].sort((a, b) => mean(b) - mean(a)).slice(0, SHOWN);
}

function foremost(all: readonly ShadowCount[]): readonly ShadowCount[] {
  return [...all].sort((a, b) => b.matched - a.matched || b.asked - a.asked).slice(0, SHOWN);
}

/** What is of the same rule, together. */
function byRule<T extends { readonly ruleset: string; readonly rule: string }>(
  all: readonly T[],
): readonly [T, ...T[]][] {
  const groups = new Map<string, [T, ...T[]]>();
  for (const one of all) {
    const key = `${one.ruleset}\n${one.rule}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [one]);
    else group.push(one);
  }
  return [...groups.values()];
}

function together(all: readonly (readonly Counted[])[]): Map<string, number> {
  const sums = new Map<string, number>();
  for (const { name, count } of all.flat()) increase(sums, name, count);
  return sums;
}

function increase(counts: Map<string, number>, name: string, by = 1): void {
  counts.set(name, (counts.get(name) ?? 0) + by);
}

function sum<T>(all: readonly T[], of: (one: T) => number): number {
  return all.reduce((total, one) => total + of(one), 0);
}
