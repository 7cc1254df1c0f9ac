/**
 * edit - the header section with the edits of the rules applied, and without what outsiders must not say.
 *
 * Added fields come first, in the order given; `remove` takes every field of that name that came with the message;
 * `prefix` puts a text in front of the first of them (edit-plan.ts).
 * `X-Postern-*` fields that came with it are always taken out, so that nobody can hold, tag or clear a message by forging
 * them. All other octets are passed on as the slices they came in, not copied.
 */
import type { Content, Header } from '../core/message.ts';
import type { HeaderEdit } from '../core/verdict.ts';
import type { Eventual } from '../core/eventual.ts';
import { type Cut, chain, cutFields, type SliceFilter, sweepFields } from './cut.ts';
import { LONGEST_SECTION, MOST_FIELDS } from './header.ts';
import { insertion, planEdits } from './edit-plan.ts';

const OURS = /^x-postern-/i;

/**
 * `content` with `edits` applied; `content` itself where nothing changes. `header` is the header section of `content`.
 * Where it does not know all fields (too many, too long, malformed) and the octets are not in memory, they are read once
 * more to know their number.
 */
export function editContent(content: Content, header: Header, edits: readonly HeaderEdit[]): Eventual<Content> {
  const untouched = edits.length === 0 && !header.fields.some((field) => OURS.test(field.name));
  return untouched && knowsAllFields(header, content.size) ? content : applyEdits(content, header, edits);
}

async function applyEdits(content: Content, header: Header, edits: readonly HeaderEdit[]): Promise<Content> {
  const plan = planEdits(header, edits);
  const added = plan.added.map(({ name, value }) => formatField(name, value));
  const isRemoved = (name: string): boolean => OURS.test(name) || plan.removed.has(name.toLowerCase());
  const removed = header.fields.filter((field) => isRemoved(field.name));
  const inserted = [...plan.prefixes].map(([field, text]): Cut => insertion(field, text));
  const cuts: readonly Cut[] = [...removed, ...inserted].sort((a, b) => a.start - b.start);
  const whole = knowsAllFields(header, content.size);
  if (whole && cuts.length === 0 && added.length === 0) return content;
  const start = (): SliceFilter =>
    whole ? cutFields(added, cuts) : chain(cutFields([], inserted), sweepFields(added, isRemoved));
  const grows = added.length > 0 || inserted.length > 0;

  const slices = content.slices();
  if (Symbol.asyncIterator in slices) {
    const cutOut = cuts.reduce((sum, cut) => sum + cut.end - cut.start - (cut.instead?.length ?? 0), 0);
    const edited = (): AsyncGenerator<Buffer> => filterLater(content, start());
    const size = whole ? content.size + octets(added) - cutOut : await count(edited());
    return !grows && size === content.size ? content : { size, slices: edited };
  }
  const filter = start();
  const edited = [...slices.flatMap((slice) => filter.push(slice)), ...filter.end()];
  const size = octets(edited);
  return !grows && size === content.size ? content : { size, slices: () => edited };
}

async function* filterLater(content: Content, filter: SliceFilter): AsyncGenerator<Buffer> {
  for await (const slice of content.slices()) yield* filter.push(slice);
  yield* filter.end();
}

/** Whether the fields follow each other from the first octet to the empty line, none of them left out by a limit. */
function knowsAllFields({ fields, size }: Header, contentSize: number): boolean {
  const end = fields.at(-1)?.end ?? 0;
  const limited = fields.length >= MOST_FIELDS || size > LONGEST_SECTION;
  return !limited && (fields[0]?.start ?? 0) === 0 && (size === end + 2 || (size === end && size === contentSize));
}

async function count(slices: AsyncIterable<Buffer>): Promise<number> {
  let sum = 0;
  for await (const slice of slices) sum += slice.length;
  return sum;
}

function octets(slices: readonly Buffer[]): number {
  return slices.reduce((sum, slice) => sum + slice.length, 0);
}

const FIELD_NAME = /^[!-9;-~]+$/;
const FOLD_AT = 78;
/** RFC 5322 section 2.1.1, without the CRLF. */
const LONGEST_LINE = 998;

/**
 * A header field as octets, folded at blanks (RFC 5322 section 2.2.3). Whatever the value holds, it stays one field in
 * printable ASCII: white space becomes one blank, other controls go, other characters become `?`.
 */
function formatField(name: string, value: string): Buffer {
  if (!FIELD_NAME.test(name)) throw new TypeError(`not a field name: ${JSON.stringify(name)}`);
  const printable = value.replace(/(?![\t\r\n])\p{Cc}/gu, '').replace(/[^\s!-~]/gu, '?');
  const lines: string[] = [];
  let line = `${name}:`;
  for (const word of printable.split(/\s+/).filter((part) => part !== '')) {
    if (line.length + 1 + word.length > FOLD_AT && line !== `${name}:`) {
      lines.push(line);
      line = '';
    }
    line += ` ${word}`;
    for (; line.length > LONGEST_LINE; line = ` ${line.slice(LONGEST_LINE)}`) lines.push(line.slice(0, LONGEST_LINE));
  }
  return Buffer.from(`${[...lines, line].join('\r\n')}\r\n`, 'latin1');
}
