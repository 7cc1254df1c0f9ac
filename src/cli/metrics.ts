/**
 * metrics - counters, histograms and gauges in the text format of Prometheus, of one process or summed over several.
 *
 * Labels come from the configuration or from the code (listener, downstream, verdict, phase, stage, event), never from
 * mail: their number is bounded. What is known of lists and rules is in tally.ts.
 */
import { createRequire } from 'node:module';
import type { Counter, Histogram } from 'prom-client';
import type { TransactionRecord } from '../core/log.ts';
import { classOf, type Detail, type Observer } from './observed-log.ts';

/** What is true at the moment of asking. */
export interface Live {
  readonly listeners: readonly { readonly name: string; readonly sessions: number; readonly connections: number }[];
  /** Octets of content in memory, of the generation in force. */
  readonly contentInMemory: number;
  /** When the generation in force was loaded, milliseconds since the epoch. */
  readonly loaded: number;
  readonly downstreams: readonly { readonly name: string; readonly up: boolean }[];
}

/** The metrics of one process, to be sent to another and summed. */
export type Sample = readonly object[];

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];
const STAGES = ['content', 'rules', 'delivery'] as const;
const OCTETS = [1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864];

/** Loaded only where somebody may ask for metrics: it takes 13 MB. */
function library(): typeof import('prom-client') {
  return createRequire(import.meta.url)('prom-client') as typeof import('prom-client');
}

export class Metrics implements Observer {
  readonly #library = library();
  readonly #registry = new this.#library.Registry();
  readonly #transactions = this.#counter('transactions_total', 'Transactions by how they ended', ['listener', 'end']);
  readonly #seconds = this.#histogram('transaction_seconds', 'From MAIL to the last reply', ['listener'], SECONDS);
  readonly #stages = this.#histogram(
    'stage_seconds',
    'Of messages that somebody was to get: content, rules, delivery',
    ['listener', 'stage'],
    SECONDS,
  );
  readonly #octets = this.#histogram('message_octets', 'Size of messages received whole', ['listener'], OCTETS);
  readonly #recipients = this.#counter('recipients_total', 'Recipients by verdict and class of reply', [
    'listener',
    'verdict',
    'phase',
    'reply',
  ]);
  readonly #deliveries = this.#counter('deliveries_total', 'Recipients handed to a downstream, by class of reply', [
    'downstream',
    'reply',
  ]);
  readonly #delivery = this.#histogram(
    'delivery_seconds',
    'From asking a downstream to its reply, a recipient',
    ['downstream'],
    SECONDS,
  );
  readonly #failures = this.#counter('downstream_failures_total', 'Dialogues with a downstream that failed', [
    'downstream',
    'stage',
    'failure',
  ]);
  readonly #limits = this.#counter('limits_total', 'Clients that were told that they are at a limit', [
    'listener',
    'limit',
  ]);
  readonly #events = this.#counter('events_total', 'Events of the log but transactions', ['level', 'event']);

  /** `live` is asked at each scrape; it answers null where this process takes no mail. `now`: as for `loaded`. */
  constructor(live: () => Live | null, now: () => number) {
    this.#library.collectDefaultMetrics({ register: this.#registry });
    this.#gauges(live, now);
  }

  transaction({ listener, end, ms, stages, size, recipients }: TransactionRecord): void {
    this.#transactions.inc({ listener, end });
    this.#seconds.observe({ listener }, ms / 1000);
    if (end === 'complete') this.#octets.observe({ listener }, size);
    for (const stage of STAGES)
      if (stages !== undefined) this.#stages.observe({ listener, stage }, stages[stage] / 1000);
    if (end === 'too-large') this.#limits.inc({ listener, limit: 'message' });
    for (const { verdict, phase, reply, downstream, ms: asked } of recipients) {
      this.#recipients.inc({ listener, verdict, phase: phase ?? 'none', reply: classOf(reply) });
      if (downstream === null || asked === null) continue;
      this.#deliveries.inc({ downstream, reply: classOf(reply) });
      this.#delivery.observe({ downstream }, asked / 1000);
    }
  }

  event(level: 'info' | 'warn' | 'error', event: string, detail: Detail): void {
    const { listener, limit, downstream, stage, failure } = detail;
    this.#events.inc({ level, event });
    if (typeof listener === 'string' && typeof limit === 'string') this.#limits.inc({ listener, limit });
    if (typeof downstream !== 'string' || typeof stage !== 'string') return;
    this.#failures.inc({ downstream, stage, failure: String(failure) });
  }

  async sample(): Promise<Sample> {
    return await this.#registry.getMetricsAsJSON();
  }

  #gauges(live: () => Live | null, now: () => number): void {
    const gauge = (
      name: string,
      help: string,
      label: 'listener' | 'downstream' | null,
      values: (live: Live) => readonly (readonly [string, number])[],
      aggregator: 'sum' | 'max' | 'min' = 'sum',
    ): void => {
      new this.#library.Gauge({
        name: `postern_${name}`,
        help,
        aggregator,
        labelNames: label === null ? [] : [label],
        registers: [this.#registry],
        collect() {
          // What a reload took away must not be told for ever.
          this.reset();
          const told = live();
          if (told === null) return;
          for (const [of, value] of values(told)) this.set(label === null ? {} : { [label]: of }, value);
        },
      });
    };
    gauge('sessions', 'Sessions, to the record of their last transaction', 'listener', ({ listeners }) =>
      listeners.map(({ name, sessions }) => [name, sessions]),
    );
    gauge('connections', 'Open connections', 'listener', ({ listeners }) =>
      listeners.map(({ name, connections }) => [name, connections]),
    );
    gauge('content_memory_octets', 'Content held in memory', null, (one) => [['', one.contentInMemory]]);
    gauge(
      'rules_age_seconds',
      'Since configuration and rules were loaded',
      null,
      (one) => [['', (now() - one.loaded) / 1000]],
      'max',
    );
    gauge(
      'downstream_up',
      'Whether a downstream worked when it was last seen',
      'downstream',
      ({ downstreams }) => downstreams.map(({ name, up }) => [name, up ? 1 : 0]),
      'min',
    );
  }

  #counter<L extends string>(name: string, help: string, labelNames: readonly L[]): Counter<L> {
    return new this.#library.Counter({ name: `postern_${name}`, help, labelNames, registers: [this.#registry] });
  }

  #histogram<L extends string>(name: string, help: string, labelNames: readonly L[], buckets: number[]): Histogram<L> {
    return new this.#library.Histogram({
      name: `postern_${name}`,
      help,
      labelNames,
      buckets,
      registers: [this.#registry],
    });
  }
}

/** The text of `/metrics`: the sum of the samples (of the oldest generation, the least healthy downstream). */
export async function printMetrics(samples: readonly Sample[]): Promise<string> {
  return await library()
    .AggregatorRegistry.aggregate([...samples])
    .metrics();
}

export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
