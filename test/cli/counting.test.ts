/**
 * What is counted, and how it is told: top counts, tally, metrics, the table of `postern stats`.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Live, Metrics, printMetrics } from '../../src/cli/metrics.ts';
import { observedLog } from '../../src/cli/observed-log.ts';
import { printStats } from '../../src/cli/stats-table.ts';
import { addUp, type Stats, Tally } from '../../src/cli/tally.ts';
import { TopCounts } from '../../src/cli/top-counts.ts';
import type { Log, RecipientRecord, TransactionRecord } from '../../src/core/log.ts';

const SILENT: Log = { transaction() {}, info() {}, warn() {}, error() {} };
const LIVE: Live = {
  listeners: [{ name: 'lmtp:127.0.0.1:1', sessions: 3, connections: 2 }],
  contentInMemory: 4096,
  loaded: 10_000,
  downstreams: [{ name: 'mailman', up: false }],
};
const NOW = {
  sessions: 3,
  connections: 2,
  contentInMemory: 4096,
  slowest: [
    { ruleset: 'a.yaml', rule: 'quick', measured: 100, total: 10, longest: 1 },
    { ruleset: 'a.yaml', rule: 'slow', measured: 2, total: 5, longest: 4 },
  ],
  shadows: [{ ruleset: 'a.yaml', rule: 'strict', asked: 10, matched: 3 }],
};

function recipient(more: Partial<RecipientRecord> = {}): RecipientRecord {
  return {
    to: 'gardeners@lists.example.org',
    list: 'gardeners@lists.example.org',
    role: 'post',
    ruleset: 'system',
    rule: null,
    verdict: 'relay',
    phase: 'content',
    reply: '250 2.0.0 Ok',
    downstream: 'mailman',
    ms: 40,
    ...more,
  };
}

function transaction(...recipients: readonly RecipientRecord[]): TransactionRecord {
  const rest = { client: null, helo: 'c', from: 'ann@example.net', size: 2000, end: 'complete', ms: 50 };
  return { id: '8H6Q3T5W0K', listener: 'lmtp:127.0.0.1:1', ...rest, recipients };
}

const REFUSED = recipient({
  rule: 'subscribers-only',
  verdict: 'reject',
  phase: 'header',
  reply: '550 5.7.1 No',
  downstream: null,
  ms: null,
});

test('top counts: exact while there is room, the frequent are never lost, memory is bounded', () => {
  const few = new TopCounts(4);
  for (const name of ['b', 'a', 'c', 'a', 'b', 'a']) few.add(name);
  assert.deepEqual(few.top(2), [
    { name: 'a', count: 3 },
    { name: 'b', count: 2 },
  ]);
  const flooded = new TopCounts(10);
  for (let n = 0; n < 5000; n += 1) {
    flooded.add(`once-${n}@example.org`);
    if (n % 4 === 0) flooded.add('busy@example.org');
  }
  const [first, ...others] = flooded.top(100);
  assert.equal(first?.name, 'busy@example.org');
  assert.ok(first.count >= 1250 && first.count <= 1250 + 6250 / 10);
  assert.equal(others.length, 9);
  flooded.add('x'.repeat(10_000));
  assert.ok(flooded.top(100).every(({ name }) => name.length <= 320));
});

test('tally: verdicts, lists, rules, downstreams; the last minute ends', () => {
  let now = 1_000_000;
  const tally = new Tally(() => now);
  const log = observedLog(SILENT, [tally]);
  log.transaction(transaction(recipient(), REFUSED));
  log.transaction(transaction(recipient({ ms: 60 })));
  const stats = tally.stats(NOW, ['mailman', 'inbox']);
  assert.deepEqual(stats.verdicts, { relay: 2, reject: 1 });
  assert.deepEqual(stats.replies, { '2yz': 2, '5yz': 1 });
  assert.deepEqual(stats.lastMinute, { transactions: 2, recipients: 3, refused: 1 });
  assert.deepEqual(stats.lists, [{ name: 'gardeners@lists.example.org', count: 3 }]);
  assert.deepEqual(stats.rules, [{ name: 'system: subscribers-only', count: 1 }]);
  assert.deepEqual(stats.downstreams, [
    { name: 'mailman', up: true, deliveries: 2, failures: 0, total: 100, longest: 60 },
    { name: 'inbox', up: true, deliveries: 0, failures: 0, total: 0, longest: 0 },
  ]);
  now += 61_000;
  assert.deepEqual(tally.stats(NOW, []).lastMinute, { transactions: 0, recipients: 0, refused: 0 });
  assert.equal(tally.stats(NOW, []).transactions, 2);
});

test('a downstream is down from its failure to its next 2yz, or to a reload', () => {
  const tally = new Tally(() => 0);
  const log = observedLog(SILENT, [tally]);
  const up = () => tally.isUp('mailman');
  log.warn('downstream-address-failed', { downstream: 'mailman', stage: 'connect', failure: 'unreachable' });
  log.warn('downstream-stderr', { downstream: 'mailman', line: 'x' });
  assert.equal(up(), true);
  log.warn('downstream-failed', { downstream: 'mailman', stage: 'connect', failure: 'unreachable' });
  log.transaction(transaction(recipient({ reply: '451 4.4.1 Away' })));
  assert.equal(up(), false);
  log.transaction(transaction(recipient()));
  assert.equal(up(), true);
  log.warn('downstream-unreachable', { downstream: 'mailman', problem: 'connect: unreachable' });
  assert.equal(up(), false);
  tally.assumeAllUp();
  assert.equal(up(), true);
  assert.equal(tally.stats(NOW, ['mailman']).downstreams[0]?.failures, 1);
});

test('tallies of several processes add up', () => {
  const one = new Tally(() => 5000);
  const two = new Tally(() => 7000);
  one.transaction(transaction(recipient(), REFUSED));
  two.transaction(transaction(recipient({ list: 'news@lists.example.org', ms: 90 })));
  two.event('warn', 'downstream-failed', { downstream: 'mailman' });
  const both = addUp([one.stats(NOW, ['mailman']), two.stats(NOW, ['mailman'])]);
  assert.deepEqual([both.processes, both.since, both.transactions, both.recipients], [2, 5000, 2, 3]);
  assert.deepEqual([both.sessions, both.contentInMemory], [6, 8192]);
  assert.deepEqual(both.verdicts, { relay: 2, reject: 1 });
  assert.deepEqual(both.lists, [
    { name: 'gardeners@lists.example.org', count: 2 },
    { name: 'news@lists.example.org', count: 1 },
  ]);
  assert.deepEqual(both.downstreams, [
    { name: 'mailman', up: false, deliveries: 2, failures: 1, total: 130, longest: 90 },
  ]);
  assert.deepEqual(both.slowest, [
    { ruleset: 'a.yaml', rule: 'slow', measured: 4, total: 10, longest: 4 },
    { ruleset: 'a.yaml', rule: 'quick', measured: 200, total: 20, longest: 1 },
  ]);
  assert.deepEqual(both.shadows, [{ ruleset: 'a.yaml', rule: 'strict', asked: 20, matched: 6 }]);
});

test('metrics: what each label counts; nothing that mail names', async () => {
  const metrics = new Metrics(
    () => LIVE,
    () => 25_000,
  );
  const log = observedLog(SILENT, [metrics]);
  log.transaction({ ...transaction(recipient(), REFUSED), stages: { content: 3, rules: 30, delivery: 300 } });
  log.warn('downstream-failed', { downstream: 'mailman', id: 'X', stage: 'data', failure: 'lost' });
  log.error('spool', new Error('full'), { listener: 'lmtp:127.0.0.1:1', limit: 'memory' });
  log.info('session-limit', { listener: 'lmtp:127.0.0.1:1', peer: '192.0.2.1', limit: 'errors' });
  log.transaction({ ...transaction(), end: 'too-large' });
  const text = await printMetrics([await metrics.sample()]);
  for (const line of [
    'postern_transactions_total{listener="lmtp:127.0.0.1:1",end="complete"} 1',
    'postern_stage_seconds_bucket{le="0.025",listener="lmtp:127.0.0.1:1",stage="rules"} 0',
    'postern_stage_seconds_bucket{le="0.05",listener="lmtp:127.0.0.1:1",stage="rules"} 1',
    'postern_stage_seconds_count{listener="lmtp:127.0.0.1:1",stage="delivery"} 1',
    'postern_limits_total{listener="lmtp:127.0.0.1:1",limit="memory"} 1',
    'postern_limits_total{listener="lmtp:127.0.0.1:1",limit="errors"} 1',
    'postern_limits_total{listener="lmtp:127.0.0.1:1",limit="message"} 1',
    'postern_recipients_total{listener="lmtp:127.0.0.1:1",verdict="relay",phase="content",reply="2yz"} 1',
    'postern_recipients_total{listener="lmtp:127.0.0.1:1",verdict="reject",phase="header",reply="5yz"} 1',
    'postern_deliveries_total{downstream="mailman",reply="2yz"} 1',
    'postern_delivery_seconds_bucket{le="0.05",downstream="mailman"} 1',
    'postern_delivery_seconds_bucket{le="0.025",downstream="mailman"} 0',
    'postern_message_octets_sum{listener="lmtp:127.0.0.1:1"} 2000',
    'postern_downstream_failures_total{downstream="mailman",stage="data",failure="lost"} 1',
    'postern_events_total{level="error",event="spool"} 1',
    'postern_sessions{listener="lmtp:127.0.0.1:1"} 3',
    'postern_connections{listener="lmtp:127.0.0.1:1"} 2',
    'postern_content_memory_octets 4096',
    'postern_rules_age_seconds 15',
    'postern_downstream_up{downstream="mailman"} 0',
  ]) {
    assert.ok(text.includes(`${line}\n`), `${line}\n\n${text}`);
  }
  assert.doesNotMatch(text, /gardeners|ann@|subscribers-only|8H6Q3T5W0K/);
  assert.match(text, /^process_resident_memory_bytes \d+/m);
});

test('metrics of several processes: sums, the oldest rules, the least healthy downstream', async () => {
  const one = new Metrics(
    () => LIVE,
    () => 25_000,
  );
  const two = new Metrics(
    () => ({ ...LIVE, loaded: 5_000, downstreams: [{ name: 'mailman', up: true }] }),
    () => 25_000,
  );
  const idle = new Metrics(
    () => null,
    () => 25_000,
  );
  for (const metrics of [one, two]) metrics.transaction(transaction(recipient()));
  const samples = await Promise.all([one, two, idle].map((metrics) => metrics.sample()));
  const text = await printMetrics(JSON.parse(JSON.stringify(samples)));
  assert.match(text, /^postern_transactions_total\{.*\} 2$/m);
  assert.match(text, /^postern_delivery_seconds_count\{downstream="mailman"\} 2$/m);
  assert.match(text, /^postern_sessions\{.*\} 6$/m);
  assert.match(text, /^postern_rules_age_seconds 20$/m);
  assert.match(text, /^postern_downstream_up\{downstream="mailman"\} 0$/m);
});

test('the table: every part, slowest downstream first, nothing that moves the cursor', () => {
  const stats: Stats = {
    ...addUp([new Tally(() => 0).stats(NOW, [])]),
    transactions: 7,
    recipients: 8,
    verdicts: { relay: 6, reject: 2 },
    downstreams: [
      { name: 'inbox', up: true, deliveries: 4, failures: 0, total: 8, longest: 3 },
      { name: 'mailman', up: false, deliveries: 2, failures: 1, total: 900, longest: 800 },
    ],
    lists: [{ name: '"\x1b[2Jx\u202e"@example.org', count: 5 }],
    rules: [{ name: 'system: closed', count: 2 }],
  };
  assert.equal(
    printStats(stats, 3 * 3_600_000 + 61_000),
    `up 3 h 1 min; 2 connections, 3 sessions, 4 KB of content in memory
last minute: 0 transactions, 0 recipients, 0 of them refused
since start: 7 transactions, 8 recipients

verdict  recipients   share
relay             6  75.0 %
reject            2  25.0 %

downstream, slowest first  state  recipients  failures  mean ms  longest ms
mailman                     DOWN           2         1    450.0         800
inbox                         up           4         0      2.0           3

list                  recipients
"?[2Jx?"@example.org           5

rule            decided
system: closed        2

rule, slowest first  mean ms  longest ms  measured
a.yaml: slow           2.500       4.000         2
a.yaml: quick          0.100       1.000       100

shadow rule     would have decided  of recipients
a.yaml: strict                   3             10
`,
  );
});
