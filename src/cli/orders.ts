/**
 * orders - what the primary asks of a worker, and the answers, over the channel between them.
 *
 * Every order is answered once; a worker that dies answers nothing, and `null` stands for that.
 */
import type { Worker } from 'node:cluster';
import type { Report } from './service.ts';

/** `prepare` answers the problem in one line, or null; the others are answered when they are carried out. */
export interface Orders {
  readonly prepare: { readonly problem: string | null };
  readonly commit: true;
  readonly abort: true;
  readonly report: Report;
  readonly drain: true;
}

export type OrderName = keyof Orders;
export type Order = { readonly order: OrderName; readonly number: number };
/** `ready`: the listeners are open. */
export type Word = { readonly ready: true } | { readonly number: number; readonly answer: unknown };

let last = 0;

/** The answer, or null where the worker is gone before it gave one, or after `patience` milliseconds. */
export function ask<N extends OrderName>(worker: Worker, order: N, patience?: number): Promise<Orders[N] | null> {
  last += 1;
  const number = last;
  return new Promise((resolve) => {
    const done = (answer: Orders[N] | null): void => {
      clearTimeout(timer);
      worker.off('message', hear);
      worker.off('exit', gone);
      resolve(answer);
    };
    const hear = (word: Word): void => {
      if ('number' in word && word.number === number) done(word.answer as Orders[N]);
    };
    const gone = (): void => done(null);
    const timer = patience === undefined ? undefined : setTimeout(gone, patience);
    worker.on('message', hear);
    worker.on('exit', gone);
    if (worker.isDead() || !worker.isConnected()) gone();
    // A channel that breaks now is a worker that dies: `exit` follows.
    else worker.send({ order, number } satisfies Order, () => {});
  });
}
