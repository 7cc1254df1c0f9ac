/**
 * Files of an operator, nearly right: each loads, or every diagnostic has a place in it.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseConfig } from '../../src/config/load.ts';
import { isWarning, type Diagnostic } from '../../src/core/diagnostic.ts';
import { formatDiagnostic } from '../../src/yaml/frame.ts';
import { splitLines } from '../../src/yaml/place.ts';
import { loadYaml } from '../../src/yaml/load.ts';
import { load } from '../rules/load.ts';
import { fuzz, RUNS } from './fuzz.ts';

function filesBelow(folder: string, pattern: RegExp): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => pattern.test(name))
    .map((name) => readFileSync(join(folder, name), 'utf8'));
}

const RULES = [...filesBelow('rules', /\.yaml$/), ...filesBelow('examples', /rules.*\.yaml$/)];
const CONFIGURATIONS = filesBelow('examples', /postern\.yaml$/);

function check(text: string, loaded: boolean, diagnostics: readonly Diagnostic[]): void {
  const errors = diagnostics.filter((one) => !isWarning(one));
  assert.equal(loaded, errors.length === 0, 'it loads, or is told why not');
  const lines = splitLines(text).length;
  for (const diagnostic of diagnostics) {
    // Line 0 is the file as a whole.
    assert.ok(diagnostic.place.line >= 0 && diagnostic.place.line <= lines);
    assert.match(formatDiagnostic(diagnostic, text), /\S/);
  }
}

fuzz(
  'YAML: a document, or diagnostics with places',
  [...RULES, ...CONFIGURATIONS],
  (octets) => {
    const text = octets.toString('utf8');
    const { document, diagnostics } = loadYaml('x.yaml', text);
    check(text, document !== null, diagnostics);
  },
  { runs: RUNS * 5 },
);

fuzz(
  'rules: a ruleset, or diagnostics with places',
  RULES,
  (octets) => {
    const text = octets.toString('utf8');
    for (const scope of ['system', 'list'] as const) {
      const { ruleset, diagnostics } = load(scope, text);
      check(text, ruleset !== null, diagnostics);
    }
  },
  { runs: RUNS },
);

fuzz(
  'configurations: a configuration, or diagnostics with places',
  CONFIGURATIONS,
  (octets) => {
    const text = octets.toString('utf8');
    const { config, diagnostics } = parseConfig('/etc/postern/postern.yaml', text);
    check(text, config !== null, diagnostics);
  },
  { runs: RUNS },
);
