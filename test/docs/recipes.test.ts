/**
 * The pages for those who come from elsewhere: the recipe in front of each YAML example does with the messages of its
 * cases what the cases expect of the rules.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { printMailbox } from '../../src/core/mailbox.ts';
import { messageOf } from '../../src/rules/case-message.ts';
import type { Expectation, RuleCase } from '../../src/rules/case-read.ts';
import { load } from '../rules/load.ts';
import { examplesIn } from './examples.ts';
import { isInstalled, type Outcome, peers } from './recipes.ts';

const PAGES = ['from-procmail.md', 'from-sieve.md'];
/** A recipe, and the YAML behind it. */
const PAIR = /^```(procmail|sieve)\n([\s\S]*?)^```\n\n```yaml\n/gm;

async function textOf(one: RuleCase): Promise<string> {
  const octets: Buffer[] = [];
  for await (const slice of messageOf(one, 'gardeners.yaml').content.slices()) octets.push(slice);
  return Buffer.concat(octets).toString('latin1').replaceAll('\r\n', '\n');
}

function expected({ expected: { verdict, headers = {} } }: Expectation): Outcome {
  const hold = headers['X-Postern-Hold'];
  const held = hold !== undefined && (hold as { readonly exists?: boolean }).exists !== false;
  if (verdict === 'relay') return held ? 'hold' : 'relay';
  assert.ok(verdict === 'reject' || verdict === 'defer' || verdict === 'discard', verdict);
  return verdict;
}

/** The members that the case gives, in the files that the sets name. */
function filesOf(text: string, { given }: RuleCase): ReadonlyMap<string, readonly string[]> {
  const files = [...text.matchAll(/^ {2}(\w+): \{ file: (\S+) \}$/gm)];
  return new Map(
    files.map(([, name = '', path = '']) => {
      const members = given.get(name);
      const values = members !== undefined && 'values' in members ? members.values : [];
      return [path, values.map(({ key }) => key)];
    }),
  );
}

for (const page of PAGES) {
  const markdown = readFileSync(join('docs', page), 'utf8');
  const examples = examplesIn(page, markdown);
  const pairs = [...markdown.matchAll(PAIR)];
  test(`${page} has recipes`, () => assert.ok(pairs.length >= 8));
  for (const { 0: whole, 1: language = '', 2: recipe = '', index } of pairs) {
    const line = markdown.slice(0, index + whole.length).split('\n').length;
    const example = examples.find(({ place }) => place === `${page}:${line}`);
    const peer = peers[language];
    assert.ok(example !== undefined && peer !== undefined && example.cases, `${page}:${line}`);
    const { cases } = load(example.kind === 'system' ? 'system' : 'list', example.text);
    for (const one of cases) {
      const skip = isInstalled(peer) ? false : `${peer.program} is not installed`;
      test(`${page}:${line} by ${language}: ${one.name}`, { skip }, async () => {
        const [expectation] = one.expectations;
        assert.ok(expectation !== undefined);
        const { envelopeFrom } = one;
        const outcome = peer.deliver({
          recipe,
          message: await textOf(one),
          envelopeFrom: envelopeFrom?.mailbox ? printMailbox(envelopeFrom.mailbox) : 'ann@example.net',
          files: filesOf(example.text, one),
        });
        if (outcome !== null) assert.equal(outcome, expected(expectation));
      });
    }
  }
}
