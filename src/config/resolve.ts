/**
 * resolve - what the file says as what the program uses: paths made absolute, the defaults that depend on other keys.
 */
import { hostname as machineName } from 'node:os';
import { dirname, resolve } from 'node:path';
import { type Layout, type LayoutScheme, PLAIN } from '../core/layout.ts';
import type { Address } from './address.ts';
import type { Config, DownstreamConfig, DownstreamTls, ListenerConfig, ListsConfig } from './config.ts';
import type { ReadAuthorities, ReadKeyPair } from './key-pair.ts';
import type { DownstreamSettings, ListenerSettings, Settings } from './schema.ts';
import { isHostName } from './values.ts';

/** Postfix gives up on a proxy filter after 100 seconds (smtpd_proxy_timeout), on an LMTP server after ten minutes. */
const DEFAULT_DEADLINE: Readonly<Record<'lmtp' | 'smtp', number>> = { lmtp: 300_000, smtp: 90_000 };

const DEFAULT_PROCESSES = 4;

/** `settings` have passed `check`. */
export function resolveConfig(
  file: string,
  settings: Settings,
  readKeyPair: ReadKeyPair,
  readAuthorities: ReadAuthorities,
): Config {
  const folder = dirname(resolve(file));
  const at = (path: string) => resolve(folder, path);
  const { limits, rules } = settings;
  return {
    file: resolve(file),
    hostname: settings.hostname ?? ownName(),
    listen: settings.listen.map((listener) => resolveListener(listener, at, readKeyPair)),
    downstreams: Object.entries(settings.downstreams).map(([name, one]) =>
      resolveDownstream(name, one, at, readAuthorities),
    ),
    routes: settings.routes.map((route) => ({ recipients: route.recipients ?? null, to: route.to })),
    rules: {
      system: rules.system === undefined ? null : at(rules.system),
      lists: rules.lists === undefined ? null : resolveLists(rules.lists, at),
      presets: rules.presets === undefined ? null : at(rules.presets),
      may: { ...rules.may, actions: rules.may.actions ?? null, conditions: rules.may.conditions ?? null },
    },
    limits: {
      message: limits.message,
      memory: limits.memory,
      connections: limits.connections,
      connectionsPerPeer: limits.connections_per_peer ?? null,
      recipients: limits.recipients,
      errors: limits.errors,
      commands: limits.commands ?? Math.max(1000, 10 * limits.recipients),
      bareNewline: limits.bare_newline,
    },
    timeouts: settings.timeouts,
    store: settings.store,
    log: settings.log,
    admin: settings.admin === undefined ? null : resolveAddress(settings.admin, at),
    workers: settings.workers,
  };
}

function ownName(): string {
  const name = machineName();
  return isHostName(name) ? name : 'localhost';
}

function resolveAddress(address: Address, at: (path: string) => string): Address {
  return 'path' in address ? { path: at(address.path) } : address;
}

function resolveListener(
  listener: ListenerSettings,
  at: (path: string) => string,
  readKeyPair: ReadKeyPair,
): ListenerConfig {
  const protocol = listener.lmtp === undefined ? 'smtp' : 'lmtp';
  const address = listener.lmtp ?? listener.smtp;
  if (address === undefined) throw new Error('a listener without an address has passed the check');
  const tls = listener.tls === undefined ? null : readKeyPair(at(listener.tls.cert), at(listener.tls.key));
  if (tls !== null && !('certificate' in tls)) throw new Error('a key pair that cannot be used has passed the check');
  return {
    protocol,
    address: resolveAddress(address, at),
    mode: listener.mode ?? null,
    clientFrom: listener.client_from,
    trust: listener.trust,
    mixed: listener.mixed ?? (listener.refuse_at === 'data' ? 'strictest' : 'split'),
    refuseAt: listener.refuse_at,
    deadline: listener.deadline ?? DEFAULT_DEADLINE[protocol],
    received: listener.received,
    dsn: listener.dsn ?? protocol === 'smtp',
    chunking: listener.chunking,
    tls,
  };
}

function resolveDownstream(
  name: string,
  one: DownstreamSettings,
  at: (path: string) => string,
  readAuthorities: ReadAuthorities,
): DownstreamConfig {
  if (one.maildir !== undefined) {
    return { kind: 'maildir', name, folder: at(one.maildir), layout: layoutOf(one.layout, one.depth) };
  }
  if (one.pipe !== undefined) {
    return { kind: 'pipe', name, program: one.pipe, connections: one.connections ?? DEFAULT_PROCESSES };
  }
  const kind = one.lmtp === undefined ? 'smtp' : 'lmtp';
  const given = one.lmtp ?? one.smtp;
  if (given === undefined) throw new Error('a downstream without an address has passed the check');
  const isProgram = 'program' in given;
  return {
    kind,
    name,
    addresses: isProgram ? [given] : given.map((address) => resolveAddress(address, at)),
    connections: one.connections ?? (isProgram ? DEFAULT_PROCESSES : null),
    xforward: one.xforward,
    verifyRecipients: one.verify_recipients,
    tls: one.tls === undefined ? null : resolveTls(one.tls, at, readAuthorities),
  };
}

function resolveTls(
  { mode, ca, server_name }: NonNullable<DownstreamSettings['tls']>,
  at: (path: string) => string,
  readAuthorities: ReadAuthorities,
): DownstreamTls {
  const authorities = ca === undefined ? null : readAuthorities(at(ca));
  if (authorities !== null && 'hint' in authorities) throw new Error('certificates without use have passed the check');
  return { mode, authorities, serverName: server_name ?? null };
}

type ListsSettings = NonNullable<Settings['rules']['lists']>;

function resolveLists({ folder, layout, depth, ...rest }: ListsSettings, at: (path: string) => string): ListsConfig {
  return { ...rest, folder: at(folder), layout: layoutOf(layout, depth) };
}

function layoutOf(scheme: LayoutScheme, depth = 1): Layout {
  return scheme === 'plain' ? PLAIN : { scheme, depth };
}
