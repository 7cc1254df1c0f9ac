/**
 * observed-log - a Log that shows everything it is told to observers before it is written, whatever the log's level.
 *
 * The only place where what happens is counted: no other part of the program knows of metrics.
 */
import type { Log, TransactionRecord } from '../core/log.ts';

export type Detail = Readonly<Record<string, unknown>>;

export interface Observer {
  transaction(record: TransactionRecord): void;
  event(level: 'info' | 'warn' | 'error', event: string, detail: Detail): void;
}

export function observedLog(log: Log, observers: readonly Observer[]): Log {
  const seen = (level: 'info' | 'warn' | 'error', event: string, detail: Detail = {}): void => {
    for (const observer of observers) observer.event(level, event, detail);
  };
  return {
    transaction(record) {
      for (const observer of observers) observer.transaction(record);
      log.transaction(record);
    },
    ...(log.debug === undefined ? {} : { debug: (event, detail) => log.debug?.(event, detail) }),
    info(event, detail) {
      seen('info', event, detail);
      log.info(event, detail);
    },
    warn(event, detail) {
      seen('warn', event, detail);
      log.warn(event, detail);
    },
    error(event, error, detail) {
      seen('error', event, detail);
      log.error(event, error, detail);
    },
  };
}

/** `2yz`, `4yz`, `5yz`; `none` where no reply was given. */
export function classOf(reply: string): string {
  return reply === '' ? 'none' : `${reply[0]}yz`;
}
