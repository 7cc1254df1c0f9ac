/**
 * select - a recipient's address as list, role and detail, and the file that holds the rules of a list.
 *
 * `lists/<domain>/<local-part>.yaml`, with the folders of the layout before the last part, or `lists/<domain>/_default.yaml`
 * where the list has no file. An address is input from
 * outside: one that is no safe file name has no file of its own, so that no recipient can name a file elsewhere.
 * Symbolic links within the folder are the site's business and are followed.
 */
import { join } from 'node:path';
import type { ListAddress, Role } from '../core/facts.ts';
import { type Layout, layoutFolders, PLAIN } from '../core/layout.ts';
import type { Mailbox } from '../core/mailbox.ts';
import { addressKey, domainKey } from '../store/address.ts';

/** Whose rules the addresses of lists are split by. */
export type Dialect = 'mailman' | 'plain';

/** Behind the last `-` of the local-part; a name with such an ending is never the name of a list. */
const MAILMAN_ROLES: Readonly<Record<string, Role>> = {
  bounces: 'bounces',
  confirm: 'confirm',
  join: 'join',
  leave: 'leave',
  owner: 'owner',
  request: 'request',
  subscribe: 'join',
  unsubscribe: 'leave',
};

/**
 * Takes an address apart. What follows the first `+` is the detail, in either dialect: it goes to the same list, so it must
 * meet the same rules. `plain` knows no roles: every address is a posting address.
 */
export function splitAddress({ localPart, domain }: Mailbox, dialect: Dialect): ListAddress {
  const plus = localPart.indexOf('+', 1);
  const base = plus === -1 ? localPart : localPart.slice(0, plus);
  const detail = plus === -1 ? '' : localPart.slice(plus + 1);
  const dash = base.lastIndexOf('-');
  const suffix = base.slice(dash + 1).toLowerCase();
  const role =
    dialect === 'mailman' && dash > 0 && Object.hasOwn(MAILMAN_ROLES, suffix) ? MAILMAN_ROLES[suffix] : undefined;
  const list = addressKey({ localPart: role === undefined ? base : base.slice(0, dash), domain });
  return { list, role: role ?? 'post', detail };
}

/** The files of a list, the first that exists governs; none where the address is no safe name. */
export interface ListFiles {
  readonly own: string | null;
  readonly fallback: string | null;
}

/** Octets of the longest file name on common file systems. */
const LONGEST_NAME = 255;
const SUFFIX = '.yaml';
/** Leading dots and dashes are for hidden files and options, a leading `_` for `_default`; no controls, no lone surrogates. */
const UNSAFE = /^[._-]|[/\\\p{Cc}\p{Cs}\ufffd]/u;

/** `list` is that of a ListAddress. */
export function listFiles(folder: string, list: string, layout: Layout = PLAIN): ListFiles {
  const at = list.lastIndexOf('@');
  const [name, domain] = [list.slice(0, at), domainKey(list.slice(at + 1))];
  if (!isSafeName(domain)) return { own: null, fallback: null };
  const own = isSafeName(name + SUFFIX) ? join(folder, domain, ...layoutFolders(layout, name), name + SUFFIX) : null;
  return { own, fallback: join(folder, domain, `_default${SUFFIX}`) };
}

/** Whether a name, as the last part of a path, stays in its folder and is a name that people would choose. */
export function isSafeName(name: string): boolean {
  return name !== '' && Buffer.byteLength(name) <= LONGEST_NAME && !UNSAFE.test(name);
}
