/**
 * address-file - a set of addresses in a file: one a line, `*@domain` for all of a domain, comments behind `#`.
 *
 * It is taken whole or not at all (see current-file.ts): a file that is missing, unreadable or holds a line that is no
 * address makes every question reject until it is mended, because a roster that is half there would turn members into
 * strangers.
 */
import { readFile } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { andThen, type Eventual } from '../core/eventual.ts';
import {
  type AddressEntry,
  type AddressSet,
  addressSet,
  type Canonical,
  canonicalEntry,
  parseAddressEntry,
} from './address.ts';
import { CurrentFile } from './current-file.ts';
import { defineStore, type Store } from './store.ts';

export interface AddressFileOptions {
  readonly path: string;
  /** Applied to what the file holds; who asks has applied it to the key. */
  readonly canonical?: Canonical;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** In octets: half a million addresses. */
export const LARGEST_ADDRESS_FILE = 16 * 1024 * 1024;
/** Lines that are read at a stretch, some ten milliseconds; then others have their turn. */
const STRETCH = 5000;

/** What a file of addresses holds; `bad` are the numbers of the lines that are no address, from 1. */
export interface AddressLines {
  readonly entries: readonly AddressEntry[];
  readonly bad: readonly number[];
}

export function parseAddressLines(text: string): AddressLines {
  return parseLines(linesOf(text));
}

function linesOf(text: string): readonly string[] {
  return text.replace(/^\ufeff/, '').split(/\r\n|\n|\r/);
}

function parseLines(lines: readonly string[], from = 0, to = lines.length): AddressLines {
  const entries: AddressEntry[] = [];
  const bad: number[] = [];
  for (let index = from; index < to; index += 1) {
    const line = lines[index] ?? '';
    const content = line.replace(/(^|\s)#.*$/, '').trim();
    if (content === '') continue;
    const entry = parseAddressEntry(content);
    if (entry === null) bad.push(index + 1);
    else entries.push(entry);
  }
  return { entries, bad };
}

/** Asked with a key of `addressKey`. */
export const addressFile = defineStore<AddressFileOptions>({
  name: 'file',
  summary: 'A file of addresses, one a line, read again when it changes.',
  open: (options) => new AddressFile(options),
});

class AddressFile implements Store {
  readonly #file: CurrentFile<AddressSet>;

  constructor({ path, canonical = null, now }: AddressFileOptions) {
    this.#file = new CurrentFile({ path, largest: LARGEST_ADDRESS_FILE, read: () => readSet(path, canonical), now });
  }

  has(key: string): Eventual<boolean> {
    return andThen(this.#file.get(), (set) => set.has(key));
  }

  close(): void {
    this.#file.close();
  }
}

async function readSet(path: string, canonical: Canonical): Promise<AddressSet> {
  const lines = linesOf(await readFile(path, 'utf8'));
  const set = addressSet();
  for (let from = 0; from < lines.length; from += STRETCH) {
    const { entries, bad } = parseLines(lines, from, Math.min(from + STRETCH, lines.length));
    if (bad.length > 0) throw new Error(`${path}:${bad[0]}: not an address`);
    for (const entry of entries) set.add(canonicalEntry(entry, canonical));
    await setImmediate();
  }
  return set;
}
