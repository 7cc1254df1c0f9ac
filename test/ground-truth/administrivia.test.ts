/**
 * Ordinary posts pass the preset `administrivia`, commands that went to a list do not: over every message of the corpus.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { factsOf } from '../rules/facts.ts';
import { messageOf, missingCorpus, octetsOnTheWire, truthOf } from '../support/wire-corpus.ts';
import { rulesetOf } from '../rules/load.ts';

const RULE = 'version: 1\nbefore:\n  - { name: a, when: { administrivia: true }, then: relay }\n';

async function isCommand(octets: Buffer): Promise<boolean> {
  const [rule] = rulesetOf('system', RULE).layers.before;
  const message = messageOf(octets);
  const { content } = factsOf({});
  return (await rule?.clause.test({ ...content, header: message.header, message })) === true;
}

/** With the command in the subject or alone in its first lines; the last is Majordomo's own letter that explains commands. */
const COMMANDS = [
  'messages/list-alsa-devel/m_ee66d3bf8cc2e183.eml',
  'messages/list-linux-raid/m_73a6d317ee567a3d.eml',
  'messages/list-linux-raid/m_c604179e0e2d54f4.eml',
  'messages/list-linux-watchdog/m_3a2909a3b73af767.eml',
  'messages/list-openbmc/m_15caebb08bc91aa2.eml',
  'messages/mail-box/folders__mbox.src-n34.eml',
  'messages/mail-box/folders__mbox.src-n37.eml',
];

test('the commands of the corpus are found, and no post is taken for one', async (t) => {
  if (missingCorpus !== null) {
    t.skip(missingCorpus);
    return;
  }
  const [, ...rows] = readFileSync(resolve('..', 'shared', 'corpus', 'MANIFEST.tsv'), 'utf8')
    .trim()
    .split('\n');
  const found: string[] = [];
  for (const row of rows) {
    const [file = ''] = row.split('\t');
    if (await isCommand(octetsOnTheWire(file))) found.push(file);
  }
  assert.equal(rows.length, 760);
  assert.deepEqual(found.sort(), COMMANDS);
});

interface RuleCase {
  readonly rule: string;
  readonly list_settings: { readonly administrivia?: string };
  readonly message_lf: string;
  readonly expected: boolean;
}

test("Mailman's cases of its rule come out the same", async (t) => {
  if (missingCorpus !== null) {
    t.skip(missingCorpus);
    return;
  }
  // Where the rule is switched off a list does not extend the preset.
  const cases = truthOf<RuleCase>('tables/filters/mailman3-rule-doctests.jsonl').filter(
    ({ rule, list_settings: settings }) => rule === 'administrivia' && settings.administrivia === 'True',
  );
  assert.ok(cases.length >= 5);
  for (const { message_lf: text, expected } of cases) {
    assert.equal(await isCommand(Buffer.from(text.replaceAll('\n', '\r\n'))), expected, text);
  }
});
