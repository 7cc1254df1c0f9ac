/**
 * never-known - conditions on the client that can never hold, because no listener, or one of them, is told what they ask.
 *
 * Such a comparison is always false, and so `not` of it always true: better said when the rules are checked.
 */
import type { ListenerConfig } from '../config/config.ts';
import type { Diagnostic } from '../core/diagnostic.ts';
import type { Clause, Ruleset } from '../rules/ruleset.ts';
import { listenerName } from './compose.ts';

/** By what a listener learns of its client: the conditions that ask what it does not learn. */
const NEVER: Readonly<Record<ListenerConfig['clientFrom'], readonly string[]>> = {
  peer: ['client_name', 'authenticated'],
  xforward: ['tls', 'authenticated'],
  xclient: ['tls'],
  proxy: ['client_name', 'authenticated'],
};

function neverKnownAt({ clientFrom, address }: ListenerConfig): readonly string[] {
  return clientFrom === 'peer' && 'path' in address ? [...NEVER.peer, 'client_ip'] : NEVER[clientFrom];
}

/** Which `client_from` tells it; none does of some. */
const HINTS: Readonly<Record<string, string>> = {
  client_ip: 'let the MTA in front tell it: client_from: xforward',
  client_name: 'let the MTA in front tell it: client_from: xforward',
  authenticated: 'let the proxy in front tell it: client_from: xclient',
  tls: 'only the peer itself shows it: client_from: peer or proxy',
};

/** A warning for each place in the rules. */
export function neverKnown(listen: readonly ListenerConfig[], rulesets: readonly Ruleset[]): readonly Diagnostic[] {
  const blind = new Map<string, string[]>();
  for (const listener of listen) {
    for (const condition of neverKnownAt(listener)) {
      blind.set(condition, [...(blind.get(condition) ?? []), listenerName(listener)]);
    }
  }
  const found = new Map<string, Diagnostic>();
  const seen = new Set<Clause>();
  const look = (clause: Clause, rule: string): void => {
    if (seen.has(clause)) return;
    seen.add(clause);
    const where = blind.get(clause.label);
    if (where !== undefined) {
      const { file, line, column } = clause.place;
      const message = `\`${clause.label}\` is never known at ${where.join(' and ')}, so what it asks is false there`;
      const hint = HINTS[clause.label] ?? null;
      found.set(`${file}:${line}:${column}`, { code: 'W_NEVER_KNOWN', message, hint, place: clause.place, rule });
    }
    for (const child of clause.children) look(child, rule);
    if (clause.inside !== undefined) look(clause.inside, rule);
  };
  for (const { layers } of rulesets) {
    for (const { clause, name } of [...layers.before, ...layers.rules, ...layers.after]) look(clause, name);
  }
  return [...found.values()];
}
