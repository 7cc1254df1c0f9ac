/**
 * facts - what is known of a recipient, and when.
 *
 * Three phases, one evaluator: a test that needs more than the phase knows answers `later` and is asked again.
 */
import type { Recipient, Transaction } from './envelope.ts';
import type { Header, Message } from './message.ts';

/** `envelope`: at RCPT. `header`: at the end of the header section. `content`: after the final dot. */
export type Phase = 'envelope' | 'header' | 'content';

/** Phases in the order in which they are reached. */
export const PHASES: readonly Phase[] = ['envelope', 'header', 'content'];

/** Whether what is known at `needed` is known at `reached`. */
export function isReached(needed: Phase, reached: Phase): boolean {
  return needed === reached || needed === 'envelope' || reached === 'content';
}

/** What a list's address is for; `post` is the posting address itself. */
export const ROLES = ['post', 'owner', 'request', 'join', 'leave', 'confirm', 'bounces'] as const;
export type Role = (typeof ROLES)[number];

/** The list managers whose addresses can be taken apart; `plain` for none of them. */
export const DIALECTS = ['mailman', 'sympa', 'ezmlm', 'mlmmj', 'plain'] as const;
export type Dialect = (typeof DIALECTS)[number];

/** A recipient's address taken apart by the dialect of the list manager. */
export interface ListAddress {
  /** The posting address, local-part and domain in lower case: `gardeners@lists.example.org`. */
  readonly list: string;
  readonly role: Role;
  /** What follows the role, or the `+`; empty where there is none. */
  readonly detail: string;
}

/** Answers of stores, remembered from RCPT to the dot: a store that changes cannot split a transaction. */
export class Answers {
  /** Made with the first: most recipients meet no store. */
  #known: Map<object, boolean> | null = null;

  get(question: object): boolean | undefined {
    return this.#known?.get(question);
  }

  set(question: object, answer: boolean): void {
    this.#known ??= new Map();
    this.#known.set(question, answer);
  }
}

/** What the rules asked so far have scored for one recipient. No rule overtakes another, so it is final when it is asked. */
export interface Score {
  /** null where no rule has scored. */
  sum: number | null;
}

/**
 * Whom a transaction has named, refused recipients too: what it counts must not depend on when the others were answered.
 * It only grows, and is complete when the content begins. Keys are addresses without case.
 */
export interface Addressees {
  readonly recipients: ReadonlySet<string>;
  readonly lists: ReadonlySet<string>;
}

export interface EnvelopeFacts {
  readonly phase: Phase;
  /** Milliseconds since the epoch, taken once for each transaction: a rule cannot change its mind at midnight. */
  readonly now: number;
  readonly addressees: Addressees;
  readonly transaction: Transaction;
  readonly recipient: Recipient;
  readonly address: ListAddress;
  readonly answers: Answers;
  readonly score: Score;
}

export interface HeaderFacts extends EnvelopeFacts {
  readonly header: Header;
}

export interface ContentFacts extends HeaderFacts {
  readonly message: Message;
}

export type FactsAt<P extends Phase> = P extends 'envelope'
  ? EnvelopeFacts
  : P extends 'header'
    ? HeaderFacts
    : ContentFacts;

export type Facts =
  | (EnvelopeFacts & { readonly phase: 'envelope' })
  | (HeaderFacts & { readonly phase: 'header' })
  | (ContentFacts & { readonly phase: 'content' });

/** `later`: ask again at the next phase. Never the answer at `content`. */
export type Truth = boolean | 'later';

export type Test = (facts: Facts) => Truth | Promise<Truth>;
