/**
 * served - who has a message already whose client was told to send it again, so that nobody gets it twice.
 *
 * Known for some hours by the reverse-path, the address and the content without its trace fields. Where nothing has to be
 * sent again nothing is kept.
 */
import { createHash } from 'node:crypto';
import type { Transaction } from '../core/envelope.ts';
import type { Eventual } from '../core/eventual.ts';
import { type Mailbox, printMailbox } from '../core/mailbox.ts';
import type { Message } from '../core/message.ts';
import { cutFields } from '../mail/cut.ts';

/** A bounded memory of some hours; what it forgets costs a retry or a duplicate, nothing else. */
export interface Remembered<V> {
  get(key: string): V | undefined;
  set(key: string, value: V): void;
}

/** `as`: a recipient is told of its own message apart from a copy that it gets for somebody else's. */
export function servedKey({ rawReversePath }: Transaction, to: Mailbox, as: 'served' | 'copied'): string {
  return `${as} <${rawReversePath}> <${printMailbox(to)}>`;
}

/** The content without what changes from one attempt to the next: the fields that every hop adds. */
async function digestOf({ header, content }: Message): Promise<string> {
  const trace = header.fields.filter(({ name }) => /^(received|return-path|delivered-to|x-received)$/i.test(name));
  const untraced = cutFields([], trace);
  const hash = createHash('sha256');
  for await (const slice of content.slices()) for (const piece of untraced.push(slice)) hash.update(piece);
  return hash.digest('base64');
}

export const NOBODY: ReadonlySet<string> = new Set();

export class Served {
  readonly #memory: Remembered<string>;

  constructor(memory: Remembered<string>) {
    this.#memory = memory;
  }

  /** The keys of those who have this message from an earlier attempt. */
  before(message: Message, keys: readonly string[]): Eventual<ReadonlySet<string>> {
    const candidates = keys.filter((key) => this.#memory.get(key) !== undefined);
    if (candidates.length === 0) return NOBODY;
    return digestOf(message).then((digest) => new Set(candidates.filter((key) => this.#memory.get(key) === digest)));
  }

  /** These have the message although its client will hear 4yz. */
  async remember(message: Message, keys: readonly string[]): Promise<void> {
    if (keys.length === 0) return;
    const digest = await digestOf(message);
    for (const key of keys) this.#memory.set(key, digest);
  }
}
