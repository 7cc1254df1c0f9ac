/**
 * config-file - which configuration is meant.
 */
import { existsSync } from 'node:fs';

const DEFAULTS = ['postern.yaml', '/etc/postern/postern.yaml'] as const;

/** The file named on the command line, or the first default that exists, or the first default. */
export function findConfig(given: string | undefined): string {
  return given ?? DEFAULTS.find((file) => existsSync(file)) ?? DEFAULTS[0];
}
