#!/usr/bin/env node
/**
 * main - argv to subcommand; the only place that ends the process.
 */
import { readFileSync } from 'node:fs';
import { checkCommand } from './check.ts';
import { type Command, type Streams, UsageError } from './command.ts';
import { explainCommand } from './explain.ts';
import { referenceCommand } from './reference.ts';
import { schemaCommand } from './schema.ts';
import { serveCommand } from './serve.ts';
import { statsCommand } from './stats.ts';
import { testCommand } from './test.ts';

const COMMANDS: readonly Command[] = [
  serveCommand,
  checkCommand,
  testCommand,
  explainCommand,
  statsCommand,
  referenceCommand,
  schemaCommand,
];

const streams: Streams = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  isTerminal: process.stderr.isTTY === true,
};

function overview(): string {
  const lines = COMMANDS.map(({ name, summary }) => `  postern ${name.padEnd(10)} ${summary}`);
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
    streams.out(overview());
    return 0;
  }
  const command = COMMANDS.find((candidate) => candidate.name === name);
  if (command === undefined) {
    streams.err(name === '' ? overview() : `postern: "${name}" is no command\n\n${overview()}`);
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
