/**
 * stats - asks a running Postern, at its admin address, what it does, and prints that for people.
 */
import { request } from 'node:http';
import { type Address, formatAddress } from '../config/address.ts';
import { loadConfig } from '../config/load.ts';
import { type Command, readArguments, type Streams } from './command.ts';
import { findConfig } from './config-file.ts';
import { printDiagnostics } from './diagnostics.ts';
import { printStats } from './stats-table.ts';
import type { Stats } from './tally.ts';

const HELP = `Usage: postern stats [--config FILE] [--json] [--watch]

Prints what the running Postern does: rates, verdicts, downstreams, the busiest lists and rules. It is asked at the address
that its configuration names under "admin:".

  --config FILE    the configuration; default postern.yaml here, then /etc/postern/postern.yaml
  --json           the same as data
  --watch          again every two seconds, until it is interrupted

Example: postern stats --watch
`;

const EVERY = 2_000;
const LONGEST_WAIT = 5_000;
const LARGEST_ANSWER = 4 * 1024 * 1024;
const CLEAR = '\x1b[H\x1b[2J\x1b[3J';

async function run(args: readonly string[], streams: Streams): Promise<number> {
  const { values } = readArguments(
    args,
    { config: { type: 'string' }, json: { type: 'boolean' }, watch: { type: 'boolean' } },
    false,
  );
  const file = findConfig(values.config as string | undefined);
  const { config, diagnostics, text } = loadConfig(file);
  printDiagnostics(diagnostics, () => text, streams);
  if (config === null) return 1;
  if (config.admin === null) {
    streams.err(`postern stats: ${file} names no address to ask at; add admin: 127.0.0.1:10028 and restart Postern\n`);
    return 1;
  }
  const screen = values.watch === true && values.json !== true && process.stdout.isTTY === true;
  for (;;) {
    const stats = await ask(config.admin);
    if (typeof stats === 'string') {
      streams.err(`postern stats: ${formatAddress(config.admin)}: ${stats}\n`);
      if (values.watch !== true) return 1;
    } else {
      const shown = values.json === true ? `${JSON.stringify(stats)}\n` : printStats(stats, Date.now());
      streams.out(screen ? CLEAR + shown : shown);
    }
    if (values.watch !== true) return 0;
    await new Promise((resolve) => setTimeout(resolve, EVERY));
  }
}

/** What is told there, or in words why nothing is. */
function ask(address: Address): Promise<Stats | string> {
  const where = 'path' in address ? { socketPath: address.path } : { host: address.host, port: address.port };
  return new Promise((resolve) => {
    const asked = request({ ...where, path: '/stats', agent: false, timeout: LONGEST_WAIT }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (piece: string) => {
        text += piece;
        if (text.length > LARGEST_ANSWER) asked.destroy(new Error('the answer has no end'));
      });
      response.on('error', (error) => resolve(error.message));
      response.on('end', () => {
        try {
          resolve(response.statusCode === 200 ? (JSON.parse(text) as Stats) : `it answers ${response.statusCode}`);
        } catch {
          resolve('the answer is not that of Postern');
        }
      });
    });
    asked.on('timeout', () => asked.destroy(new Error('no answer in time')));
    asked.on('error', (error: NodeJS.ErrnoException) => {
      const nobody = error.code === 'ECONNREFUSED' || error.code === 'ENOENT';
      resolve(nobody ? 'nobody answers; is Postern running with this configuration?' : error.message);
    });
    asked.end();
  });
}

export const statsCommand: Command = {
  name: 'stats',
  summary: 'shows what the running Postern does',
  help: HELP,
  run,
};
