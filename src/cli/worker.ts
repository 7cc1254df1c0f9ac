/**
 * worker - one of several processes that take mail: carries out what the primary orders.
 *
 * Signals are the primary's: a terminal or systemd may send them to every process, and a worker must not act on its own.
 * When the primary is gone the process ends at once; clients without a reply keep their mail.
 */
import type { Streams } from './command.ts';
import type { Order, OrderName, Orders, Word } from './orders.ts';
import { type Prepared, Service } from './service.ts';

const PROCESSES = 'POSTERN_PROCESSES';
const INHERITED = 'POSTERN_INHERITED';

/** What a worker is told at its start. */
export function workerEnvironment(
  processes: number,
  inherited: ReadonlyMap<string, number>,
): Readonly<Record<string, string>> {
  return { [PROCESSES]: `${processes}`, [INHERITED]: JSON.stringify([...inherited]) };
}

export async function work(file: string, streams: Streams): Promise<number> {
  for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});
  const service = await Service.load({
    file,
    // The primary has told all warnings; what it tells of errors is enough, unless files changed since.
    streams: { out: streams.out, err: () => {} },
    processes: Number(process.env[PROCESSES] ?? 1),
    inherited: new Map(JSON.parse(process.env[INHERITED] ?? '[]') as [string, number][]),
  });
  if (service === null) {
    streams.err(`postern: a worker cannot load ${file}; see postern check\n`);
    return 1;
  }
  const problem = await service.open();
  if (problem !== null) {
    streams.err(`postern: ${problem}\n`);
    return 1;
  }
  process.on('uncaughtException', (error) => service.log.error('uncaught', error));
  process.on('unhandledRejection', (error) => service.log.error('unhandled-rejection', error));
  return await new Promise((resolve) => {
    const carryOut = createOrders(service);
    process.on('message', ({ order, number }: Order) => {
      void carryOut[order]()
        .catch((error: unknown) => {
          service.log.error(order, error);
          return null;
        })
        .then((answer) => say({ number, answer }, () => order === 'drain' && resolve(0)));
    });
    say({ ready: true });
  });
}

function createOrders(service: Service): { readonly [N in OrderName]: () => Promise<Orders[N]> } {
  let prepared: Prepared | null = null;
  const take = (): Prepared | null => {
    const taken = prepared;
    prepared = null;
    return taken;
  };
  return {
    async prepare() {
      const made = await service.prepare();
      if (typeof made === 'string') return { problem: made };
      prepared = made;
      return { problem: null };
    },
    async commit() {
      const taken = take();
      // The old generation is closed when its transactions are over; nobody waits for that.
      if (taken !== null) service.commit(taken).catch((error: unknown) => service.log.error('reload', error));
      return true;
    },
    async abort() {
      const taken = take();
      if (taken !== null) await service.abort(taken);
      return true;
    },
    report: () => service.report(),
    async drain() {
      await service.stop();
      return true;
    },
  };
}

function say(word: Word, done: () => void = () => {}): void {
  process.send?.(word, undefined, undefined, done);
}
