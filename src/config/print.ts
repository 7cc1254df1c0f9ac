/**
 * print - the effective configuration as YAML, under the names of the file: what `parseConfig` reads back as the same.
 */
import type { Layout } from '../core/layout.ts';
import { printYaml } from '../yaml/print.ts';
import type { YamlValue } from '../yaml/tree.ts';
import { formatAddress, formatNetwork } from './address.ts';
import type { Config, DownstreamConfig, DownstreamTls, ListenerConfig, ListsConfig, MayConfig } from './config.ts';

/** Every key with its value, defaults included. */
export function printConfig(config: Config): string {
  const { limits, timeouts, rules } = config;
  return printYaml({
    version: '1',
    hostname: config.hostname,
    listen: config.listen.map(listener),
    downstreams: Object.fromEntries(config.downstreams.map((one) => [one.name, downstream(one)])),
    routes: config.routes.map(({ recipients, to }) => ({ ...(recipients === null ? {} : { recipients }), to })),
    rules: {
      ...(rules.system === null ? {} : { system: rules.system }),
      ...(rules.lists === null ? {} : { lists: lists(rules.lists) }),
      ...(rules.presets === null ? {} : { presets: rules.presets }),
      may: may(rules.may),
    },
    limits: {
      message: size(limits.message),
      memory: size(limits.memory),
      connections: `${limits.connections}`,
      ...(limits.connectionsPerPeer === null ? {} : { connections_per_peer: `${limits.connectionsPerPeer}` }),
      recipients: `${limits.recipients}`,
      errors: `${limits.errors}`,
      commands: `${limits.commands}`,
      bare_newline: limits.bareNewline,
    },
    timeouts: {
      client: duration(timeouts.client),
      connect: duration(timeouts.connect),
      reply: duration(timeouts.reply),
      drain: duration(timeouts.drain),
    },
    store: config.store,
    log: { ...config.log },
    ...(config.admin === null ? {} : { admin: formatAddress(config.admin) }),
    workers: `${config.workers}`,
  });
}

function may({ actions, conditions, regex, rules, sets, patterns }: MayConfig): YamlValue {
  return {
    ...(actions === null ? {} : { actions }),
    ...(conditions === null ? {} : { conditions }),
    regex: `${regex}`,
    rules: `${rules}`,
    sets: `${sets}`,
    patterns: size(patterns),
  };
}

function listener(one: ListenerConfig): YamlValue {
  const unix = 'path' in one.address;
  return {
    [one.protocol]: formatAddress(one.address),
    ...(one.mode === null ? {} : { mode: `0${one.mode.toString(8).padStart(3, '0')}` }),
    client_from: one.clientFrom,
    ...(one.clientFrom === 'peer' || unix ? {} : { trust: one.trust.map(formatNetwork) }),
    ...(one.protocol === 'lmtp' ? {} : { mixed: one.mixed, refuse_at: one.refuseAt }),
    deadline: duration(one.deadline),
    received: `${one.received}`,
    dsn: `${one.dsn}`,
    chunking: `${one.chunking}`,
    ...(one.tls === null ? {} : { tls: { cert: one.tls.cert, key: one.tls.key } }),
  };
}

function downstream(one: DownstreamConfig): YamlValue {
  if (one.kind === 'maildir') return { maildir: one.folder, ...layout(one.layout) };
  if (one.kind === 'pipe') return { pipe: one.program, connections: `${one.connections}` };
  const [first = '', ...others] = one.addresses.map((address) =>
    'program' in address ? { program: address.program } : formatAddress(address),
  );
  return {
    [one.kind]: others.length === 0 ? first : [first, ...others],
    xforward: `${one.xforward}`,
    verify_recipients: `${one.verifyRecipients}`,
    ...(one.tls === null ? {} : { tls: downstreamTls(one.tls) }),
    ...(one.connections === null ? {} : { connections: `${one.connections}` }),
  };
}

function downstreamTls({ mode, authorities, serverName }: DownstreamTls): YamlValue {
  return {
    mode,
    ...(authorities === null ? {} : { ca: authorities.file }),
    ...(serverName === null ? {} : { server_name: serverName }),
  };
}

function lists({ layout: place, ...rest }: ListsConfig): YamlValue {
  return { ...rest, ...layout(place) };
}

function layout({ scheme, depth }: Layout): { readonly [key: string]: string } {
  return { layout: scheme, ...(scheme === 'plain' ? {} : { depth: `${depth}` }) };
}

/** The largest unit that leaves no rest. */
function inUnits(value: number, units: readonly (readonly [string, number])[]): string {
  const [unit, factor] = units.find(([, octets]) => value % octets === 0) ?? ['', 1];
  return `${value / factor} ${unit}`;
}

function size(octets: number): string {
  return inUnits(octets, [
    ['GB', 1024 ** 3],
    ['MB', 1024 ** 2],
    ['KB', 1024],
    ['B', 1],
  ]);
}

function duration(milliseconds: number): string {
  const plural = inUnits(milliseconds, [
    ['hours', 3_600_000],
    ['minutes', 60_000],
    ['seconds', 1000],
    ['milliseconds', 1],
  ]);
  return plural.replace(/^1 (\w+)s$/, '1 $1');
}
