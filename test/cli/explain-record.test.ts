/**
 * `postern explain ID --log FILE`: the record of one transaction in a log of any size.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createLog } from '../../src/cli/log.ts';
import { findTransaction } from '../../src/cli/log-search.ts';
import type { TransactionRecord } from '../../src/core/log.ts';
import { configuration, folderWith, freePort, post, postern, RULES, start } from './running.ts';

const ID = '8H6Q3T5W0K';

const RECORD: TransactionRecord = {
  id: ID,
  listener: 'lmtp:127.0.0.1:10024',
  client: '192.0.2.1',
  helo: 'mx.example.net',
  from: 'eve@example.com',
  size: 1234,
  end: 'complete',
  ms: 56,
  recipients: [
    {
      to: 'gardeners@lists.example.org',
      list: 'gardeners@lists.example.org',
      role: 'post',
      ruleset: 'lists/gardeners.yaml',
      rule: 'subscribers-only',
      verdict: 'reject',
      phase: 'header',
      reply: `550 5.7.1 Only subscribers (id ${ID})`,
      downstream: null,
      ms: null,
    },
    {
      to: 'news-owner@lists.example.org',
      list: 'news@lists.example.org',
      role: 'owner',
      ruleset: 'system',
      rule: null,
      verdict: 'relay',
      phase: 'content',
      reply: `451 4.4.1 Away (id ${ID})`,
      downstream: 'mailman',
      ms: 12,
      notes: ['seen by moderators'],
      score: 3.5,
      shadow: ['no-html'],
    },
  ],
};

/** The lines that the log writes of it. */
function logged(record: TransactionRecord): string {
  const lines: string[] = [];
  const log = createLog({ level: 'info', format: 'json' }, { write: (line) => void lines.push(line) });
  log.warn('downstream-failed', { downstream: 'mailman', id: record.id, stage: 'connect', failure: 'unreachable' });
  log.transaction(record);
  return lines.join('');
}

const OTHERS = Array.from({ length: 5000 }, (_, n) => logged({ ...RECORD, id: `A${String(n).padStart(9, '0')}` })).join(
  '',
);

test('the record in the words of explain, and what else was logged of it', (t) => {
  const folder = folderWith(t, { 'postern.log': `no JSON\n${OTHERS}${logged(RECORD)}${OTHERS}` });
  for (const name of [ID, ID.toLowerCase(), `(id ${ID})`]) {
    const { status, stdout, stderr } = postern(folder, 'explain', name, '--log', 'postern.log');
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^8H6Q3T5W0K {2}\d{4}-\S+Z {2}at lmtp:127\.0\.0\.1:10024\n/);
    assert.match(stdout, /\n {2}from <eve@example\.com>, client 192\.0\.2\.1, hello mx\.example\.net\n/);
    assert.match(stdout, /\n {2}1234 octets in 56 ms: received whole\n/);
    assert.match(
      stdout,
      /\ngardeners@\S+\n {2}REJECT at the end of the header section: rule "subscribers-only" of lists\/gardeners\.yaml\n {2}550 5\.7\.1 Only subscribers/,
    );
    assert.match(
      stdout,
      /\nnews-owner@\S+ {2}\(owner of news@\S+\)\n {2}RELAY to mailman after the final dot: no rule decided\n {2}451 4\.4\.1 Away .* {2}\(12 ms\)\n {2}note: seen by moderators\n {2}score 3\.5\n {2}shadow rule "no-html" would have decided\n/,
    );
    assert.match(stdout, /warn downstream-failed downstream=mailman stage=connect failure=unreachable\n/);
  }
  const data = JSON.parse(postern(folder, 'explain', ID, '--log', 'postern.log', '--json').stdout);
  assert.equal(data.record.recipients.length, 2);
  assert.equal(data.events.length, 1);
});

test('what is not there, and what is no id: said in one line', (t) => {
  const folder = folderWith(t, { 'postern.log': `${OTHERS}{"id":"${ID}","event":"transac` });
  const cases = [
    {
      args: [ID, '--log', 'postern.log'],
      status: 1,
      says: /postern\.log has no record of 8H6Q3T5W0K; is it an older file/,
    },
    { args: [ID, '--log', 'nowhere.log'], status: 1, says: /nowhere\.log cannot be read: ENOENT/ },
    { args: [ID, '--log', '.'], status: 1, says: /cannot be read: EISDIR/ },
    { args: ['message.eml', '--log', 'postern.log'], status: 2, says: /"message\.eml" is no id/ },
    { args: ['--log', 'postern.log'], status: 2, says: /name one id/ },
  ];
  for (const { args, status, says } of cases) {
    const got = postern(folder, 'explain', ...args);
    assert.equal(got.status, status, args.join(' '));
    assert.match(got.stderr, says);
    assert.doesNotMatch(got.stderr, /\n {4}at /);
    assert.equal(got.stdout, '');
  }
});

test('lines of any length, wherever a read cuts them, the last without its end', async (t) => {
  const folder = folderWith(t, {});
  const file = join(folder, 'log');
  const line = logged(RECORD).split('\n')[1] ?? '';
  const endless = `{"id":"${ID}","event":"transaction","recipients":[],"x":"${'x'.repeat(3 << 20)}"}\n`;
  for (const before of [0, (1 << 18) - 40, (1 << 18) - 1, 1 << 18]) {
    writeFileSync(file, `${endless}${'y'.repeat(before)}\nNov 23 host postern[1]: ${line}`);
    const { record } = await findTransaction(file, ID);
    assert.equal(record?.recipients.length, 2, `${before}`);
  }
});

for (const level of ['info', 'debug']) {
  test(`${level}: the id of a refusal finds it in the log of the process that refused`, async (t) => {
    const port = await freePort();
    const folder = folderWith(t, {
      ...RULES,
      'postern.yaml': `${configuration(`127.0.0.1:${port}`)}log: { level: ${level} }\n`,
    });
    const service = start(t, folder);
    await service.says(/"event":"listening"/);
    const [, id = ''] = /\(id (\w+)\)$/.exec((await post(port, 'eve@example.com')) ?? '') ?? [];
    await service.says(/"event":"transaction".*\n/);
    writeFileSync(join(folder, 'postern.log'), service.output());
    const { stdout } = postern(folder, 'explain', id, '--log', 'postern.log');
    assert.match(stdout, /REJECT .*: rule "subscribers-only"/);
    const traced = /\n {2}header +rules "subscribers-only" true .*\n {4}author: true {2}saw eve@example\.com\n/;
    assert.equal(traced.test(stdout), level === 'debug', stdout);
  });
}
