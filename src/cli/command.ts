/**
 * command - the contract of a subcommand.
 *
 * Data goes to standard output, everything else to standard error. Exit 0: done; 1: something does not load or run;
 * 2: the command line itself is wrong.
 */
import { sep } from 'node:path';
import { parseArgs, type ParseArgsConfig } from 'node:util';

export interface Streams {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Whether `err` is a terminal, on which a line may be written over. */
  readonly isTerminal?: boolean;
}

export interface Command {
  readonly name: string;
  readonly summary: string;
  /** The text of `--help`, with an example. */
  readonly help: string;
  /** The exit status. */
  run(args: readonly string[], streams: Streams): Promise<number>;
}

/** The command line is wrong; the message says what to do. */
export class UsageError extends Error {}

type Options = NonNullable<ParseArgsConfig['options']>;

/** Parses what stands behind the subcommand; throws UsageError. */
export function readArguments<T extends Options>(args: readonly string[], options: T, positionals: boolean) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: positionals, strict: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? (error.message.split('. ')[0] ?? error.message) : String(error));
  }
}

/** Whether a file is one of these files, or in one of these folders; without any, every file is. All paths are whole. */
export function isBelow(file: string, paths: readonly string[]): boolean {
  return paths.length === 0 || paths.some((path) => file === path || file.startsWith(`${path}${sep}`));
}
