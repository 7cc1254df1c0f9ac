#!/usr/bin/env node
/**
 * main - argv to subcommand; the only place that ends the process.
 */
import { readFileSync } from 'node:fs';
import { type Command, type Streams, UsageError } from './command.ts';

/** Each is loaded when it is asked for: a service needs no memory for what the others are made of. */
const COMMANDS: ReadonlyMap<string, () => Promise<Command>> = new Map([
  ['serve', async () => (await import('./serve.ts')).serveCommand],
  ['check', async () => (await import('./check.ts')).checkCommand],
  ['test', async () => (await import('./test.ts')).testCommand],
  ['explain', async () => (await import('./explain.ts')).explainCommand],
  ['stats', async () => (await import('./stats.ts')).statsCommand],
  ['reference', async () => (await import('./reference.ts')).referenceCommand],
  ['schema', async () => (await import('./schema.ts')).schemaCommand],
]);

const streams: Streams = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  isTerminal: process.stderr.isTTY === true,
};

async function overview(): Promise<string> {
  const commands = await Promise.all([...COMMANDS.values()].map((load) => load()));
  const lines = commands.map(({ name, summary }) => `  postern ${name.padEnd(10)} ${summary}`);
  return `Usage: postern COMMAND [OPTIONS]\n\n${lines.join('\n')}\n\n"postern COMMAND --help" tells more, "postern --version" which version this is.\n`;
}

function version(): string {
  const { version: number } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return `postern ${number}\n`;
}

async function main(args: readonly string[]): Promise<number> {
  const [name = '', ...rest] = args;
  if (name === '--version' || name === '-V') {
    streams.out(version());
    return 0;
  }
  if (name === '--help' || name === '-h' || name === 'help') {
    streams.out(await overview());
    return 0;
  }
  const command = await COMMANDS.get(name)?.();
  if (command === undefined) {
    streams.err(`${name === '' ? '' : `postern: "${name}" is no command\n\n`}${await overview()}`);
    return 2;
  }
  if (rest.includes('--help') || rest.includes('-h')) {
    streams.out(command.help);
    return 0;
  }
  try {
    return await command.run(rest, streams);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    streams.err(`postern ${name}: ${error.message}\nTry "postern ${name} --help".\n`);
    return 2;
  }
}

// A reader that stops early (`postern explain … | head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});
const args = process.argv.slice(2);
const status = await main(args);
// A pipe takes what it can: without waiting the rest of a long report would be lost. A service waits for nobody's reading.
if (args[0] !== 'serve') {
  for (const stream of [process.stdout, process.stderr]) await new Promise((done) => stream.write('', done));
}
process.exit(status);
