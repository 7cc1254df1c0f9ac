/**
 * check - loads the configuration, the system's rules and every list's file, and tells all that is wrong with them.
 */
import { resolve } from 'node:path';
import { loadConfig } from '../config/load.ts';
import { printConfig } from '../config/print.ts';
import { type Diagnostic, isWarning } from '../core/diagnostic.ts';
import { phasesOf } from '../rules/phases.ts';
import { isBelow, type Command, readArguments, type Streams, UsageError } from './command.ts';
import { composeRules } from './compose.ts';
import { findConfig } from './config-file.ts';
import { printDiagnostics, readSource } from './diagnostics.ts';
import { createLog } from './log.ts';
import { neverKnown } from './never-known.ts';
import { type FilePhases, phasesAsData, printPhases } from './phases.ts';

const HELP = `Usage: postern check [--config FILE] [--print] [--phases] [--format text|json] [PATH…]

Loads everything that "serve" would load, all list files and the cases beside their rules too, and reports every problem. With PATH, only those of these files
and folders, and what keeps them from being looked at. Exit 0: it loads (warnings may be told); 1: it does not.

  --config FILE    the configuration; default postern.yaml here, then /etc/postern/postern.yaml
  --print          prints the effective configuration, defaults included
  --phases         prints of each rule when it can decide, when it will, and which rule in front of it holds it back
  --format json    problems as a JSON array on standard output; with --phases as { diagnostics, phases }

Example: postern check --config /etc/postern/postern.yaml /etc/postern/rules/lists
`;

interface Found {
  readonly diagnostics: readonly Diagnostic[];
  /** Whether every file was looked at; what kept us from it is no problem of some other file. */
  readonly complete: boolean;
  /** The effective configuration as YAML; null where it does not load. */
  readonly effective: string | null;
  /** Empty where nobody asked. */
  readonly phases: readonly FilePhases[];
}

async function find(file: string, wantsPhases: boolean, streams: Streams): Promise<Found> {
  const { config, diagnostics } = loadConfig(file);
  if (config === null) return { diagnostics, complete: false, effective: null, phases: [] };
  const log = createLog({ level: 'error', format: 'pretty' }, { write: streams.err });
  const { rulebook, diagnostics: ofSystem } = composeRules(config, log);
  const ofCases = (await rulebook?.checkSystem()) ?? [];
  const progress = showProgress(streams);
  const lists = (await rulebook?.checkAll(progress.show)) ?? { files: [], diagnostics: [] };
  progress.clear();
  const files = [...(rulebook?.system ? [rulebook.system] : []), ...lists.files];
  const system = rulebook?.system?.loaded.ruleset ?? null;
  const phases = (wantsPhases ? files : []).flatMap(({ file, loaded: { ruleset } }) =>
    ruleset === null ? [] : [{ file, rules: phasesOf(system, ruleset) }],
  );
  rulebook?.close();
  const rulesets = files.flatMap(({ loaded }) => loaded.ruleset ?? []);
  const ofListeners = neverKnown(config.listen, rulesets);
  return {
    diagnostics: [...diagnostics, ...ofSystem, ...ofCases, ...lists.diagnostics, ...ofListeners],
    complete: rulebook !== null,
    effective: printConfig(config),
    phases,
  };
}

/** Files between two lines of progress. */
const STEP = 25;

/** One line on a terminal, written over again; nothing elsewhere. */
function showProgress({ err, isTerminal = false }: Streams): {
  readonly show: (done: number, of: number) => void;
  readonly clear: () => void;
} {
  let shown = false;
  return {
    show(done, of) {
      if (!isTerminal || of < STEP || (done % STEP !== 0 && done !== of)) return;
      err(`\r${done} of ${of} list files`);
      shown = true;
    },
    clear() {
      if (shown) err('\r\x1b[K');
    },
  };
}

async function run(args: readonly string[], streams: Streams): Promise<number> {
  const { values, positionals } = readArguments(
    args,
    {
      config: { type: 'string' },
      print: { type: 'boolean' },
      phases: { type: 'boolean' },
      format: { type: 'string' },
    },
    true,
  );
  const format = values.format ?? 'text';
  if (format !== 'text' && format !== 'json') throw new UsageError(`--format is text or json, not "${format}"`);
  const file = findConfig(values.config);
  const {
    diagnostics: all,
    complete,
    effective,
    phases: allPhases,
  } = await find(file, values.phases === true, streams);
  const paths = positionals.map((path) => resolve(path));
  const diagnostics = complete ? all.filter(({ place }) => isBelow(resolve(place.file), paths)) : all;
  const phases = allPhases.filter((one) => isBelow(resolve(one.file), paths));
  const errors = diagnostics.filter((diagnostic) => !isWarning(diagnostic)).length;

  if (values.print === true && effective !== null) streams.out(effective);
  if (format === 'json') {
    const data = values.phases === true ? { diagnostics, phases: phasesAsData(phases) } : diagnostics;
    streams.out(`${JSON.stringify(data, null, 2)}\n`);
  } else {
    if (values.phases === true) streams.out(printPhases(phases));
    printDiagnostics(diagnostics, readSource, streams);
    const warnings = diagnostics.length - errors;
    const verdict = errors === 0 ? 'loads' : 'does not load';
    streams.err(`${file} ${verdict}: ${count(errors, 'error')}, ${count(warnings, 'warning')}\n`);
  }
  return errors === 0 ? 0 : 1;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

export const checkCommand: Command = {
  name: 'check',
  summary: 'loads configuration and rules, and reports every problem',
  help: HELP,
  run,
};
