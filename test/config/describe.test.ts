import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeConfig } from '../../src/config/describe.ts';

const keys = describeConfig();

test('every key of the configuration is there, in its order', () => {
  assert.deepEqual(
    keys.map(({ path }) => path),
    [
      'version',
      'hostname',
      'listen',
      ...[
        'lmtp',
        'smtp',
        'mode',
        'client_from',
        'trust',
        'mixed',
        'refuse_at',
        'deadline',
        'received',
        'dsn',
        'chunking',
        'tls',
      ].map((key) => `listen[].${key}`),
      ...['cert', 'key'].map((key) => `listen[].tls.${key}`),
      'downstreams',
      ...[
        'lmtp',
        'smtp',
        'xforward',
        'verify_recipients',
        'tls',
        'tls.mode',
        'tls.ca',
        'tls.server_name',
        'connections',
        'pipe',
        'maildir',
        'layout',
        'depth',
      ].map((key) => `downstreams.NAME.${key}`),
      'routes',
      'routes[].recipients',
      'routes[].to',
      'rules',
      'rules.system',
      'rules.presets',
      'rules.lists',
      ...['folder', 'layout', 'depth', 'dialect'].map((key) => `rules.lists.${key}`),
      'rules.may',
      ...['actions', 'conditions', 'regex', 'rules', 'sets', 'patterns'].map((key) => `rules.may.${key}`),
      'limits',
      ...[
        'message',
        'memory',
        'connections',
        'connections_per_peer',
        'recipients',
        'errors',
        'commands',
        'bare_newline',
      ].map((key) => `limits.${key}`),
      'timeouts',
      ...['client', 'connect', 'reply', 'drain'].map((key) => `timeouts.${key}`),
      'store',
      'log',
      'log.level',
      'log.format',
      'admin',
      'workers',
    ],
  );
});

test('every key is described in whole sentences and has a type', () => {
  for (const { path, description, type } of keys) {
    assert.match(description, /^[A-Z0-9].*\.$/, path);
    assert.notEqual(type, '', path);
  }
});

test('a key that holds a value has a default, an example or a choice of words', () => {
  const bare = keys.filter(({ type, default: byDefault, example }) => {
    return byDefault === null && example === null && type !== 'list' && type !== 'mapping' && !type.includes(' | ');
  });
  assert.deepEqual(bare, []);
});

test('a row holds what the schema says', () => {
  const find = (path: string) => keys.find((key) => key.path === path);
  assert.deepEqual(find('limits.message'), {
    path: 'limits.message',
    type: 'size',
    default: '25 MB',
    required: false,
    description: 'Largest message that is taken.',
    example: '20 MB',
  });
  assert.equal(find('listen[].trust')?.default, '["127.0.0.1","::1"]');
  assert.equal(find('log.level')?.type, 'trace | debug | info | warn | error');
  assert.deepEqual(
    [find('version')?.required, find('listen')?.required, find('listen[].lmtp')?.required],
    [true, true, false],
  );
});
