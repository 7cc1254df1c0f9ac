/**
 * resolve - what the file says as what the program uses: paths made absolute, the defaults that depend on other keys.
 */
import { hostname as machineName } from 'node:os';
import { dirname, resolve } from 'node:path';
import { type Layout, type LayoutScheme, PLAIN } from '../core/layout.ts';
import type { Address } from './address.ts';
import type { Config, DownstreamConfig, ListenerConfig, ListsConfig } from './config.ts';
import { type DownstreamSettings, isHostName, type ListenerSettings, type Settings } from './schema.ts';

/** Postfix gives up on a proxy filter after 100 seconds (smtpd_proxy_timeout), on an LMTP server after ten minutes. */
const DEFAULT_DEADLINE: Readonly<Record<'lmtp' | 'smtp', number>> = { lmtp: 300_000, smtp: 90_000 };

/** `settings` have passed `check`. */
export function resolveConfig(file: string, settings: Settings): Config {
  const folder = dirname(resolve(file));
  const at = (path: string) => resolve(folder, path);
  const { limits, rules } = settings;
  return {
    file: resolve(file),
    hostname: settings.hostname ?? ownName(),
    listen: settings.listen.map((listener) => resolveListener(listener, at)),
    downstreams: Object.entries(settings.downstreams).map(([name, one]) => resolveDownstream(name, one, at)),
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
      recipients: limits.recipients,
      bareNewline: limits.bare_newline,
    },
    timeouts: settings.timeouts,
    store: settings.store,
    log: settings.log,
  };
}

function ownName(): string {
  const name = machineName();
  return isHostName(name) ? name : 'localhost';
}

function resolveAddress(address: Address, at: (path: string) => string): Address {
  return 'path' in address ? { path: at(address.path) } : address;
}

function resolveListener(listener: ListenerSettings, at: (path: string) => string): ListenerConfig {
  const protocol = listener.lmtp === undefined ? 'smtp' : 'lmtp';
  const address = listener.lmtp ?? listener.smtp;
  if (address === undefined) throw new Error('a listener without an address has passed the check');
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
  };
}

function resolveDownstream(name: string, one: DownstreamSettings, at: (path: string) => string): DownstreamConfig {
  if (one.maildir !== undefined) {
    return { kind: 'maildir', name, folder: at(one.maildir), layout: layoutOf(one.layout, one.depth) };
  }
  const kind = one.lmtp === undefined ? 'smtp' : 'lmtp';
  const address = one.lmtp ?? one.smtp;
  if (address === undefined) throw new Error('a downstream without an address has passed the check');
  return { kind, name, address: resolveAddress(address, at), xforward: one.xforward };
}

type ListsSettings = NonNullable<Settings['rules']['lists']>;

function resolveLists({ folder, layout, depth, ...rest }: ListsSettings, at: (path: string) => string): ListsConfig {
  return { ...rest, folder: at(folder), layout: layoutOf(layout, depth) };
}

function layoutOf(scheme: LayoutScheme, depth = 1): Layout {
  return scheme === 'plain' ? PLAIN : { scheme, depth };
}
