/**
 * load - the configuration file as a Config, or every problem in it with its place.
 *
 * All or nothing: a Config stands for a file without any error.
 */
import type { Diagnostic } from '../core/diagnostic.ts';
import { readText } from '../yaml/file.ts';
import { loadYaml } from '../yaml/load.ts';
import { inOrder } from '../yaml/place.ts';
import { validate } from '../yaml/validate.ts';
import { check } from './check.ts';
import type { Config } from './config.ts';
import { authoritiesReader, keyPairReader } from './key-pair.ts';
import { resolveConfig } from './resolve.ts';
import { configSchema } from './schema.ts';

/**
 * Reads `text`; relative paths in it start at the folder of `file`, which need not exist. Certificates and keys that it
 * names are read with it.
 */
export function parseConfig(file: string, text: string): { config: Config | null; diagnostics: readonly Diagnostic[] } {
  const { document, diagnostics: unread } = loadYaml(file, text);
  if (document === null) return { config: null, diagnostics: unread };
  const { value, diagnostics } = validate(document, configSchema);
  const readKeyPair = keyPairReader();
  const readAuthorities = authoritiesReader();
  const problems = inOrder([...diagnostics, ...check(document, readKeyPair, readAuthorities)]);
  const config =
    value === null || problems.length > 0 ? null : resolveConfig(file, value, readKeyPair, readAuthorities);
  return { config, diagnostics: problems };
}

/** Reads the file. `text` is null where the file cannot be read; then one diagnostic says why. */
export function loadConfig(file: string): {
  config: Config | null;
  diagnostics: readonly Diagnostic[];
  text: string | null;
} {
  const { text, diagnostics } = readText(file);
  if (text === null) return { config: null, diagnostics, text };
  return { ...parseConfig(file, text), text };
}
