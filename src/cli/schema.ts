/**
 * schema - writes JSON Schemas of the files that people write, for completion, help and checks in their editors.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { configurationSchema } from '../config/json-schema.ts';
import { loadConfig } from '../config/load.ts';
import { rulesSchema } from '../rules/json-schema.ts';
import { PatternCache } from '../rules/pattern.ts';
import { type OpenedPresets, openPresets } from '../rules/presets.ts';
import { type Command, readArguments, type Streams, UsageError } from './command.ts';
import { printDiagnostics, readSource } from './diagnostics.ts';

const PAGES = ['list', 'system', 'preset', 'configuration'] as const;
type Page = (typeof PAGES)[number];

const HELP = `Usage: postern schema [--config FILE] --out DIR
       postern schema [--config FILE] list|system|preset|configuration

Writes JSON Schemas (draft-07) of the files of lists, of the system's file, of presets and of the configuration into DIR, as
list.json, system.json, preset.json and configuration.json, or prints one of them. An editor with a language server for YAML
completes, explains and checks a file that begins with
    # yaml-language-server: $schema=DIR/list.json

  --out DIR        where they are written; the folder is made where there is none
  --config FILE    offers lists the presets of this configuration; else those that ship with Postern

Example: postern schema --config /etc/postern/postern.yaml --out /etc/postern/schema
`;

function presetsFor(file: string | undefined): OpenedPresets {
  const shared = { patterns: new PatternCache(), now: Date.now };
  if (file === undefined) {
    const shipped = fileURLToPath(new URL('../../rules/presets', import.meta.url));
    return openPresets(shipped, { ...shared, downstreams: [] });
  }
  const { config, diagnostics } = loadConfig(file);
  const folder = config?.rules.presets ?? null;
  if (config === null || folder === null) return { presets: new Map(), diagnostics, sources: new Map() };
  return openPresets(folder, { ...shared, downstreams: config.downstreams.map(({ name }) => name) });
}

function isPage(name: string | undefined): name is Page {
  return PAGES.some((page) => page === name);
}

async function run(args: readonly string[], streams: Streams): Promise<number> {
  const { values, positionals } = readArguments(args, { out: { type: 'string' }, config: { type: 'string' } }, true);
  const [page] = positionals;
  const { out } = values;
  if (out === undefined ? !isPage(page) || positionals.length > 1 : positionals.length > 0) {
    throw new UsageError(`say where with --out, or which: ${PAGES.join(', ')}`);
  }
  const { presets, diagnostics } = presetsFor(values.config);
  printDiagnostics(diagnostics, readSource, streams);
  if (diagnostics.some(({ code }) => !code.startsWith('W_'))) return 1;
  const print = (which: Page): string => {
    const schema = which === 'configuration' ? configurationSchema() : rulesSchema(which, presets);
    return `${JSON.stringify(schema, null, 1)}\n`;
  };
  if (out === undefined) {
    if (isPage(page)) streams.out(print(page));
    return 0;
  }
  mkdirSync(out, { recursive: true });
  for (const which of PAGES) writeFileSync(join(out, `${which}.json`), print(which));
  return 0;
}

export const schemaCommand: Command = {
  name: 'schema',
  summary: 'writes JSON Schemas, for completion and help in editors',
  help: HELP,
  run,
};
