/**
 * serve - listens until SIGTERM or SIGINT, which let messages under way finish; a second signal ends at once.
 *
 * SIGHUP reads configuration and rules again, all or nothing: what does not load changes nothing and is logged.
 */
import cluster from 'node:cluster';
import { readFileSync } from 'node:fs';
import type { Config } from '../config/config.ts';
import { formatAddress } from '../config/address.ts';
import { loadConfig } from '../config/load.ts';
import type { Log } from '../core/log.ts';
import type { Admin } from './admin.ts';
import { Alone } from './alone.ts';
import { type Command, readArguments, type Streams } from './command.ts';
import { listenerName } from './compose.ts';
import { findConfig } from './config-file.ts';
import type { Crew } from './crew.ts';
import { inheritedSockets } from './inherited-sockets.ts';
import { createNotifier, type Notifier, reloading } from './notify.ts';
import { Primary } from './primary.ts';
import { cannotListen, Service, tryLoad } from './service.ts';
import { addUp } from './tally.ts';
import { hearSignals } from './signals.ts';
import { work } from './worker.ts';

const HELP = `Usage: postern serve [--config FILE] [--when-ready FILE]

Serves until SIGTERM (messages under way finish first). SIGHUP reads configuration and rules again.

  --config FILE       the configuration; default postern.yaml here, then /etc/postern/postern.yaml
  --when-ready FILE   prints this text once the listeners are open

Example: postern serve --config /etc/postern/postern.yaml
`;

async function run(args: readonly string[], streams: Streams): Promise<number> {
  const { values } = readArguments(args, { config: { type: 'string' }, 'when-ready': { type: 'string' } }, false);
  const file = findConfig(values.config as string | undefined);
  const greeting = values['when-ready'] as string | undefined;
  if (cluster.isWorker) return await work(file, streams);
  const inherited = inheritedSockets(process.env, process.pid);
  const { config } = loadConfig(file);
  if (config !== null && config.workers > 1) {
    // Loaded here once, so that what is wrong is told once.
    const primary = new Primary(file, config, inherited, streams);
    if ((await tryLoad({ file, streams, processes: config.workers }, primary.log)) === null) return 1;
    return await serve(primary, config, primary.log, greeting, streams);
  }
  const service = await Service.load({ file, streams, processes: 1, inherited });
  if (service === null) return 1;
  return await serve(new Alone(service, file), service.config, service.log, greeting, streams);
}

async function serve(
  crew: Crew,
  config: Config,
  log: Log,
  greeting: string | undefined,
  streams: Streams,
): Promise<number> {
  const handSignals = hearSignals();
  const admin = config.admin === null ? null : await adminOf(crew);
  const problem = (await open(admin, config)) ?? (await crew.start());
  if (problem !== null) {
    if (problem !== '') streams.err(`postern: ${problem}\n`);
    return 1;
  }
  log.info('listening', {
    listeners: config.listen.map(listenerName),
    ...(config.admin === null ? {} : { admin: formatAddress(config.admin) }),
    pid: process.pid,
  });
  if (greeting !== undefined) streams.out(readFileSync(greeting, 'utf8'));
  const notifier = createNotifier(process.env, process.pid, log);
  void notifier.tell('READY=1');
  notifier.watch();
  const status = await untilStopped(crew, notifier, log, handSignals);
  await notifier.close();
  await admin?.close();
  return status;
}

async function adminOf(crew: Crew): Promise<Admin> {
  const { Admin } = await import('./admin.ts');
  const { printMetrics } = await import('./metrics.ts');
  return new Admin({
    notReady: () => crew.notReady(),
    metrics: async () => printMetrics((await crew.reports()).map(({ sample }) => sample)),
    stats: async () => addUp((await crew.reports()).flatMap(({ stats }) => stats ?? [])),
  });
}

async function open(admin: Admin | null, { admin: address }: Config): Promise<string | null> {
  if (admin === null || address === null) return null;
  try {
    await admin.open(address);
    return null;
  } catch (error) {
    return cannotListen(`admin:${formatAddress(address)}`, error);
  }
}

function untilStopped(
  crew: Crew,
  notifier: Notifier,
  log: Log,
  handSignals: ReturnType<typeof hearSignals>,
): Promise<number> {
  // A bug in one transaction must not take the others with it: it is logged with its stack, and the process lives.
  process.on('uncaughtException', (error) => log.error('uncaught', error));
  process.on('unhandledRejection', (error) => log.error('unhandled-rejection', error));
  let reloads = Promise.resolve();
  const reload = (): void => {
    reloads = reloads.then(async () => {
      await notifier.tell(...reloading());
      await crew.reload().catch((error: unknown) => log.error('reload', error));
      await notifier.tell('READY=1');
    });
  };
  return new Promise((resolve) => {
    let stopping = false;
    void crew.lost?.then(() => resolve(1));
    const stop = (): void => {
      if (stopping) {
        crew.kill();
        resolve(1);
        return;
      }
      stopping = true;
      void notifier.tell('STOPPING=1');
      crew.stop().then(
        () => resolve(0),
        (error: unknown) => {
          log.error('stop', error);
          resolve(1);
        },
      );
    };
    handSignals((signal) => (signal === 'SIGHUP' ? reload() : stop()));
  });
}

export const serveCommand: Command = {
  name: 'serve',
  summary: 'takes mail until it is told to stop',
  help: HELP,
  run,
};
