/**
 * Plays every transcript of this folder. Its number is that of the section in docs/dialogue.md that it proves.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadYaml, type YamlValue } from '../../src/yaml/load.ts';
import { type ChainOptions, openChain } from '../support/chain.ts';
import { play, ScriptedEnd } from './dialogue.ts';

const FOLDER = join('test', 'transcripts');
const LISTENER_KEYS = ['client_from', 'trust', 'deadline', 'refuse_at', 'received', 'mixed', 'dsn', 'chunking'];
const LIMIT_KEYS = ['message', 'recipients', 'errors', 'commands', 'connections_per_peer', 'bare_newline'];
const TIMEOUT_KEYS = ['client', 'connect', 'reply'];

/** The YAML above `---` as options of the chain. */
function setUp(name: string, head: string, downstreamPort: number): ChainOptions {
  const { document, diagnostics } = loadYaml(name, `_: set-up\n${head}`);
  assert.deepEqual(diagnostics, []);
  const given = (document?.value ?? {}) as Readonly<Record<string, YamlValue>>;
  const known = ['_', 'listener', 'downstream', 'system', 'lists', ...LISTENER_KEYS, ...LIMIT_KEYS, ...TIMEOUT_KEYS];
  for (const key of Object.keys(given)) assert.ok(known.includes(key), `${name}: unknown key ${key}`);
  const pick = (keys: readonly string[]): Record<string, string> =>
    Object.fromEntries(keys.flatMap((key) => (typeof given[key] === 'string' ? [[key, given[key]]] : [])));
  const protocol = (key: string): 'lmtp' | 'smtp' => (given[key] === 'smtp' ? 'smtp' : 'lmtp');
  return {
    listener: protocol('listener'),
    downstream: protocol('downstream'),
    downstreamPort,
    listen: pick(LISTENER_KEYS),
    limits: pick(LIMIT_KEYS),
    timeouts: pick(TIMEOUT_KEYS),
    ...(typeof given['system'] === 'string' ? { system: given['system'] } : {}),
    lists: (given['lists'] ?? {}) as Readonly<Record<string, string>>,
  };
}

const files = readdirSync(FOLDER).filter((name) => name.endsWith('.txt'));

test('there are transcripts', () => assert.ok(files.length >= 20));

for (const name of files) {
  test(name, async () => {
    const text = readFileSync(join(FOLDER, name), 'utf8');
    const [head = '', body] = text.split(/^---\n/m);
    assert.ok(body !== undefined, 'a transcript has a line ---');
    const downstream = new ScriptedEnd();
    const chain = await openChain(setUp(name, head, await downstream.listen()));
    try {
      const above = head.split('\n').length;
      await play(body.split('\n'), {
        port: chain.port,
        downstream,
        firstLine: above + 1,
        logged: (pattern, patience) => chain.logged(pattern, patience),
        clientNoticedGone: (patience) => connectionsGone(() => chain.listener.connections, patience),
      });
    } finally {
      downstream.close();
      await chain.close();
    }
  });
}

async function connectionsGone(connections: () => number, patience: number): Promise<void> {
  const until = Date.now() + patience;
  while (connections() > 0) {
    if (Date.now() > until) throw new Error('the connection of the client is still open');
    await new Promise((resolve) => setImmediate(resolve));
  }
}
