/**
 * registry - the conditions and actions there are. The only list of them.
 */
import type { Action } from './action.ts';
import { addHeader } from './actions/add-header.ts';
import { copy } from './actions/copy.ts';
import { defer } from './actions/defer.ts';
import { discard } from './actions/discard.ts';
import { hold } from './actions/hold.ts';
import { note } from './actions/note.ts';
import { quarantine } from './actions/quarantine.ts';
import { redirect } from './actions/redirect.ts';
import { reject } from './actions/reject.ts';
import { relay } from './actions/relay.ts';
import { removeHeader } from './actions/remove-header.ts';
import { scoreAction } from './actions/score.ts';
import { subjectPrefix } from './actions/subject-prefix.ts';
import { tag } from './actions/tag.ts';
import type { Condition } from './condition.ts';
import { administrivia } from './conditions/administrivia.ts';
import { addressedToList } from './conditions/addressed-to-list.ts';
import { always } from './conditions/always.ts';
import { authenticated } from './conditions/authenticated.ts';
import { auth } from './conditions/auth.ts';
import { author } from './conditions/author.ts';
import { autoSubmitted } from './conditions/auto-submitted.ts';
import { attachment } from './conditions/attachment.ts';
import { body } from './conditions/body.ts';
import { clientIp } from './conditions/client-ip.ts';
import { clientName } from './conditions/client-name.ts';
import { dateSkew } from './conditions/date-skew.ts';
import { declaredSize } from './conditions/declared-size.ts';
import { detail } from './conditions/detail.ts';
import { envelopeFrom } from './conditions/envelope-from.ts';
import { header } from './conditions/header.ts';
import { helo } from './conditions/helo.ts';
import { list } from './conditions/list.ts';
import { listsAddressed } from './conditions/lists-addressed.ts';
import { loop } from './conditions/loop.ts';
import { poster } from './conditions/poster.ts';
import { rate } from './conditions/rate.ts';
import { receivedCount } from './conditions/received-count.ts';
import { recipients } from './conditions/recipients.ts';
import { role } from './conditions/role.ts';
import { scoreCondition } from './conditions/score.ts';
import { seen } from './conditions/seen.ts';
import { linkDomain } from './conditions/link-domain.ts';
import { malformed } from './conditions/malformed.ts';
import { size } from './conditions/size.ts';
import { spamScore } from './conditions/spam-score.ts';
import { subject } from './conditions/subject.ts';
import { taboo } from './conditions/taboo.ts';
import { time } from './conditions/time.ts';
import { tls } from './conditions/tls.ts';
import { textParts } from './conditions/text-parts.ts';

/** In the order of the phases. */
const CONDITIONS: readonly Condition[] = [
  always,
  envelopeFrom,
  list,
  role,
  detail,
  clientIp,
  clientName,
  helo,
  tls,
  authenticated,
  declaredSize,
  time,
  recipients,
  listsAddressed,
  rate,
  author,
  poster,
  subject,
  header,
  addressedToList,
  auth,
  autoSubmitted,
  loop,
  receivedCount,
  spamScore,
  dateSkew,
  scoreCondition,
  seen,
  size,
  attachment,
  textParts,
  body,
  taboo,
  administrivia,
  linkDomain,
  malformed,
];

/** Those that decide first. */
const ACTIONS: readonly Action[] = [
  relay,
  reject,
  defer,
  discard,
  hold,
  quarantine,
  redirect,
  addHeader,
  removeHeader,
  subjectPrefix,
  copy,
  scoreAction,
  tag,
  note,
];

export const conditions: ReadonlyMap<string, Condition> = new Map(CONDITIONS.map((part) => [part.name, part]));
export const actions: ReadonlyMap<string, Action> = new Map(ACTIONS.map((part) => [part.name, part]));
