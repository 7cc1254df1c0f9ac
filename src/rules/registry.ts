/**
 * registry - the conditions and actions there are. The only list of them.
 */
import type { Action } from './action.ts';
import { addHeader } from './actions/add-header.ts';
import { defer } from './actions/defer.ts';
import { discard } from './actions/discard.ts';
import { reject } from './actions/reject.ts';
import { relay } from './actions/relay.ts';
import { removeHeader } from './actions/remove-header.ts';
import type { Condition } from './condition.ts';
import { always } from './conditions/always.ts';
import { author } from './conditions/author.ts';
import { clientIp } from './conditions/client-ip.ts';
import { envelopeFrom } from './conditions/envelope-from.ts';
import { header } from './conditions/header.ts';
import { list } from './conditions/list.ts';
import { rate } from './conditions/rate.ts';
import { seen } from './conditions/seen.ts';
import { size } from './conditions/size.ts';
import { subject } from './conditions/subject.ts';

/** In the order of the phases. */
const CONDITIONS: readonly Condition[] = [
  always,
  envelopeFrom,
  list,
  clientIp,
  rate,
  author,
  subject,
  header,
  seen,
  size,
];

/** Those that decide first. */
const ACTIONS: readonly Action[] = [relay, reject, defer, discard, addHeader, removeHeader];

export const conditions: ReadonlyMap<string, Condition> = new Map(CONDITIONS.map((part) => [part.name, part]));
export const actions: ReadonlyMap<string, Action> = new Map(ACTIONS.map((part) => [part.name, part]));
