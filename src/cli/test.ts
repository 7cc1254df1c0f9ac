/**
 * test - runs the cases that stand beside the rules, in the system's file and in those of lists.
 */
import { resolve } from 'node:path';
import { loadConfig } from '../config/load.ts';
import { isWarning } from '../core/diagnostic.ts';
import { isBelow, type Command, readArguments, type Streams, UsageError } from './command.ts';
import { composeRules } from './compose.ts';
import { findConfig } from './config-file.ts';
import { printDiagnostics, readSource } from './diagnostics.ts';
import { createLog } from './log.ts';
import { failuresIn, printReport, REPORT_FORMATS, type ReportFormat, type TestedFile } from './test-report.ts';

const HELP = `Usage: postern test [--config FILE] [--format pretty|json|tap|junit] [PATH…]

Runs the cases under "tests:" in the files of rules, over the rules as they would apply. With PATH, only those of these files
and folders. Nothing is sent. Exit 0: all pass; 1: one fails, or a file does not load.

  --config FILE    the configuration; default postern.yaml here, then /etc/postern/postern.yaml
  --format FORMAT  pretty for people; json, tap (version 13) and junit for programs

Example: postern test --format junit /etc/postern/rules/lists/lists.example.org > report.xml
`;

async function run(args: readonly string[], streams: Streams): Promise<number> {
  const { values, positionals } = readArguments(args, { config: { type: 'string' }, format: { type: 'string' } }, true);
  const format = REPORT_FORMATS.find((known) => known === (values.format ?? 'pretty'));
  if (format === undefined) throw new UsageError(`--format is ${REPORT_FORMATS.join(', ')}, not "${values.format}"`);
  return await test(
    findConfig(values.config),
    positionals.map((path) => resolve(path)),
    format,
    streams,
  );
}

async function test(
  configFile: string,
  paths: readonly string[],
  format: ReportFormat,
  streams: Streams,
): Promise<number> {
  const { config, diagnostics } = loadConfig(configFile);
  printDiagnostics(diagnostics, readSource, streams);
  if (config === null) return 1;
  const log = createLog({ level: 'error', format: 'pretty' }, { write: streams.err });
  const { rulebook, diagnostics: ofSystem } = composeRules(config, log);
  printDiagnostics(
    ofSystem.filter((diagnostic) => !isWarning(diagnostic)),
    readSource,
    streams,
  );
  if (rulebook === null) return 1;
  const { files, diagnostics: ofLists } = rulebook.readAll();
  const errors = ofLists.filter(
    (diagnostic) => !isWarning(diagnostic) && isBelow(resolve(diagnostic.place.file), paths),
  );
  printDiagnostics(errors, readSource, streams);
  const tested: TestedFile[] = [];
  for (const file of files) {
    const wanted = file.loaded.ruleset !== null && file.loaded.cases.length > 0 && isBelow(resolve(file.file), paths);
    if (wanted) tested.push({ file: file.file, results: await rulebook.test(file) });
  }
  rulebook.close();
  streams.out(printReport(tested, format));
  return errors.length === 0 && failuresIn(tested) === 0 ? 0 : 1;
}

export const testCommand: Command = {
  name: 'test',
  summary: 'runs the cases that stand beside the rules',
  help: HELP,
  run,
};
