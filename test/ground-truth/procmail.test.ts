/**
 * procmail, side by side: what procmail was seen to do with a message, and what rules that mean the same decide.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { dump, FAILSAFE_SCHEMA, load } from 'js-yaml';
import { evaluate, rulesetOf } from '../rules/load.ts';

const OBSERVED = join('..', 'shared', 'mta', 'procmail-cases', 'observed.json');
const skip = existsSync(OBSERVED) ? false : `${OBSERVED} is not there`;
/** Mailboxes that a program of the case writes: what it prints is the result. */
const PRINTED = ['x'];

interface Observed {
  readonly id: string;
  readonly runs: readonly { readonly message: string; readonly delivered: Readonly<Record<string, string>> }[];
}

interface Pages {
  readonly cases: Readonly<Record<string, { readonly only?: readonly string[]; readonly [key: string]: unknown }>>;
  readonly others: Readonly<Record<string, string>>;
}

const { cases, others } = load(readFileSync('test/ground-truth/procmail.yaml', 'utf8'), {
  schema: FAILSAFE_SCHEMA,
}) as Pages;
const observed = skip === false ? (JSON.parse(readFileSync(OBSERVED, 'utf8')) as readonly Observed[]) : [];

/** The mailboxes that got it, in alphabetical order. */
function deliveredTo({ delivered }: Observed['runs'][number], id: string): readonly string[] {
  const names = Object.entries(delivered).map(([box, text]) =>
    id === 'block-E' && PRINTED.includes(box) ? text.trim().replace('=', '-') : box,
  );
  return names.sort();
}

async function decided(rules: object, message: string): Promise<readonly string[]> {
  const ruleset = rulesetOf('system', dump({ version: '1', ...rules }, { schema: FAILSAFE_SCHEMA }));
  const end = message.search(/^$/m);
  const verdict = await evaluate(
    { system: ruleset },
    { from: 'sender@origin.example', header: message.slice(0, end).replace(/\n$/, ''), body: message.slice(end + 1) },
  );
  return [...(verdict.notes ?? []), verdict.rule ?? 'inbox'].sort();
}

test('every case is said in YAML, or why not', { skip }, () => {
  const said = [...Object.keys(cases), ...Object.keys(others)];
  assert.deepEqual(said.sort(), observed.map(({ id }) => id).sort());
});

for (const { id, runs } of observed) {
  const { only, rules, ...parts } = cases[id] ?? {};
  if (rules === undefined) continue;
  for (const [index, run] of runs.entries()) {
    if (only !== undefined && !only.includes(String(index))) continue;
    test(`${id}, message ${index}`, async () => {
      assert.deepEqual(await decided({ ...parts, before: rules }, run.message), deliveredTo(run, id));
    });
  }
}
