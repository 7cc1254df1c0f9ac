/**
 * serving - what is needed to hand a message out: the parts that live as long as the pipeline, and those of one message.
 */
import type { Transaction } from '../core/envelope.ts';
import type { Log } from '../core/log.ts';
import type { Message } from '../core/message.ts';
import type { HeaderEdit } from '../core/verdict.ts';
import type { Decision } from './decide.ts';
import type { Destinations } from './destinations.ts';
import type { Entrance } from './entrance.ts';
import type { Served } from './served.ts';

export interface ServeParts {
  readonly served: Served;
  readonly destinations: Destinations;
  /** What is put on top of everything that leaves. */
  readonly traceFields: (entrance: Entrance, transaction: Transaction) => readonly HeaderEdit[];
  readonly log: Log;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** A message whose recipients are not refused. */
export interface Serving {
  readonly entrance: Entrance;
  readonly transaction: Transaction;
  readonly message: Message;
  readonly decisions: readonly Decision[];
  /** Milliseconds since the epoch by which all are answered. */
  readonly deadline: number;
}
