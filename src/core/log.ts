/**
 * log - the few events that can be logged, as types. Never content, never a field of a message, but for `debug`.
 */

/** What became of one copy. */
export interface CopyRecord {
  readonly to: string;
  readonly downstream: string;
  readonly reply: string;
}

/** What became of one recipient. */
export interface RecipientRecord {
  readonly to: string;
  readonly list: string;
  readonly role: string;
  readonly ruleset: string | null;
  readonly rule: string | null;
  readonly verdict: string;
  readonly phase: string | null;
  readonly reply: string;
  readonly downstream: string | null;
  /** Milliseconds from asking the downstream to its reply; null where none was asked. */
  readonly ms: number | null;
  /** The address that it went to instead; left out where it was not redirected. */
  readonly redirect?: string;
  /** Left out where there are none. */
  readonly copies?: readonly CopyRecord[];
  /** What rules noted; left out where there is nothing. */
  readonly notes?: readonly string[];
  /** The sum of the scores; left out where no rule scored. */
  readonly score?: number;
  /** Shadow rules that would have decided, had they been in force; left out where there are none. */
  readonly shadow?: readonly string[];
}

/** Milliseconds of a message that was received whole and that somebody was to get. */
export interface Stages {
  /** From DATA to the end of the content. */
  readonly content: number;
  /** From there to the last verdict. */
  readonly rules: number;
  /** From there to the last reply. */
  readonly delivery: number;
}

/** One line of the log for each transaction; `size` in octets, `ms` from MAIL to the last reply. */
export interface TransactionRecord {
  readonly id: string;
  readonly listener: string;
  readonly client: string | null;
  readonly helo: string;
  readonly from: string;
  readonly size: number;
  readonly end: string;
  readonly ms: number;
  /** Left out where nothing was to be delivered. */
  readonly stages?: Stages;
  readonly recipients: readonly RecipientRecord[];
}

export interface Log {
  transaction(record: TransactionRecord): void;
  /** Left out where nobody would read it. The one event that may tell what stands in a message. */
  debug?(event: string, detail: Readonly<Record<string, unknown>>): void;
  /** Life of the process: started, reloaded, draining; and what an operator should look at. */
  info(event: string, detail?: Readonly<Record<string, unknown>>): void;
  warn(event: string, detail?: Readonly<Record<string, unknown>>): void;
  /** A bug or a part that does not work: with stack. */
  error(event: string, error: unknown, detail?: Readonly<Record<string, unknown>>): void;
}
