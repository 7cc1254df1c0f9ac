import assert from 'node:assert/strict';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Config } from '../../src/config/config.ts';
import { type KeyPair, keyPairReader } from '../../src/config/key-pair.ts';
import { parseConfig } from '../../src/config/load.ts';
import { printConfig } from '../../src/config/print.ts';
import { DIALECTS } from '../../src/core/facts.ts';
import { type Layout, PLAIN } from '../../src/core/layout.ts';

const LOOPBACK = [
  { address: '127.0.0.1', prefix: 32 },
  { address: '::1', prefix: 128 },
];

const wait = fc.integer({ min: 1, max: 86_400_000 });
const size = fc.integer({ min: 1, max: 2 ** 40 }).map((octets) => Math.min(octets, 999_999_999));
const name = fc.stringMatching(/^[a-zA-Z0-9][a-zA-Z0-9_-]{0,8}$/);
const tcp = fc.record({
  host: fc.constantFrom('127.0.0.1', '::1', 'localhost'),
  port: fc.integer({ min: 1, max: 65_535 }),
});
const unix = fc.record({ path: fc.constantFrom('/run/x.sock', '/run/a b #c.sock') });
const flag = fc.boolean();

const KEY_PAIR = readPair();

function readPair(): KeyPair {
  const folder = resolve('test', 'support', 'certificate');
  const pair = keyPairReader()(join(folder, 'cert.pem'), join(folder, 'key.pem'));
  assert.ok('certificate' in pair);
  return pair;
}

const listener = fc
  .record({
    protocol: fc.constantFrom('lmtp' as const, 'smtp' as const),
    address: fc.oneof(tcp, unix),
    mode: fc.option(fc.integer({ min: 0, max: 0o777 })),
    clientFrom: fc.constantFrom('peer' as const, 'xforward' as const, 'xclient' as const, 'proxy' as const),
    trust: fc.constantFrom([{ address: '192.0.2.0', prefix: 24 }], LOOPBACK),
    mixed: fc.constantFrom('split' as const, 'strictest' as const, 'prdr' as const),
    refuseAt: fc.constantFrom('rcpt' as const, 'data' as const),
    deadline: wait,
    received: flag,
    dsn: flag,
    chunking: flag,
    tls: fc.constantFrom(null, KEY_PAIR),
  })
  .map((one) => ({
    ...one,
    mode: 'path' in one.address ? one.mode : null,
    trust: one.clientFrom !== 'peer' && !('path' in one.address) ? one.trust : LOOPBACK,
    refuseAt: one.protocol === 'smtp' && one.mixed === 'strictest' ? one.refuseAt : 'rcpt',
    mixed: one.protocol === 'smtp' ? one.mixed : 'split',
  }));

const layout: fc.Arbitrary<Layout> = fc.oneof(
  fc.constant(PLAIN),
  fc.record({ scheme: fc.constantFrom('user' as const, 'md5' as const), depth: fc.integer({ min: 1, max: 22 }) }),
);

const AUTHORITIES = { file: KEY_PAIR.cert, certificates: KEY_PAIR.certificate };

const tls = fc.option(
  fc.oneof(
    fc.record({
      mode: fc.constant('required' as const),
      authorities: fc.constantFrom(null, AUTHORITIES),
      serverName: fc.constantFrom('mailman.example.org', '1'),
    }),
    fc.constant({ mode: 'opportunistic' as const, authorities: null, serverName: null }),
  ),
);

const downstream = fc.oneof(
  fc.record({
    kind: fc.constantFrom('lmtp' as const, 'smtp' as const),
    name,
    addresses: fc.uniqueArray(fc.oneof(tcp, unix), {
      minLength: 1,
      maxLength: 3,
      selector: (address) => JSON.stringify(address),
    }),
    connections: fc.option(fc.integer({ min: 1, max: 100 })),
    xforward: flag,
    verifyRecipients: flag,
    tls,
  }),
  fc.record({
    kind: fc.constant('lmtp' as const),
    name,
    addresses: fc.constantFrom([{ program: ['/usr/bin/lmtp', '-l', '', 'null', 'a b'] }]),
    connections: fc.integer({ min: 1, max: 100 }),
    xforward: flag,
    verifyRecipients: flag,
    tls: fc.constant(null),
  }),
  fc.record({
    kind: fc.constant('pipe' as const),
    name,
    program: fc.constantFrom(['/usr/bin/x'], ['/a b', '{list}', '-x', '', 'é: #']),
    connections: fc.integer({ min: 1, max: 100 }),
  }),
  fc.record({
    kind: fc.constant('maildir' as const),
    name,
    folder: fc.constantFrom('/var/mail', '/null', '/a: b'),
    layout,
  }),
);

const config: fc.Arbitrary<Config> = fc
  .record({
    file: fc.constant('/etc/postern.yaml'),
    hostname: fc.constantFrom('mx.example.org', 'null', '1'),
    listen: fc.uniqueArray(listener, {
      minLength: 1,
      maxLength: 3,
      selector: ({ address }) => JSON.stringify(address),
    }),
    // Names of digits alone would come back in another order.
    downstreams: fc.uniqueArray(
      downstream.filter((one) => !/^\d+$/.test(one.name)),
      { minLength: 1, maxLength: 3, selector: (one) => one.name },
    ),
    rules: fc.record({
      system: fc.option(fc.constant('/rules/system.yaml')),
      presets: fc.option(fc.constant('/rules/presets')),
      may: fc.record({
        actions: fc.option(fc.constantFrom(['reject'], ['reject', 'defer'])),
        conditions: fc.option(fc.constant(['always'])),
        regex: flag,
        rules: fc.integer({ min: 1, max: 1e6 }),
        sets: fc.integer({ min: 0, max: 1e6 }),
        patterns: size,
      }),
      lists: fc.option(
        fc.record({
          folder: fc.constant('/lists'),
          layout,
          dialect: fc.constantFrom(...DIALECTS),
        }),
      ),
    }),
    limits: fc.record({
      message: size,
      memory: size,
      connections: fc.integer({ min: 1, max: 1e6 }),
      connectionsPerPeer: fc.option(fc.integer({ min: 1, max: 1e6 })),
      recipients: fc.integer({ min: 1, max: 1e6 }),
      errors: fc.integer({ min: 1, max: 1e6 }),
      commands: fc.integer({ min: 2e6, max: 3e6 }),
      bareNewline: fc.constantFrom('reject' as const, 'normalize' as const),
    }),
    timeouts: fc.record({ client: wait, connect: wait, reply: wait, drain: wait }),
    store: fc.constant('memory' as const),
    log: fc.record({
      level: fc.constantFrom('trace' as const, 'error' as const),
      format: fc.constantFrom('json' as const, 'pretty' as const),
    }),
    admin: fc.option(
      fc.oneof(
        tcp.map(({ host }) => ({ host, port: 0 })),
        fc.constant({ path: '/run/admin.sock' }),
      ),
    ),
    workers: fc.integer({ min: 1, max: 64 }),
  })
  .chain((partial) => {
    const to = fc.constantFrom(...partial.downstreams.map((one) => one.name));
    const patterns = fc.uniqueArray(fc.constantFrom('*@lists.example.org', 'a?@*', '#x@y'), { minLength: 1 });
    return fc
      .tuple(fc.array(fc.record({ recipients: patterns, to }), { maxLength: 2 }), to)
      .map(([routes, last]) => ({ ...partial, routes: [...routes, { recipients: null, to: last }] }));
  });

test('what is printed is the same configuration', () => {
  fc.assert(
    fc.property(config, (drawn) => {
      // Drawn objects may lack a prototype, and then equal no other.
      const given = structuredClone(drawn);
      const printed = printConfig(given);
      assert.deepEqual(parseConfig('/etc/postern.yaml', printed), { config: given, diagnostics: [] });
    }),
    { numRuns: 200 },
  );
});

test('sizes and durations are printed in the largest unit without a rest', () => {
  const text = `version: 1
hostname: mx.example.org
listen: [ { smtp: 127.0.0.1:10025, deadline: 61 seconds } ]
downstreams: { inbox: { maildir: /var/mail } }
routes: [ { to: inbox } ]
limits: { message: 1.5 MB, memory: 2048 MB }
timeouts: { client: 60 seconds, connect: 1500 milliseconds, reply: 120 minutes }
`;
  const { config: parsed } = parseConfig('/etc/postern.yaml', text);
  assert.ok(parsed !== null);
  assert.equal(
    printConfig(parsed),
    `version: 1
hostname: mx.example.org
listen:
  - smtp: 127.0.0.1:10025
    client_from: peer
    mixed: split
    refuse_at: rcpt
    deadline: 61 seconds
    received: false
    dsn: true
    chunking: false
downstreams:
  inbox:
    maildir: /var/mail
    layout: plain
routes:
  - to: inbox
rules:
  may:
    regex: true
    rules: 100
    sets: 20
    patterns: 10 KB
limits:
  message: 1536 KB
  memory: 2 GB
  connections: 1000
  recipients: 100
  errors: 20
  commands: 1000
  bare_newline: reject
timeouts:
  client: 1 minute
  connect: 1500 milliseconds
  reply: 2 hours
  drain: 30 seconds
store: memory
log:
  level: info
  format: json
workers: 1
`,
  );
});
