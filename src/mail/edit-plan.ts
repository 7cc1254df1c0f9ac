/**
 * edit-plan - what a list of edits comes to for one header section: fields to add, names to remove, texts to insert.
 *
 * A prefix goes in front of the value of the first field of that name that came with the message; the value itself is not
 * touched, so its encoded words and folds stay as they are. It is left out where the value, decoded and folded, holds it
 * already. Where there is no such field, or a rule has removed it, the prefix goes to the field that a rule has added, or
 * becomes one.
 */
import type { Header, HeaderField } from '../core/message.ts';
import type { HeaderEdit } from '../core/verdict.ts';
import type { Cut } from './cut.ts';
import { decodeText, encodeText, foldForMatch } from './text.ts';

export interface EditPlan {
  readonly added: readonly { readonly name: string; readonly value: string }[];
  /** In lower case. */
  readonly removed: ReadonlySet<string>;
  /** What stands in front of the value of a field, decoded. */
  readonly prefixes: ReadonlyMap<HeaderField, string>;
}

export function planEdits(header: Header, edits: readonly HeaderEdit[]): EditPlan {
  const added: { readonly name: string; readonly value: string }[] = [];
  const removed = new Set<string>();
  const prefixes = new Map<HeaderField, string>();

  const prefix = (name: string, text: string): void => {
    const lower = name.toLowerCase();
    const [theirs] = removed.has(lower) ? [] : header.named(name);
    if (theirs !== undefined) {
      const before = prefixes.get(theirs);
      if (!holds(`${before ?? ''} ${theirs.text}`, text))
        prefixes.set(theirs, before === undefined ? text : `${text} ${before}`);
      return;
    }
    const index = added.findIndex((field) => field.name.toLowerCase() === lower);
    const ours = added[index];
    if (ours === undefined) added.push({ name, value: encodeText(text) });
    else if (!holds(decodeText(ours.value), text))
      added[index] = { name, value: `${encodeBefore(text, ours.value)} ${ours.value}` };
  };

  for (const edit of edits) {
    switch (edit.kind) {
      case 'add':
        added.push(edit);
        break;
      case 'remove':
        removed.add(edit.name.toLowerCase());
        for (const field of header.named(edit.name)) prefixes.delete(field);
        break;
      case 'prefix':
        prefix(edit.name, edit.text);
    }
  }
  return { added, removed, prefixes };
}

function holds(value: string, text: string): boolean {
  return foldForMatch(value).includes(foldForMatch(text));
}

/** A reader drops the blank between two encoded words (RFC 2047 section 6.2), so it has to stand within the first. */
function encodeBefore(text: string, value: string): string {
  const encoded = encodeText(text);
  return encoded !== text && value.startsWith('=?') ? encodeText(`${text} `) : encoded;
}

const FOLD_AT = 78;

/** The prefix as octets in front of the value, on a line of its own where one line would be long (RFC 5322 section 2.1.1). */
export function insertion(field: HeaderField, text: string): Cut {
  const { name, value, valueStart } = field;
  const encoded = encodeBefore(text, value);
  const lines = encoded.replaceAll('?= =?', '?=\r\n =?');
  const long = name.length + 3 + encoded.length + value.length > FOLD_AT;
  const behind = value === '' ? '' : long ? '\r\n ' : ' ';
  return { start: valueStart, end: valueStart, instead: Buffer.from(lines + behind, 'latin1') };
}
