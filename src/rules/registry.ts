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
import { attachment } from './conditions/attachment.ts';
import { author } from './conditions/author.ts';
import { body } from './conditions/body.ts';
import { clientIp } from './conditions/client-ip.ts';
import { envelopeFrom } from './conditions/envelope-from.ts';
import { header } from './conditions/header.ts';
import { linkDomain } from './conditions/link-domain.ts';
import { list } from './conditions/list.ts';
import { malformed } from './conditions/malformed.ts';
import { size } from './conditions/size.ts';
import { subject } from './conditions/subject.ts';
import { textParts } from './conditions/text-parts.ts';

/** In the order of the phases. */
const CONDITIONS: readonly Condition[] = [
  always,
  envelopeFrom,
  list,
  clientIp,
  author,
  subject,
  header,
  size,
  attachment,
  textParts,
  body,
  linkDomain,
  malformed,
];

/** Those that decide first. */
const ACTIONS: readonly Action[] = [relay, reject, defer, discard, addHeader, removeHeader];

export const conditions: ReadonlyMap<string, Condition> = new Map(CONDITIONS.map((part) => [part.name, part]));
export const actions: ReadonlyMap<string, Action> = new Map(ACTIONS.map((part) => [part.name, part]));
