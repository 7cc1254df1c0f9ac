/**
 * Life under systemd, with stand-ins: a `systemd-notify` that writes down what it is told, and sockets handed over.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { appendFileSync, chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { hostOf, inheritedSockets } from '../../src/cli/inherited-sockets.ts';
import { connectPeer } from '../support/peer.ts';
import { configuration, folderWith, MAIN, post, RULES, start } from './running.ts';

interface Told {
  readonly env: NodeJS.ProcessEnv;
  /** Resolves with all that was told, one notification a line, once it matches. */
  readonly says: (pattern: RegExp) => Promise<string>;
}

function standIn(folder: string): Told {
  const bin = join(folder, 'bin');
  const file = join(folder, 'told');
  mkdirSync(bin);
  writeFileSync(file, '');
  writeFileSync(join(bin, 'systemd-notify'), `#!/bin/sh\necho "$NOTIFY_SOCKET: $*" >>'${file}'\n`);
  chmodSync(join(bin, 'systemd-notify'), 0o755);
  return {
    env: { NOTIFY_SOCKET: '/run/stand-in', PATH: `${bin}:${process.env['PATH'] ?? ''}` },
    async says(pattern) {
      for (;;) {
        const told = readFileSync(file, 'utf8');
        if (pattern.test(told)) return told;
        await setTimeout(10);
      }
    },
  };
}

test('READY once the listeners are open, RELOADING and READY at a reload, STOPPING', async (t) => {
  const folder = folderWith(t, { ...RULES, 'postern.yaml': configuration('127.0.0.1:0') });
  const told = standIn(folder);
  const service = start(t, folder, told.env);
  await told.says(/^\/run\/stand-in: READY=1\n$/);
  await service.says(/"event":"listening"/);
  service.process.kill('SIGHUP');
  await told.says(/READY=1\n.*: RELOADING=1 MONOTONIC_USEC=\d+\n.*: READY=1\n$/);
  await service.says(/"event":"reloaded"/);
  appendFileSync(join(folder, 'postern.yaml'), 'nonsense: 1\n');
  service.process.kill('SIGHUP');
  await told.says(/(.*RELOADING=1.*\n.*READY=1\n){2}$/);
  service.process.kill('SIGTERM');
  assert.equal(await service.ended, 0);
  assert.match(readFileSync(join(folder, 'told'), 'utf8'), /: STOPPING=1\n$/);
});

test('WATCHDOG twice in the time that systemd allows, only where it asked this process', async (t) => {
  const folder = folderWith(t, { ...RULES, 'postern.yaml': configuration('127.0.0.1:0') });
  const told = standIn(folder);
  start(t, folder, { ...told.env, WATCHDOG_USEC: '100000' });
  await told.says(/(.*: WATCHDOG=1\n){2}/);
  const other = folderWith(t, { ...RULES, 'postern.yaml': configuration('127.0.0.1:0') });
  const silent = standIn(other);
  const service = start(t, other, { ...silent.env, WATCHDOG_USEC: '1000', WATCHDOG_PID: '1' });
  await silent.says(/READY/);
  service.process.kill('SIGTERM');
  await service.ended;
  assert.doesNotMatch(readFileSync(join(other, 'told'), 'utf8'), /WATCHDOG/);
});

test('a machine without systemd-notify: told once in the log, and mail is taken', async (t) => {
  const folder = folderWith(t, { ...RULES, 'postern.yaml': configuration('127.0.0.1:0') });
  const service = start(t, folder, { NOTIFY_SOCKET: '/run/stand-in', PATH: join(folder, 'empty') });
  await service.says(/"event":"notify-failed".*"problem":"ENOENT"/);
  service.process.kill('SIGTERM');
  assert.equal(await service.ended, 0);
  assert.equal(service.output().match(/notify-failed/g)?.length, 1);
});

function descriptorOf(server: Server): number {
  const { _handle: handle } = server as Server & { readonly _handle?: { readonly fd: number } };
  return handle?.fd ?? -1;
}

test('a socket that was handed over is listened on; the address is not opened again', async (t) => {
  const holder = createServer();
  await new Promise<void>((done) => holder.listen(0, '127.0.0.1', done));
  t.after(() => holder.close());
  const address = holder.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  const folder = folderWith(t, { ...RULES, 'postern.yaml': configuration(`127.0.0.1:${port}`) });
  // bash gives the socket the number 3, and LISTEN_PID is the process that Postern becomes.
  const script = 'export LISTEN_PID=$$ LISTEN_FDS=1; exec "$@"';
  const service = start(t, folder, {}, ['bash', '-c', script, 'bash'], descriptorOf(holder));
  await service.says(/"event":"listening"/);
  holder.close();
  assert.match((await post(port, 'ann@example.net')) ?? '', /^250 /);
  service.process.kill('SIGTERM');
  assert.equal(await service.ended, 0);
});

test('systemd-socket-activate hands over a unix socket', async (t) => {
  if (spawnSync('systemd-socket-activate', ['--version']).status !== 0) {
    t.skip('systemd-socket-activate is not installed');
    return;
  }
  const folder = folderWith(t, { ...RULES });
  const path = join(folder, 'lmtp.sock');
  writeFileSync(join(folder, 'postern.yaml'), configuration(`unix:${path}`));
  const service = start(t, folder, {}, ['systemd-socket-activate', '--listen', path]);
  await service.says(/Listening on/);
  // The program is started by the first connection, which waits for it.
  const client = await connectPeer(path);
  assert.match((await client.reply()) ?? '', /^220 /);
  client.socket.destroy();
  service.process.kill('SIGTERM');
  assert.equal(await service.ended, 0);
});

test('nothing is taken that was not handed to this very process', () => {
  const cases = [
    {},
    { LISTEN_FDS: '1' },
    { LISTEN_FDS: '1', LISTEN_PID: '1' },
    { LISTEN_FDS: 'x', LISTEN_PID: String(process.pid) },
    { LISTEN_FDS: '-1', LISTEN_PID: String(process.pid) },
    { LISTEN_FDS: '9999999', LISTEN_PID: String(process.pid) },
  ];
  for (const env of cases) assert.equal(inheritedSockets(env, process.pid).size, 0, JSON.stringify(env));
});

test("addresses as the kernel's tables print them", () => {
  const cases = [
    { given: '0100007F', order: 'LE', expect: '127.0.0.1' },
    { given: '7F000001', order: 'BE', expect: '127.0.0.1' },
    { given: '00000000000000000000000001000000', order: 'LE', expect: '::1' },
    { given: '00000000000000000000000000000000', order: 'LE', expect: '::' },
    { given: 'B80D0120000000000000000001000000', order: 'LE', expect: '2001:db8::1' },
  ] as const;
  for (const { given, order, expect } of cases) assert.equal(hostOf(given, order), expect);
});

test('the unit names what exists, and systemd finds no fault with it', (t) => {
  const unit = readFileSync('examples/systemd/postern.service', 'utf8');
  assert.match(unit, /^ExecStart=\S+ \S+\/dist\/cli\/main\.js serve /m);
  assert.ok(existsSync(MAIN));
  const folder = folderWith(t, {
    'postern.service': unit
      .replaceAll('/usr/bin/node', process.execPath)
      .replaceAll('/usr/lib/postern/dist/cli/main.js', MAIN)
      .replace(/^Documentation=.*\n/m, ''),
  });
  const { status, stderr, error } = spawnSync('systemd-analyze', ['verify', join(folder, 'postern.service')], {
    encoding: 'utf8',
  });
  if (error !== undefined) {
    t.skip('systemd-analyze is not installed');
    return;
  }
  assert.doesNotMatch(stderr, /postern\.service:/);
  assert.equal(status, 0, stderr);
});
