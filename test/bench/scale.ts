/**
 * scale - what must not grow with a site: large sets, many lists. Figures, each with the most that the design allows.
 *
 * Each scenario is one more entry of SCALES. Files are made in a folder of its own and put away afterwards.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { RE2JS } from 're2js';
import { type Layout, layoutFolders } from '../../src/core/layout.ts';
import { addressFile } from '../../src/store/address-file.ts';
import { answers, freeAddress, type Sandbox } from '../e2e/sandbox.ts';
import { SmtpClient } from '../e2e/smtp-client.ts';
import { evaluate, rulesetOf } from '../rules/load.ts';
import { missingCorpus, truthOf } from '../support/wire-corpus.ts';
import { type Figure, inSandbox, type Measurement } from './figures.ts';
import { quantile } from './quantile.ts';

const MEMBERS = 200_000;
const LOOK_UPS = 200_000;
const LISTS = 100_000;
/** Lists that are written to at a stretch, short enough that no file is looked at again between first and later mail. */
const STRETCH = 300;
/** More than the cache of rulesets holds. */
const WRITTEN_TO = 9_000;

export const SCALES: readonly Measurement[] = [
  { name: 'patterns: those made to hang an engine, on bodies of 100 KB', programs: [], measure: measureHostile },
  { name: `sets: ${MEMBERS} members in a file`, programs: [], measure: () => inSandbox('sets', measureSet) },
  { name: `lists: ${LISTS} files`, programs: [], measure: () => inSandbox('lists', measureLists) },
];

const member = (index: number): string => `first.last${index}@mail${index % 5000}.example.net`;

async function measureSet({ folder }: Sandbox): Promise<readonly Figure[]> {
  const path = join(folder, 'members.txt');
  writeFileSync(path, Array.from({ length: MEMBERS }, (_, index) => `${member(index)}\n`).join(''));
  const { signal } = new AbortController();
  // A clock that stands still: the file is looked at once.
  const store = addressFile.open({ path, now: () => 0 });
  const before = process.memoryUsage().rss;
  const waits = watchWaits();
  const loading = performance.now();
  await store.has(member(0), signal);
  const loaded = performance.now();
  const longestWait = waits.stop();
  const memory = process.memoryUsage().rss - before;
  // Every other one is no member; the keys are made before, as a message brings them.
  const keys = Array.from({ length: LOOK_UPS }, (_, index) => (index % 2 === 0 ? member(index) : `x${member(index)}`));
  const asking = performance.now();
  const found = keys.filter((key) => store.has(key, signal) === true).length;
  const asked = performance.now();
  store.close();
  if (found !== LOOK_UPS / 2) throw new Error(`${found} members were found of ${LOOK_UPS / 2}`);
  return [
    { name: 'load', value: loaded - loading, unit: 'ms', atMost: 1000 },
    { name: 'longest wait of others meanwhile', value: longestWait, unit: 'ms', atMost: 250 },
    { name: 'memory', value: memory / 1e6, unit: 'MB', atMost: null },
    { name: 'look-up', value: ((asked - asking) * 1000) / LOOK_UPS, unit: 'us', atMost: 2 },
  ];
}

/** The longest time for which this process did nothing else. */
export function watchWaits(): { stop(): number } {
  let [last, longest] = [performance.now(), 0];
  const look = (): void => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  };
  const timer = setInterval(look, 1);
  return {
    stop() {
      clearInterval(timer);
      look();
      return longest;
    },
  };
}

const DOMAIN = 'lists.example.org';
const LAYOUT: Layout = { scheme: 'md5', depth: 1 };

const listName = (index: number): string => `list-${index}`;

/** What a list owner writes: a few robots, a rule for each of three phases. */
const rulesOf = (name: string): string => `version: 1
list: ${name}@${DOMAIN}
sets:
  robots: { values: [robot@example.net, "*@bulk.example", cron@${name}.example] }
rules:
  - name: no-robots
    when: { envelope_from: { in: robots } }
    then: { discard: robot }
  - name: no-tests
    when: { any: [{ subject: { regex: '^test( mail)?$' } }, { header: { name: X-Test, exists: true } }] }
    then: { reject: "Please test elsewhere than on {list}." }
  - name: not-too-large
    when: { size: { above: 2 MB } }
    unless: { author: { is: owner@${name}.example } }
    then: { reject: "Too large for {list}.", status: 5.3.4 }
`;

async function measureLists(sandbox: Sandbox): Promise<readonly Figure[]> {
  const address = await freeAddress();
  writeLists(join(sandbox.folder, 'lists'));
  const config = join(sandbox.folder, 'postern.yaml');
  writeFileSync(config, listsConfig(address));
  const starting = performance.now();
  const main = resolve('dist', 'cli', 'main.js');
  const child = spawn(process.execPath, [main, 'serve', '--config', config], { stdio: 'ignore' });
  sandbox.onClose(() => void child.kill('SIGKILL'));
  while (!(await answers(address))) {
    if (child.exitCode !== null) throw new Error('postern serve did not start');
    await pause(5);
  }
  const start = performance.now() - starting;
  const { pid = 0 } = child;
  await pause(1000);
  const atRest = residentMemory(pid);
  const client = await SmtpClient.open(address);
  await client.command('LHLO bench.example.net');
  await client.command('MAIL FROM:<ann@example.net>');
  for (let index = 0; index < STRETCH; index += 1) await timeOfRcpt(client, index);
  const first: number[] = [];
  const later: number[] = [];
  for (let from = STRETCH; from < WRITTEN_TO; from += STRETCH) {
    const stretch = Array.from({ length: STRETCH }, (_, index) => from + index);
    for (const index of stretch) first.push(await timeOfRcpt(client, index));
    for (const index of stretch) later.push(await timeOfRcpt(client, index));
  }
  client.close();
  return [
    { name: 'start', value: start, unit: 'ms', atMost: 2000 },
    { name: 'memory at rest', value: atRest, unit: 'MB', atMost: 150 },
    { name: 'first mail for a list, median', value: quantile(first, 0.5), unit: 'ms', atMost: 5 },
    { name: 'first mail for a list, 99 of 100', value: quantile(first, 0.99), unit: 'ms', atMost: null },
    { name: 'later mail for a list, median', value: quantile(later, 0.5), unit: 'ms', atMost: null },
    { name: `memory after mail to ${WRITTEN_TO} lists`, value: residentMemory(pid), unit: 'MB', atMost: null },
  ];
}

function writeLists(folder: string): void {
  const made = new Set<string>();
  for (let index = 0; index < LISTS; index += 1) {
    const name = listName(index);
    const file = join(folder, DOMAIN, ...layoutFolders(LAYOUT, name), `${name}.yaml`);
    if (!made.has(dirname(file))) mkdirSync(dirname(file), { recursive: true });
    made.add(dirname(file));
    writeFileSync(file, rulesOf(name));
  }
}

function listsConfig(address: string): string {
  return `version: 1
hostname: bench.example.org
listen:
  - lmtp: ${address}
downstreams:
  inbox: { maildir: mail }
routes:
  - { to: inbox }
rules:
  system: ${resolve('rules', 'system.yaml')}
  lists: { folder: lists, layout: ${LAYOUT.scheme}, depth: ${LAYOUT.depth} }
limits: { recipients: 1000000 }
log: { level: warn }
`;
}

/** Milliseconds from RCPT to its reply, in a transaction of its own. */
async function timeOfRcpt(client: SmtpClient, index: number): Promise<number> {
  await client.command('RSET');
  await client.command('MAIL FROM:<ann@example.net>');
  const asked = performance.now();
  const reply = await client.command(`RCPT TO:<${listName(index)}@${DOMAIN}>`);
  const answered = performance.now();
  if (!reply.startsWith('250')) throw new Error(`${listName(index)} was answered ${reply}`);
  return answered - asked;
}

/** Megabytes (proc(5), VmRSS). */
function residentMemory(pid: number): number {
  const [, kilobytes = 'NaN'] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return (Number(kilobytes) * 1024) / 1e6;
}

interface Hostile {
  readonly pattern?: string;
  readonly attack?: { readonly prefix: string; readonly pump: string; readonly suffix: string };
}

/** All of the corpus that are short enough, twenty to a rule, each rule on the body that its first one suffers from. */
async function measureHostile(): Promise<readonly Figure[]> {
  if (missingCorpus !== null) return [];
  const files = ['recheck-suite', 'redos-detector-cases', 'regexlib-attacks-a', 'vuln-regex-detector'];
  const rows = files.flatMap((name) => truthOf<Hostile>(`tables/redos/${name}.jsonl`));
  const usable = rows.filter(({ pattern = '' }) => {
    try {
      return pattern !== '' && pattern.length <= 500 && RE2JS.compile(`(?i)${pattern}`).programSize() <= 200;
    } catch {
      return false;
    }
  });
  let longest = 0;
  const began = performance.now();
  for (let at = 0; at < usable.length; at += 20) {
    const some = usable.slice(at, at + 20).map(({ pattern }) => JSON.stringify(pattern));
    const when = `{ body: { regex: [${some.join(', ')}] } }`;
    const list = rulesetOf('list', `version: 1\nrules: [ { name: a, when: ${when}, then: { reject: "no" } } ]`);
    const { prefix = '', pump = 'a', suffix = '!' } = usable[at]?.attack ?? {};
    const body = `${prefix}${pump.repeat(Math.ceil((100 * 1024) / Math.max(1, pump.length)))}${suffix}`;
    const waits = watchWaits();
    await evaluate({ list }, { body });
    longest = Math.max(longest, waits.stop());
  }
  return [
    { name: 'longest wait of others meanwhile', value: longest, unit: 'ms', atMost: 250 },
    { name: `all ${usable.length} patterns`, value: performance.now() - began, unit: 'ms', atMost: null },
  ];
}
