import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { loadConfig, parseConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/config.ts';

const SMALL = `version: 1
hostname: mx.example.org
listen: [ { lmtp: 127.0.0.1:10024 } ]
downstreams: { mailman: { lmtp: 127.0.0.1:8024 } }
routes: [ { to: mailman } ]
`;

function parse(text: string): Config {
  const { config, diagnostics } = parseConfig('/etc/postern/postern.yaml', text);
  assert.deepEqual(diagnostics, []);
  assert.ok(config !== null);
  return config;
}

const MAY = { actions: null, conditions: null, regex: true, rules: 100, sets: 20, patterns: 10 * 1024 };

test('the smallest configuration has every default', () => {
  assert.deepEqual(parse(SMALL), {
    file: '/etc/postern/postern.yaml',
    hostname: 'mx.example.org',
    listen: [
      {
        protocol: 'lmtp',
        address: { host: '127.0.0.1', port: 10024 },
        mode: null,
        clientFrom: 'peer',
        trust: [
          { address: '127.0.0.1', prefix: 32 },
          { address: '::1', prefix: 128 },
        ],
        mixed: 'split',
        refuseAt: 'rcpt',
        deadline: 300_000,
        received: false,
        dsn: false,
        chunking: false,
        tls: null,
      },
    ],
    downstreams: [
      {
        kind: 'lmtp',
        name: 'mailman',
        addresses: [{ host: '127.0.0.1', port: 8024 }],
        connections: null,
        verifyRecipients: false,
        xforward: false,
        tls: null,
      },
    ],
    routes: [{ recipients: null, to: 'mailman' }],
    rules: { system: null, presets: null, lists: null, may: MAY },
    limits: {
      message: 25 * 1024 ** 2,
      memory: 128 * 1024 ** 2,
      connections: 1000,
      connectionsPerPeer: null,
      recipients: 100,
      errors: 20,
      commands: 1000,
      bareNewline: 'reject',
    },
    timeouts: { client: 300_000, connect: 10_000, reply: 300_000, drain: 30_000 },
    store: 'memory',
    log: { level: 'info', format: 'json' },
    admin: null,
    workers: 1,
  });
});

test('every key is read; relative paths start at the folder of the file', () => {
  const config = parse(`version: 1
hostname: mx.example.org
listen:
  - lmtp: unix:lmtp.sock
    mode: "0660"
    client_from: xforward
    received: true
  - smtp: "[::1]:10025"
    client_from: xforward
    trust: 192.0.2.0/24
    mixed: strictest
    refuse_at: data
    deadline: 45 seconds
downstreams:
  filter: { smtp: "unix:/run/filter.sock", xforward: true, connections: 5, verify_recipients: true, tls: { server_name: filter.example.org } }
  mailman2: { pipe: [/var/lib/mailman/mail/mailman, "{command}", "{list}"] }
  local: { lmtp: { program: [/usr/libexec/mail.local, -l] } }
  inbox: { maildir: var/mail, layout: md5, depth: 2 }
routes:
  - { recipients: ["*@Lists.example.org", boss@example.org], to: filter }
  - { to: inbox }
rules:
  system: rules/system.yaml
  lists: { folder: /srv/lists, layout: user, dialect: plain }
limits: { message: 10 MB, memory: 1 GB, connections: 10, connections_per_peer: 5, recipients: 500, errors: 3, bare_newline: normalize }
timeouts: { client: 1 minute, connect: 500 milliseconds, reply: 1 hour, drain: 2 seconds }
log: { level: debug, format: pretty }
admin: unix:admin.sock
workers: 4
`);
  assert.deepEqual([config.admin, config.workers], [{ path: '/etc/postern/admin.sock' }, 4]);
  const [unix, tcp] = config.listen;
  assert.deepEqual([unix?.address, unix?.mode, unix?.received], [{ path: '/etc/postern/lmtp.sock' }, 0o660, true]);
  assert.deepEqual(tcp, {
    protocol: 'smtp',
    address: { host: '::1', port: 10025 },
    mode: null,
    clientFrom: 'xforward',
    trust: [{ address: '192.0.2.0', prefix: 24 }],
    mixed: 'strictest',
    refuseAt: 'data',
    deadline: 45_000,
    received: false,
    dsn: true,
    chunking: false,
    tls: null,
  });
  assert.deepEqual(config.downstreams, [
    {
      kind: 'smtp',
      name: 'filter',
      addresses: [{ path: '/run/filter.sock' }],
      connections: 5,
      xforward: true,
      verifyRecipients: true,
      tls: { mode: 'required', authorities: null, serverName: 'filter.example.org' },
    },
    {
      kind: 'pipe',
      name: 'mailman2',
      program: ['/var/lib/mailman/mail/mailman', '{command}', '{list}'],
      connections: 4,
    },
    {
      kind: 'lmtp',
      name: 'local',
      addresses: [{ program: ['/usr/libexec/mail.local', '-l'] }],
      connections: 4,
      xforward: false,
      verifyRecipients: false,
      tls: null,
    },
    { kind: 'maildir', name: 'inbox', folder: '/etc/postern/var/mail', layout: { scheme: 'md5', depth: 2 } },
  ]);
  assert.deepEqual(config.routes, [
    { recipients: ['*@lists.example.org', 'boss@example.org'], to: 'filter' },
    { recipients: null, to: 'inbox' },
  ]);
  assert.deepEqual(config.rules, {
    system: '/etc/postern/rules/system.yaml',
    lists: { folder: '/srv/lists', layout: { scheme: 'user', depth: 1 }, dialect: 'plain' },
    presets: null,
    may: MAY,
  });
  assert.deepEqual(config.limits, {
    message: 10 * 1024 ** 2,
    memory: 1024 ** 3,
    connections: 10,
    connectionsPerPeer: 5,
    recipients: 500,
    errors: 3,
    commands: 5000,
    bareNewline: 'normalize',
  });
  assert.deepEqual(config.timeouts, { client: 60_000, connect: 500, reply: 3_600_000, drain: 2000 });
  assert.deepEqual(config.log, { level: 'debug', format: 'pretty' });
});

test('an SMTP listener answers before Postfix gives up', () => {
  assert.equal(parse(SMALL.replace('lmtp: 127.0.0.1:10024', 'smtp: 127.0.0.1:10025')).listen[0]?.deadline, 90_000);
});

test("the machine's name is a host name whatever the machine is called", () => {
  assert.match(parse(SMALL.replace(/hostname.*\n/, '')).hostname, /^[a-z0-9.-]+$/i);
});

test('listeners at ports that the system chooses do not collide', () => {
  const text = SMALL.replace('{ lmtp: 127.0.0.1:10024 }', '{ lmtp: 127.0.0.1:0 }, { smtp: 127.0.0.1:0 }');
  assert.equal(parse(text).listen.length, 2);
});

const folder = mkdtempSync(join(tmpdir(), 'postern-config-'));
after(() => rmSync(folder, { recursive: true }));

test('a file is read with its text', () => {
  const file = join(folder, 'postern.yaml');
  writeFileSync(file, SMALL);
  const { config, diagnostics, text } = loadConfig(file);
  assert.deepEqual([config?.file, diagnostics, text], [file, [], SMALL]);
});

test('a file with a mistake has its text for the frame', () => {
  const file = join(folder, 'bad.yaml');
  writeFileSync(file, 'version: 2\n');
  const { config, diagnostics, text } = loadConfig(file);
  assert.deepEqual([config, text, diagnostics[0]?.place.file], [null, 'version: 2\n', file]);
});

test('a missing file says so', () => {
  const file = join(folder, 'none.yaml');
  const { config, diagnostics, text } = loadConfig(file);
  assert.deepEqual(
    [config, text, diagnostics.map(({ code, place }) => [code, place.file])],
    [null, null, [['E_FILE', file]]],
  );
});
