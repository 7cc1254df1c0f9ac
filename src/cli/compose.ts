/**
 * compose - the only place where the parts meet: Config -> rulebook, downstreams, pipeline, listeners.
 *
 * What a reload replaces is a generation: rulebook, downstreams and pipeline that belong together. A transaction stays
 * with the generation it began in.
 */
import { createSecureContext } from 'node:tls';
import { containedIn, formatAddress } from '../config/address.ts';
import type { Config, DownstreamConfig, ListenerConfig } from '../config/config.ts';
import { routeOf } from '../config/routes.ts';
import type { Diagnostic } from '../core/diagnostic.ts';
import { isWarning } from '../core/diagnostic.ts';
import type { Log } from '../core/log.ts';
import type { Mailbox } from '../core/mailbox.ts';
import type { Downstream } from '../downstream/downstream.ts';
import { createMaildirDownstream } from '../downstream/maildir.ts';
import { createPipeDownstream } from '../downstream/pipe.ts';
import { createServerDownstream } from '../downstream/server-downstream.ts';
import { createTls } from '../downstream/tls.ts';
import { Spool } from '../mail/spool.ts';
import type { Remembered } from '../pipeline/served.ts';
import { createPipeline, type Pipeline } from '../pipeline/pipeline.ts';
import { type LastGood, rememberLastGood } from '../rules/list-rulesets.ts';
import { openRulebook, type Rulebook } from '../rules/rulebook.ts';
import { splitAddress } from '../rules/select.ts';
import { Listener } from '../server/listener.ts';
import type { Offers, Site } from '../server/site.ts';
import type { Ledger } from '../store/ledger.ts';
import { BoundedCache } from '../store/memory.ts';
import { memoryLedger } from '../store/memory-ledger.ts';

/** What must be remembered from one SMTP transaction to its retry; MTAs try for days, but the first tries are what counts. */
const REMEMBERED_FOR = 4 * 60 * 60 * 1000;
const MOST_REMEMBERED = 100_000;

/** What outlives a reload. */
export interface Lasting {
  readonly memory: Remembered<string>;
  readonly ledger: Ledger;
  readonly lastGood: LastGood;
  close(): void;
}

export function composeLasting(): Lasting {
  const memory = new BoundedCache<string>({ maxEntries: MOST_REMEMBERED, ttl: REMEMBERED_FOR });
  const ledger = memoryLedger();
  const lastGood = rememberLastGood();
  const close = (): void => {
    for (const one of [memory, ledger, lastGood]) one.close();
  };
  return { memory, ledger, lastGood, close };
}

export interface Generation {
  readonly config: Config;
  readonly rulebook: Rulebook;
  readonly pipeline: Pipeline;
  readonly downstreams: ReadonlyMap<string, Downstream>;
  /** Octets of content held in memory. */
  contentInMemory(): number;
  close(): Promise<void>;
}

/** The rules of a configuration, without sockets: what `check` and `explain` need. */
export function composeRules(
  config: Config,
  log: Log,
  lasting?: Pick<Lasting, 'ledger' | 'lastGood'>,
): ReturnType<typeof openRulebook> {
  const { system, presets, lists } = config.rules;
  const may = { ...config.rules.may, file: config.file };
  const downstreams = config.downstreams.map(({ name }) => name);
  const maildirs = config.downstreams.filter(({ kind }) => kind === 'maildir').map(({ name }) => name);
  return openRulebook({ ...lasting, system, presets, lists, may, downstreams, maildirs, log });
}

function composeDownstream(config: Config, downstream: DownstreamConfig, log: Log): Downstream {
  const { name } = downstream;
  if (downstream.kind === 'maildir') {
    const { folder, layout } = downstream;
    return createMaildirDownstream({ name, folder, layout, hostname: config.hostname, log });
  }
  if (downstream.kind === 'pipe') {
    const { program, connections } = downstream;
    const dialect = config.rules.lists?.dialect ?? 'mailman';
    const split = (mailbox: Mailbox) => splitAddress(mailbox, dialect);
    return createPipeDownstream({ name, program, connections, split, timeout: config.timeouts.reply, log });
  }
  const { kind: protocol, addresses, connections, xforward, verifyRecipients, tls } = downstream;
  const { connect, reply } = config.timeouts;
  return createServerDownstream({
    name,
    protocol,
    addresses,
    connections,
    helo: config.hostname,
    xforward,
    verifyRecipients,
    tls:
      tls === null ? null : createTls(tls.mode === 'required', tls.authorities?.certificates ?? null, tls.serverName),
    timeouts: { connect, reply },
    log,
  });
}

interface Composed {
  readonly generation: Generation | null;
  readonly diagnostics: readonly Diagnostic[];
  readonly sources: ReadonlyMap<string, string>;
}

/**
 * Null with diagnostics where the rules do not load, or their own cases fail. What is `lasting` the generation does not
 * close: a reload forgets nothing.
 */
export async function composeGeneration(config: Config, log: Log, lasting: Lasting): Promise<Composed> {
  const { rulebook, diagnostics: read, sources } = composeRules(config, log, lasting);
  const diagnostics = [...read, ...((await rulebook?.checkSystem()) ?? [])];
  if (rulebook === null || diagnostics.some((diagnostic) => !isWarning(diagnostic))) {
    rulebook?.close();
    return { generation: null, diagnostics, sources };
  }
  const downstreams = new Map(config.downstreams.map((one) => [one.name, composeDownstream(config, one, log)]));
  const spool = new Spool({ memoryBudget: config.limits.memory });
  const pipeline = createPipeline({
    hostname: config.hostname,
    rulebook,
    route: (mailbox) => routeOf(config.routes, mailbox),
    downstreams,
    spool,
    memory: lasting.memory,
    log,
    now: Date.now,
  });
  const close = async (): Promise<void> => {
    rulebook.close();
    await Promise.all([...downstreams.values()].map((downstream) => downstream.close()));
  };
  const contentInMemory = (): number => spool.inMemory;
  return { generation: { config, rulebook, pipeline, downstreams, contentInMemory, close }, diagnostics, sources };
}

export function listenerName(listener: ListenerConfig): string {
  return `${listener.protocol}:${formatAddress(listener.address)}`;
}

/** Asked at every hello: what the downstreams said last. */
function offersOf(generation: Generation): () => Offers {
  const downstreams = [...generation.downstreams.values()];
  return () => {
    const told = downstreams.map((downstream) => downstream.offers?.() ?? null);
    const sizes = told.flatMap((offers) => offers?.size ?? []);
    return {
      size: Math.min(generation.config.limits.message, ...sizes),
      smtputf8: told.every((offers) => offers?.smtputf8 === true),
      dsn: told.every((offers) => offers?.dsn === true),
    };
  };
}

function siteOf(generation: Generation, listener: ListenerConfig, connections: () => number, log: Log): Site {
  const { limits, hostname, timeouts } = generation.config;
  const { protocol, clientFrom, mixed, refuseAt, deadline, received, dsn, chunking, tls } = listener;
  const offers = offersOf(generation);
  return {
    protocol,
    hostname,
    entrance: {
      name: listenerName(listener),
      replies: protocol === 'lmtp' ? 'each' : 'one',
      mixed,
      refuseAt,
      deadline,
      received,
    },
    clientFrom,
    trusts: containedIn(listener.trust),
    chunking,
    tls:
      tls === null ? null : createSecureContext({ cert: tls.certificate, key: tls.privateKey, minVersion: 'TLSv1.2' }),
    limits: { size: limits.message, bareNewline: limits.bareNewline, recipients: limits.recipients },
    sessions: {
      perPeer: limits.connectionsPerPeer ?? limits.connections,
      errors: limits.errors,
      commands: limits.commands,
    },
    clientTimeout: timeouts.client,
    log,
    pipeline: () => generation.pipeline,
    offers: () => ({ ...offers(), ...(dsn ? {} : { dsn: false }) }),
    isFull: () => connections() > limits.connections,
  };
}

/**
 * `current` gives the generation in force, `connections` the number of open sessions of all listeners. Where a reload
 * changes what the listener promises, new sessions and new transactions get it; the socket stays open. `fd`: that socket,
 * where somebody else has opened it.
 */
export function composeListener(
  listener: ListenerConfig,
  current: () => Generation,
  connections: () => number,
  log: Log,
  fd: number | null = null,
): Listener {
  const name = listenerName(listener);
  let known: { readonly generation: Generation; readonly site: Site } | null = null;
  const site = (): Site => {
    const generation = current();
    if (known?.generation !== generation) {
      const wanted = generation.config.listen.find((other) => listenerName(other) === name) ?? listener;
      known = { generation, site: siteOf(generation, wanted, connections, log) };
    }
    return known.site;
  };
  return new Listener({ address: listener.address, mode: listener.mode, fd }, site);
}
