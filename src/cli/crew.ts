/**
 * crew - the contract of what serves: this process (alone.ts), or workers (primary.ts).
 */
import type { Report } from './service.ts';

export interface Crew {
  /** Resolves when no mail can be taken any more, and a new start is the only way out. */
  readonly lost?: Promise<void>;
  /** Resolves when mail is taken; or the problem in one line, told already where it is empty. */
  start(): Promise<string | null>;
  /** Why no mail is taken now; null where it is. */
  notReady(): string | null;
  /** One of each process. */
  reports(): Promise<readonly Report[]>;
  /** All or nothing; logs what came of it. */
  reload(): Promise<void>;
  /** Takes nothing new, lets messages under way finish, then ends. */
  stop(): Promise<void>;
  /** At once, where `stop` takes too long. */
  kill(): void;
}
