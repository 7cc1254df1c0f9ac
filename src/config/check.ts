/**
 * check - what the schema cannot see because it takes several keys: what belongs together, excludes each other, or names
 * something that must be there.
 *
 * Each listener, downstream and route is looked at as soon as it is valid by itself, whatever is wrong elsewhere.
 */
import { dirname, resolve } from 'node:path';
import type { z } from 'zod';
import type { Diagnostic, DiagnosticCode } from '../core/diagnostic.ts';
import type { YamlDocument, YamlPath } from '../yaml/load.ts';
import { nearest } from '../yaml/suggest.ts';
import { isList, valueAt } from '../yaml/tree.ts';
import { validate } from '../yaml/validate.ts';
import { type Address, formatAddress, listenAddress } from './address.ts';
import type { ReadAuthorities, ReadKeyPair } from './key-pair.ts';
import {
  type DownstreamSettings,
  downstreamSchema,
  limitsSchema,
  listenerSchema,
  listsSchema,
  routeSchema,
} from './schema.ts';

/** The longest path of a unix socket in octets (unix(7): 108 with the NUL behind it). */
const LONGEST_SOCKET_PATH = 107;

type Tell = (code: DiagnosticCode, path: YamlPath, message: string, hint: string, part?: 'key' | 'value') => void;

/** MAIL, DATA, a greeting and some more belong to the recipients of a message. */
const COMMANDS_BESIDE_RECIPIENTS = 10;

/** Looks at `document` beside the schema; empty where all is well. */
export function check(
  document: YamlDocument,
  readKeyPair: ReadKeyPair,
  readAuthorities: ReadAuthorities,
): readonly Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  const tell: Tell = (code, path, message, hint, part = 'key') => {
    diagnostics.push({ code, message, hint, place: document.placeOf(path, part) });
  };
  const listening = checkListeners(document, readKeyPair, tell);
  checkAdmin(document, listening, tell);
  checkDownstreams(document, readAuthorities, tell);
  checkRoutes(document, tell);
  checkLists(document, tell);
  checkLimits(document, tell);
  return diagnostics;
}

/** The paths of the list items or mapping values at `key`, each with its value where that is valid by itself. */
function valid<T>(
  document: YamlDocument,
  key: string,
  schema: z.ZodType<T>,
): readonly { path: YamlPath; value: T | null }[] {
  const all = valueAt(document.value, [key]);
  if (all === undefined || typeof all === 'string') return [];
  const steps = isList(all) ? all.map((_, index) => index) : Object.keys(all);
  return steps.map((step) => ({ path: [key, step], value: validate(document, schema, [key, step]).value }));
}

/** The addresses of the listeners, each with its place. */
function checkListeners(document: YamlDocument, readKeyPair: ReadKeyPair, tell: Tell): Map<string, YamlPath> {
  const seen = new Map<string, YamlPath>();
  for (const { path, value } of valid(document, 'listen', listenerSchema)) {
    if (value === null) continue;
    const { lmtp, smtp, client_from, mixed, refuse_at } = value;
    const given = (key: string) => valueAt(document.value, [...path, key]) !== undefined;
    const address = lmtp ?? smtp;
    if (address === undefined) {
      tell('E_MISSING_KEY', path, 'the key "lmtp" or "smtp" is missing', 'add lmtp: 127.0.0.1:10024', 'value');
      continue;
    }
    if (lmtp !== undefined && smtp !== undefined) {
      tell('E_VALUE', [...path, 'smtp'], 'a listener has either lmtp or smtp', 'make two listeners of it');
      continue;
    }
    const protocol = lmtp === undefined ? 'smtp' : 'lmtp';
    const addressPath = [...path, protocol];
    const unix = 'path' in address;
    checkSocketPath(document.file, address, addressPath, tell);
    if (given('mode') && !unix) {
      tell('E_VALUE', [...path, 'mode'], 'mode is for unix sockets only', 'take it away, or listen on unix:/PATH');
    }
    if (given('trust') && unix) {
      const hint = 'take it away: whoever may open the socket is trusted; mode says who that can be';
      tell('E_VALUE', [...path, 'trust'], 'a peer on a unix socket has no address', hint);
    } else if (given('trust') && client_from === 'peer') {
      const hint = 'add client_from: xforward, or take trust away';
      tell('E_VALUE', [...path, 'trust'], 'trust changes nothing while the client is the peer', hint);
    }
    if (protocol === 'lmtp' && given('mixed')) {
      tell(
        'E_VALUE',
        [...path, 'mixed'],
        'mixed is for smtp only',
        'take it away: LMTP has a reply for each recipient',
      );
    }
    if (protocol === 'lmtp' && given('refuse_at')) {
      tell(
        'E_VALUE',
        [...path, 'refuse_at'],
        'refuse_at is for smtp only',
        'take it away: over LMTP it is always rcpt',
      );
    }
    if (mixed !== undefined && mixed !== 'strictest' && refuse_at === 'data') {
      const hint = 'write mixed: strictest, or take refuse_at away';
      tell('E_VALUE', [...path, 'mixed'], `${mixed} refuses at RCPT, which refuse_at: data is to avoid`, hint);
    }
    if (value.tls !== undefined) {
      const at = (file: string) => resolve(dirname(document.file), file);
      const pair = readKeyPair(at(value.tls.cert), at(value.tls.key));
      const problems = 'certificate' in pair ? [] : pair;
      for (const { of, message, hint } of problems) tell('E_FILE', [...path, 'tls', of], message, hint, 'value');
    }
    checkTwice(document, address, addressPath, seen, tell);
  }
  return seen;
}

function checkAdmin(document: YamlDocument, listening: Map<string, YamlPath>, tell: Tell): void {
  if (valueAt(document.value, ['admin']) === undefined) return;
  const { value } = validate(document, listenAddress, ['admin']);
  if (value === null) return;
  checkSocketPath(document.file, value, ['admin'], tell);
  checkTwice(document, value, ['admin'], listening, tell);
}

function checkTwice(
  document: YamlDocument,
  address: Address,
  path: YamlPath,
  seen: Map<string, YamlPath>,
  tell: Tell,
): void {
  if ('port' in address && address.port === 0) return;
  const name = formatAddress(address).toLowerCase();
  const first = seen.get(name);
  if (first === undefined) {
    seen.set(name, path);
    return;
  }
  const { line } = document.placeOf(first);
  const message = `two listeners have the address ${formatAddress(address)}, the first in line ${line}`;
  tell('E_DUPLICATE_NAME', path, message, 'give one of them another port or path', 'value');
}

function checkSocketPath(file: string, address: Address, path: YamlPath, tell: Tell): void {
  if (!('path' in address)) return;
  const octets = Buffer.byteLength(resolve(dirname(file), address.path));
  if (octets <= LONGEST_SOCKET_PATH) return;
  const message = `the path of the unix socket has ${octets} octets, the system allows ${LONGEST_SOCKET_PATH}`;
  tell('E_ADDRESS', path, message, 'choose a shorter path', 'value');
}

function checkDownstreams(document: YamlDocument, readAuthorities: ReadAuthorities, tell: Tell): void {
  for (const { path, value } of valid(document, 'downstreams', downstreamSchema)) {
    if (value === null) continue;
    const given = (key: string) => valueAt(document.value, [...path, key]) !== undefined;
    const kinds = (['lmtp', 'smtp', 'pipe', 'maildir'] as const).filter((kind) => value[kind] !== undefined);
    const [kind, other] = kinds;
    if (kind === undefined) {
      const message = 'one of the keys "lmtp", "smtp", "pipe" and "maildir" is missing';
      tell('E_MISSING_KEY', path, message, 'say where mail goes, like lmtp: 127.0.0.1:8024');
      continue;
    }
    if (other !== undefined) {
      const message = `a downstream has one of lmtp, smtp, pipe and maildir, this one has ${kinds.join(' and ')}`;
      tell('E_VALUE', [...path, other], message, 'make a downstream of each');
      continue;
    }
    const where = value.lmtp ?? value.smtp ?? [];
    if (!('program' in where)) checkAddresses(document, where, [...path, kind], tell);
    else if (given('tls')) tell('E_VALUE', [...path, 'tls'], 'a program is reached without a network', 'take it away');
    if (value.tls !== undefined) checkTls(document, value, [...path, 'tls'], readAuthorities, tell);
    for (const key of kind === 'maildir' || kind === 'pipe' ? ['xforward', 'verify_recipients', 'tls'] : []) {
      if (given(key)) tell('E_VALUE', [...path, key], `${key} is for lmtp and smtp only`, 'take it away');
    }
    if (kind === 'maildir' && given('connections')) {
      tell('E_VALUE', [...path, 'connections'], 'connections is not for maildir', 'take it away');
    }
    for (const key of ['layout', 'depth'] as const) {
      if (kind !== 'maildir' && given(key)) {
        tell('E_VALUE', [...path, key], `${key} is for maildir only`, 'take it away');
      }
    }
    if (kind === 'maildir') checkDepth(value, path, tell);
  }
}

function checkTls(
  document: YamlDocument,
  { tls, lmtp, smtp }: DownstreamSettings,
  path: YamlPath,
  readAuthorities: ReadAuthorities,
  tell: Tell,
): void {
  const { mode, ca, server_name } = tls ?? {};
  if (ca !== undefined) {
    const read = readAuthorities(resolve(dirname(document.file), ca));
    if ('hint' in read) tell('E_FILE', [...path, 'ca'], read.message, read.hint, 'value');
    else if (mode === 'opportunistic') {
      tell('E_VALUE', [...path, 'ca'], 'nobody looks at certificates where TLS is opportunistic', 'take it away');
    }
  }
  const where = lmtp ?? smtp ?? [];
  const nameless = !('program' in where) && where.some((address) => 'path' in address);
  if (nameless && mode === 'required' && server_name === undefined) {
    const hint = 'add server_name: mailman.example.org, or take tls away: a unix socket does not leave the machine';
    tell('E_MISSING_KEY', path, 'a unix socket has no name that a certificate could be good for', hint);
  }
}

function checkLists(document: YamlDocument, tell: Tell): void {
  const path = ['rules', 'lists'];
  if (valueAt(document.value, path) === undefined) return;
  const { value } = validate(document, listsSchema, path);
  if (value !== null) checkDepth(value, path, tell);
}

function checkDepth({ layout, depth }: { layout: string; depth?: number | undefined }, at: YamlPath, tell: Tell): void {
  if (layout !== 'plain' || depth === undefined) return;
  tell('E_VALUE', [...at, 'depth'], 'depth is for the layouts user and md5', 'add layout: md5, or take it away');
}

function checkAddresses(document: YamlDocument, addresses: readonly Address[], path: YamlPath, tell: Tell): void {
  const given = valueAt(document.value, path);
  const seen = new Set<string>();
  for (const [index, address] of addresses.entries()) {
    const place = given !== undefined && isList(given) ? [...path, index] : path;
    checkSocketPath(document.file, address, place, tell);
    const name = formatAddress(address).toLowerCase();
    if (seen.has(name)) {
      const message = `the address ${formatAddress(address)} stands here twice`;
      tell('E_DUPLICATE_NAME', place, message, 'take one of them away', 'value');
    }
    seen.add(name);
  }
}

function checkRoutes(document: YamlDocument, tell: Tell): void {
  const downstreams = valueAt(document.value, ['downstreams']);
  const names = downstreams === undefined || typeof downstreams === 'string' ? [] : Object.keys(downstreams);
  const routes = valid(document, 'routes', routeSchema);
  for (const [index, { path, value }] of routes.entries()) {
    if (value === null) continue;
    const last = index === routes.length - 1;
    if (names.length > 0 && !names.includes(value.to)) {
      const near = nearest(value.to, names);
      const hint = near === null ? `choose one of: ${names.join(', ')}` : `did you mean "${near}"?`;
      tell('E_REFERENCE', [...path, 'to'], `there is no downstream "${value.to}"`, hint, 'value');
    }
    if (last && value.recipients !== undefined) {
      const hint = `add a last route without recipients: - { to: ${names[0] ?? 'NAME'} }`;
      tell('E_MISSING_KEY', [...path, 'recipients'], 'no route takes the recipients that match none', hint);
    }
    if (!last && value.recipients === undefined) {
      const message = 'this route takes every recipient: those behind it are never asked';
      tell('E_VALUE', path, message, 'move it to the end, or give it recipients', 'value');
    }
  }
}

function checkLimits(document: YamlDocument, tell: Tell): void {
  if (valueAt(document.value, ['limits']) === undefined) return;
  const { value } = validate(document, limitsSchema, ['limits']);
  if (value?.commands === undefined) return;
  const least = value.recipients + COMMANDS_BESIDE_RECIPIENTS;
  if (value.commands >= least) return;
  const message = `${value.commands} commands are too few for a message with ${value.recipients} recipients`;
  tell('E_VALUE', ['limits', 'commands'], message, `write ${least} at least`, 'value');
}
