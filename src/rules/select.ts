/**
 * select - a recipient's address as list, role and detail, and the file that holds the rules of a list.
 *
 * `lists/<domain>/<local-part>.yaml`, with the folders of the layout before the last part, or `lists/<domain>/_default.yaml`
 * where the list has no file. An address is input from
 * outside: one that is no safe file name has no file of its own, so that no recipient can name a file elsewhere.
 * Symbolic links within the folder are the site's business and are followed.
 */
import { join } from 'node:path';
import type { Dialect, ListAddress } from '../core/facts.ts';
import { type Layout, layoutFolders, PLAIN } from '../core/layout.ts';
import type { Mailbox } from '../core/mailbox.ts';
import { addressKey, domainKey } from '../store/address.ts';
import { splitLocalPart } from './dialects.ts';

/** Takes an address apart, as the list manager forms the addresses of its lists. */
export function splitAddress({ localPart, domain }: Mailbox, dialect: Dialect): ListAddress {
  const { name, role, detail } = splitLocalPart(localPart, dialect);
  return { list: addressKey({ localPart: name, domain }), role, detail };
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

/** What nearly every name looks like. */
const ORDINARY = /^[A-Za-z\d][\w.+=-]*$/;

/** Whether a name, as the last part of a path, stays in its folder and is a name that people would choose. */
export function isSafeName(name: string): boolean {
  if (ORDINARY.test(name)) return name.length <= LONGEST_NAME;
  return name !== '' && Buffer.byteLength(name) <= LONGEST_NAME && !UNSAFE.test(name);
}
