/**
 * dialects - how each list manager forms the addresses of a list: which part is the list's name, and what the rest is for.
 *
 *     mailman   gardeners-owner, gardeners-bounces+ann=example.net            (Mailman 2 and 3)
 *     sympa     gardeners-request for the owners, gardeners-owner for bounces, bounce+ann==a==example.net==gardeners
 *     ezmlm     gardeners-return-7-ann=example.net, gardeners-sc.17.abc-ann=example.net, gardeners-digest-subscribe
 *     mlmmj     gardeners+owner, gardeners+bounces-7-ann=example.net
 *     plain     gardeners; every address is a posting address
 *
 * What a dialect takes for a bounce no rule of a list sees. In every dialect what follows the first `+` goes to the same
 * list, so that it meets the same rules.
 */
import type { Dialect, Role } from '../core/facts.ts';

export interface Split {
  readonly name: string;
  readonly role: Role;
  readonly detail: string;
}

type Words = Readonly<Record<string, Role>>;

export function splitLocalPart(localPart: string, dialect: Dialect): Split {
  switch (dialect) {
    case 'mailman':
      return bySuffix(localPart, MAILMAN);
    case 'sympa':
      return bySympa(localPart);
    case 'ezmlm':
      return byCommand(localPart);
    case 'mlmmj':
      return byDetail(localPart);
    case 'plain':
      return plain(localPart);
  }
}

function plain(localPart: string): Split {
  const plus = localPart.indexOf('+', 1);
  if (plus === -1) return { name: localPart, role: 'post', detail: '' };
  return { name: localPart.slice(0, plus), role: 'post', detail: localPart.slice(plus + 1) };
}

function roleOf(words: Words, word: string): Role | undefined {
  const lower = word.toLowerCase();
  return Object.hasOwn(words, lower) ? words[lower] : undefined;
}

/** A name with such an ending is never the name of a list. */
const MAILMAN: Words = {
  bounces: 'bounces',
  confirm: 'confirm',
  join: 'join',
  leave: 'leave',
  owner: 'owner',
  request: 'request',
  subscribe: 'join',
  unsubscribe: 'leave',
};

/** The word behind the last `-`, in front of the detail. */
function bySuffix(localPart: string, words: Words): Split {
  const { name, detail } = plain(localPart);
  const dash = name.lastIndexOf('-');
  const role = dash > 0 ? roleOf(words, name.slice(dash + 1)) : undefined;
  return role === undefined ? { name, role: 'post', detail } : { name: name.slice(0, dash), role, detail };
}

/** `-owner` is the return path of what the list sends; people write to `-request` and `-editor`. */
const SYMPA: Words = {
  owner: 'bounces',
  request: 'owner',
  editor: 'owner',
  subscribe: 'join',
  unsubscribe: 'leave',
};
/** Of the whole server: its commands, and who keeps it. */
const SYMPA_ITSELF: Words = { sympa: 'request', listmaster: 'owner', bounce: 'bounces' };
/** `user==a==domain==list`, and what kind of message it was about. */
const SYMPA_VERP = /^.+==a==[^=]+==([^=]+)(?:==\w+)?$/;

function bySympa(localPart: string): Split {
  const split = bySuffix(localPart, SYMPA);
  const itself = split.role === 'post' ? roleOf(SYMPA_ITSELF, split.name) : undefined;
  if (itself === undefined) return split;
  const list = itself === 'bounces' ? SYMPA_VERP.exec(split.detail)?.[1] : undefined;
  return { ...split, name: list ?? split.name, role: itself };
}

/** Not info, index, list, log and edit, where they stand alone: many a list is called bird-list. */
const EZMLM: Words = {
  return: 'bounces',
  receipt: 'bounces',
  owner: 'owner',
  subscribe: 'join',
  unsubscribe: 'leave',
  // With a cookie behind a dot: subscribe, unsubscribe, by a moderator, that one again, edit.
  'sc.': 'confirm',
  'uc.': 'confirm',
  'tc.': 'confirm',
  'rc.': 'confirm',
  'vc.': 'confirm',
  'wc.': 'confirm',
  'ed.': 'confirm',
  accept: 'confirm',
  reject: 'confirm',
  request: 'request',
  help: 'request',
  faq: 'request',
  query: 'request',
  get: 'request',
  thread: 'request',
  'index.': 'request',
};
/** Databases beside that of the subscribers, named before the command. */
const EZMLM_DATABASES = /-(?:digest|allow|deny|mod)$/i;

/** A command, and what may follow it: nothing, or something with a number, a cookie or an address in it. */
const EZMLM_COMMAND = /^([a-z]+)(?:$|[-.]$|\.|-(?=.*[=\d]))/i;

/** The first command behind a `-`: what follows it may hold any word. */
function byCommand(localPart: string): Split {
  const plus = localPart.indexOf('+', 1);
  for (let dash = localPart.indexOf('-', 1); dash !== -1; dash = localPart.indexOf('-', dash + 1)) {
    // There is no command in a detail.
    if (plus !== -1 && plus < dash) break;
    const rest = localPart.slice(dash + 1);
    const [whole = '', word = ''] = EZMLM_COMMAND.exec(rest) ?? [];
    const role = roleOf(EZMLM, whole) ?? roleOf(EZMLM, word);
    if (role === undefined) continue;
    const name = localPart.slice(0, dash);
    return { name: name.replace(EZMLM_DATABASES, '') || name, role, detail: rest.slice(whole.length) };
  }
  return plain(localPart);
}

const MLMMJ: Words = {
  bounces: 'bounces',
  owner: 'owner',
  subscribe: 'join',
  unsubscribe: 'leave',
  confsub: 'confirm',
  confunsub: 'confirm',
  moderate: 'confirm',
  release: 'confirm',
  reject: 'confirm',
  permit: 'confirm',
  obstruct: 'confirm',
  help: 'request',
  faq: 'request',
  get: 'request',
  list: 'request',
};

/** The word behind the `+`. Mails that are no posts have return paths like `gardeners+confsub-bounces-…`. */
function byDetail(localPart: string): Split {
  const { name, detail } = plain(localPart);
  const [whole = '', word = ''] = /^(?:[a-z]+-(?=bounces(?:-|$)))?([a-z]+)(?:-|$)/i.exec(detail) ?? [];
  const role = roleOf(MLMMJ, word);
  return role === undefined ? { name, role: 'post', detail } : { name, role, detail: detail.slice(whole.length) };
}
