/**
 * compose - the only place where the parts meet: Config -> rulebook, downstreams, pipeline, listeners.
 *
 * What a reload replaces is a generation: rulebook, downstreams and pipeline that belong together. A transaction stays
 * with the generation it began in.
 */
import { containedIn, formatAddress } from '../config/address.ts';
import type { Config, DownstreamConfig, ListenerConfig } from '../config/config.ts';
import { routeOf } from '../config/routes.ts';
import type { Diagnostic } from '../core/diagnostic.ts';
import { isWarning } from '../core/diagnostic.ts';
import type { Log } from '../core/log.ts';
import type { Downstream } from '../downstream/downstream.ts';
import { createMaildirDownstream } from '../downstream/maildir.ts';
import { createServerDownstream } from '../downstream/server-downstream.ts';
import { Spool } from '../mail/spool.ts';
import { createPipeline, type Pipeline } from '../pipeline/pipeline.ts';
import { openRulebook, type Rulebook } from '../rules/rulebook.ts';
import { Listener } from '../server/listener.ts';
import type { Offers, Site } from '../server/site.ts';
import type { Ledger } from '../store/ledger.ts';

/** Of each message this much stays in memory; the rest goes to a temporary file. */
const MEMORY_OF_ONE_MESSAGE = 1024 * 1024;

export interface Generation {
  readonly config: Config;
  readonly rulebook: Rulebook;
  readonly pipeline: Pipeline;
  readonly downstreams: ReadonlyMap<string, Downstream>;
  close(): Promise<void>;
}

/** The rules of a configuration, without sockets: what `check` and `explain` need. */
export function composeRules(config: Config, log: Log, ledger?: Ledger): ReturnType<typeof openRulebook> {
  const { system, lists } = config.rules;
  const downstreams = config.downstreams.map(({ name }) => name);
  return openRulebook({ system, lists, downstreams, log, ...(ledger === undefined ? {} : { ledger }) });
}

function composeDownstream(config: Config, downstream: DownstreamConfig, log: Log): Downstream {
  const { name } = downstream;
  if (downstream.kind === 'maildir') {
    const { folder, layout } = downstream;
    return createMaildirDownstream({ name, folder, layout, hostname: config.hostname, log });
  }
  const { kind: protocol, address, xforward } = downstream;
  const { connect, reply } = config.timeouts;
  return createServerDownstream({
    name,
    protocol,
    address,
    helo: config.hostname,
    xforward,
    timeouts: { connect, reply },
    log,
  });
}

/** Null with diagnostics where the rules do not load. `ledger` lives longer: a reload forgets nothing. */
export function composeGeneration(
  config: Config,
  log: Log,
  ledger?: Ledger,
): {
  readonly generation: Generation | null;
  readonly diagnostics: readonly Diagnostic[];
  readonly sources: ReadonlyMap<string, string>;
} {
  const { rulebook, diagnostics, sources } = composeRules(config, log, ledger);
  if (rulebook === null || diagnostics.some((diagnostic) => !isWarning(diagnostic))) {
    rulebook?.close();
    return { generation: null, diagnostics, sources };
  }
  const downstreams = new Map(config.downstreams.map((one) => [one.name, composeDownstream(config, one, log)]));
  const pipeline = createPipeline({
    hostname: config.hostname,
    rulebook,
    route: (mailbox) => routeOf(config.routes, mailbox),
    downstreams,
    spool: new Spool({ memoryBudget: config.limits.memory, perMessage: MEMORY_OF_ONE_MESSAGE }),
    log,
    now: Date.now,
  });
  const close = async (): Promise<void> => {
    rulebook.close();
    await Promise.all([...downstreams.values()].map((downstream) => downstream.close()));
  };
  return { generation: { config, rulebook, pipeline, downstreams, close }, diagnostics, sources };
}

export function listenerName(listener: ListenerConfig): string {
  return `${listener.protocol}:${formatAddress(listener.address)}`;
}

function offersOf(generation: Generation): Offers {
  const told = [...generation.downstreams.values()].map((downstream) => downstream.offers?.() ?? null);
  const sizes = told.flatMap((offers) => offers?.size ?? []);
  const every = (test: (offers: NonNullable<(typeof told)[number]>) => boolean): boolean =>
    told.every((offers) => offers !== null && test(offers));
  return {
    size: Math.min(generation.config.limits.message, ...sizes),
    smtputf8: every(({ smtputf8 }) => smtputf8),
    dsn: every(({ dsn }) => dsn),
  };
}

/** `current` gives the generation in force, `connections` the number of open sessions of all listeners. */
export function composeListener(
  listener: ListenerConfig,
  current: () => Generation,
  connections: () => number,
  log: Log,
): Listener {
  const name = listenerName(listener);
  const trusts = containedIn(listener.trust);
  const site = (): Site => {
    const { config } = current();
    const { limits, hostname } = config;
    return {
      protocol: listener.protocol,
      hostname,
      entrance: {
        name,
        replies: listener.protocol === 'lmtp' ? 'each' : 'one',
        refuseAt: listener.refuseAt,
        deadline: listener.deadline,
        received: listener.received,
      },
      clientFrom: listener.clientFrom,
      trusts,
      limits: { size: limits.message, bareNewline: limits.bareNewline, recipients: limits.recipients },
      log,
      pipeline: () => current().pipeline,
      // Success reports promised over LMTP would be ours to write, and we write no mail.
      offers: () => ({ ...offersOf(current()), ...(listener.protocol === 'lmtp' ? { dsn: false } : {}) }),
      isFull: () => connections() > limits.connections,
    };
  };
  const { address, mode } = listener;
  return new Listener({ address, mode, clientTimeout: current().config.timeouts.client }, site);
}
