/**
 * program-call - path and arguments of a program that is run for one recipient, with placeholders for what is known of it.
 *
 * Each argument stays one argument, whatever the network puts into it. A value that could be read as an option or a path,
 * or that holds control characters, is not passed on at all.
 */
import type { Recipient, Transaction } from '../core/envelope.ts';
import type { ListAddress } from '../core/facts.ts';

export interface Call {
  readonly recipient: Recipient;
  readonly transaction: Transaction;
  /** The recipient's address, taken apart. */
  readonly address: ListAddress;
}

interface Placeholder {
  value(call: Call): string;
  /** What the value must not look like. */
  readonly unsafe: RegExp;
}

const UNSAFE_NAME = /^[-.]|[/\p{Cc}]/u;
const UNSAFE_TEXT = /^-|\p{Cc}/u;

const PLACEHOLDERS: Readonly<Record<string, Placeholder>> = {
  // Mailman 2 has a command of the same name for each role.
  command: { value: ({ address }) => address.role, unsafe: UNSAFE_NAME },
  list: { value: ({ address: { list } }) => list.slice(0, list.lastIndexOf('@')), unsafe: UNSAFE_NAME },
  domain: { value: ({ address: { list } }) => list.slice(list.lastIndexOf('@') + 1), unsafe: UNSAFE_NAME },
  detail: { value: ({ address }) => address.detail, unsafe: UNSAFE_NAME },
  envelope_from: { value: ({ transaction }) => transaction.rawReversePath, unsafe: UNSAFE_TEXT },
};

export const PLACEHOLDER_NAMES: readonly string[] = Object.keys(PLACEHOLDERS);

const PLACEHOLDER = /\{(\w+)\}/g;

/** The names of all placeholders in an argument, known or not. */
export function placeholdersIn(argument: string): readonly string[] {
  return [...argument.matchAll(PLACEHOLDER)].map((match) => match[1] ?? '');
}

/** The program with its placeholders filled; null where a value must not be passed on. */
export function fillCall(program: readonly string[], call: Call): readonly string[] | null {
  let safe = true;
  const filled = program.map((argument) =>
    argument.replace(PLACEHOLDER, (whole, name: string) => {
      const placeholder = Object.hasOwn(PLACEHOLDERS, name) ? PLACEHOLDERS[name] : undefined;
      if (placeholder === undefined) return whole;
      const value = placeholder.value(call);
      if (placeholder.unsafe.test(value)) safe = false;
      return value;
    }),
  );
  return safe ? filled : null;
}
