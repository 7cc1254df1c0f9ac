/**
 * header - the header section of a message as fields over its octets (RFC 5322 sections 2.1 and 2.2).
 *
 * Only offsets are found at once; a value is unfolded and decoded when a rule asks for it, and then kept. Lines end in
 * CRLF. Nothing throws: a line that is no field ends the section, as it does for Postfix and Sendmail. Mbox lines
 * (`From ann@example.net Thu ...`) and continuations of nothing are passed over, because Python's parser, and with it
 * Mailman, reads on behind them: what a downstream may take for a field, a rule must see.
 */
import { isUtf8 } from 'node:buffer';
import type { Mailbox } from '../core/mailbox.ts';
import type { Header, HeaderField } from '../core/message.ts';
import { parseAddressList } from './address-list.ts';
import { decodeText } from './text.ts';

/** Fields behind this count, or beginning behind this octet, are counted and otherwise left out. */
export const MOST_FIELDS = 10_000;
export const LONGEST_SECTION = 1024 * 1024;

/** `fieldCount` counts all fields of the section, also those that a limit kept out of `fields`. */
export interface ParsedHeader extends Header {
  readonly fieldCount: number;
}

/**
 * The header section at the start of `content`, which may go on behind it. Where `headerSectionEnd` finds an end, `size`
 * is the same; where the section is not complete yet, `size` is the end of what there is of it.
 */
export function parseHeader(content: Buffer): ParsedHeader {
  const fields: HeaderField[] = [];
  let fieldCount = 0;
  let line = 0;
  for (;;) {
    const colon = colonOf(content, line);
    const next = colon !== -1 ? fieldEnd(content, colon) : isPassedOver(content, line) ? lineEnd(content, line) : -1;
    if (next === -1) break;
    if (colon !== -1) {
      if (fieldCount < MOST_FIELDS && line < LONGEST_SECTION) fields.push(new Field(content, line, colon, next));
      fieldCount += 1;
    }
    line = next;
  }
  return new Section(fields, fieldCount, isEmptyLine(content, line) ? line + 2 : line);
}

/**
 * Offset at which the body begins: just behind the empty line, or at the line that ends the section by being no field;
 * -1 if the end is not there yet. `from`: octets among which it was looked for before.
 */
export function headerSectionEnd(content: Buffer, from = 0): number {
  // Without a line that is new the search from the start of the last one would be paid for every octet that comes.
  if (lineEnd(content, Math.max(0, from - 1)) === -1) return -1;
  const before = from < 2 ? -1 : content.lastIndexOf('\r\n', from - 2);
  let line = before === -1 ? 0 : before + 2;
  for (let next = lineEnd(content, line); next !== -1; next = lineEnd(content, line)) {
    if (isEmptyLine(content, line)) return next;
    if (colonOf(content, line) === -1 && !isPassedOver(content, line)) return line;
    line = next;
  }
  return -1;
}

/**
 * Offset of the colon if a header field begins at `line`, else -1: printable ASCII, then perhaps white space, which the
 * obsolete syntax allows (RFC 5322 sections 2.2 and 4.5).
 */
export function colonOf(content: Buffer, line: number): number {
  const at = nameEnd(content, line);
  return at > line && content[at] === 0x3a ? at : -1;
}

/** Offset behind the name that a line begins with, and behind the white space that follows it; `line` where none does. */
export function nameEnd(content: Buffer, line: number): number {
  let at = line;
  while (isNameOctet(content[at])) at += 1;
  if (at === line) return line;
  while (isBlank(content[at])) at += 1;
  return at;
}

/** Offset behind the CRLF that ends the line which holds `from`, or -1. */
export function lineEnd(content: Buffer, from: number): number {
  let at = content.indexOf(0x0a, from);
  while (at !== -1 && (at === from || content[at - 1] !== 0x0d)) at = content.indexOf(0x0a, at + 1);
  return at === -1 ? -1 : at + 1;
}

/** Whether a line that is no field stands in the section without ending it; also true for every continuation. */
export function isPassedOver(content: Buffer, line: number): boolean {
  return isBlank(content[line]) || /^>?From [^ \t:]/i.test(content.toString('latin1', line, line + 7));
}

export function isBlank(octet: number | undefined): boolean {
  return octet === 0x20 || octet === 0x09;
}

function isNameOctet(octet: number | undefined): boolean {
  return octet !== undefined && octet > 0x20 && octet < 0x7f && octet !== 0x3a;
}

export function isEmptyLine(content: Buffer, line: number): boolean {
  return content[line] === 0x0d && content[line + 1] === 0x0a;
}

/** Behind the field's last continuation line; the end of `content` where that line is not complete. */
function fieldEnd(content: Buffer, from: number): number {
  let end = lineEnd(content, from);
  while (end !== -1 && isBlank(content[end])) end = lineEnd(content, end);
  return end === -1 ? content.length : end;
}

// A class, because getters on a prototype cost nothing for each of the fields that no rule asks for.
class Field implements HeaderField {
  readonly name: string;
  readonly start: number;
  readonly end: number;
  readonly #content: Buffer;
  readonly #colon: number;
  #value: string | undefined;
  #text: string | undefined;

  constructor(content: Buffer, start: number, colon: number, end: number) {
    this.name = content.toString('latin1', start, colon).trimEnd();
    this.start = start;
    this.end = end;
    this.#content = content;
    this.#colon = colon;
  }

  get valueStart(): number {
    const content = this.#content;
    let at = this.#colon + 1;
    for (;;) {
      while (isBlank(content[at])) at += 1;
      if (!isEmptyLine(content, at) || at + 2 >= this.end) return at;
      at += 2;
    }
  }

  get value(): string {
    this.#value ??= unfold(this.#content.subarray(this.#colon + 1, this.end));
    return this.#value;
  }

  get text(): string {
    this.#text ??= decodeText(this.value);
    return this.#text;
  }
}

/** Valid UTF-8 is UTF-8 (RFC 6532), anything else Latin-1, in which every octet is a character. */
function unfold(body: Buffer): string {
  const text = body.toString(isUtf8(body) ? 'utf8' : 'latin1').replace(/\r\n(?=[ \t])/g, '');
  let start = 0;
  let end = text.length;
  while (start < end && isSpace(text.charCodeAt(start))) start += 1;
  while (end > start && isSpace(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0d || code === 0x0a;
}

const NONE: readonly HeaderField[] = [];

class Section implements ParsedHeader {
  readonly fields: readonly HeaderField[];
  readonly fieldCount: number;
  readonly size: number;
  #index: Map<string, HeaderField[]> | undefined;
  #authors: readonly Mailbox[] | undefined;

  constructor(fields: readonly HeaderField[], fieldCount: number, size: number) {
    this.fields = fields;
    this.fieldCount = fieldCount;
    this.size = size;
  }

  named(name: string): readonly HeaderField[] {
    this.#index ??= indexOf(this.fields);
    return this.#index.get(name.toLowerCase()) ?? NONE;
  }

  get authors(): readonly Mailbox[] {
    this.#authors ??= this.named('From').flatMap((field) => parseAddressList(field.value));
    return this.#authors;
  }
}

function indexOf(fields: readonly HeaderField[]): Map<string, HeaderField[]> {
  const index = new Map<string, HeaderField[]>();
  for (const field of fields) {
    const name = field.name.toLowerCase();
    const same = index.get(name);
    if (same === undefined) index.set(name, [field]);
    else same.push(field);
  }
  return index;
}
