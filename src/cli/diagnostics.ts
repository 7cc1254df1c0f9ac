/**
 * diagnostics - prints an operator's mistakes with the lines they stand in.
 */
import { readFileSync } from 'node:fs';
import type { Diagnostic } from '../core/diagnostic.ts';
import { formatDiagnostic } from '../yaml/frame.ts';
import type { Streams } from './command.ts';

/** The text of a file, or null where it cannot be read. */
export function readSource(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

/** Prints to standard error, each with its source line. */
export function printDiagnostics(
  diagnostics: readonly Diagnostic[],
  sourceOf: (file: string) => string | null,
  streams: Streams,
): void {
  for (const diagnostic of diagnostics)
    streams.err(`${formatDiagnostic(diagnostic, sourceOf(diagnostic.place.file))}\n`);
}
