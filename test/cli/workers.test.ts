/**
 * Several processes: mail goes on when one of them is killed, and nobody is told 250 for what is lost.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { parseConfig } from '../../src/config/load.ts';
import { shareOf } from '../../src/cli/service.ts';
import {
  beginMessage,
  configuration,
  folderWith,
  freePort,
  post,
  postern,
  RULES,
  type Running,
  start,
} from './running.ts';

interface Site {
  readonly folder: string;
  readonly port: number;
  readonly service: Running;
  readonly configure: (more: string) => void;
}

async function serveByTwo(t: TestContext): Promise<Site> {
  const [port, admin] = [await freePort(), await freePort()];
  const text = configuration(`127.0.0.1:${port}`, `workers: 2\nadmin: 127.0.0.1:${admin}\n`);
  const folder = folderWith(t, { ...RULES, 'postern.yaml': text });
  const service = start(t, folder);
  await service.says(/"event":"listening"/);
  return { folder, port, service, configure: (more) => writeFileSync(join(folder, 'postern.yaml'), text + more) };
}

/** The process ids of all workers that came to be ready, in order. */
function workersOf({ output }: Running): readonly number[] {
  return [...output().matchAll(/"event":"worker-ready","worker":\d+,"pid":(\d+)/g)].map(([, pid]) => Number(pid));
}

const CONTENT = 'From: ann@example.net\r\nSubject: x\r\n\r\nx\r\n.';

test('a worker is killed in the middle of a message: no false 250, the other goes on, a third comes', async (t) => {
  const { folder, port, service } = await serveByTwo(t);
  // Connections are dealt out in turn: one session in each worker.
  const sessions = [await beginMessage(port, 'ann@example.net'), await beginMessage(port, 'ann@example.net')];
  for (const { socket } of sessions) socket.write('From: ann@example.net\r\n');
  const [first = 0] = workersOf(service);
  process.kill(first, 'SIGKILL');
  await service.says(/"event":"worker-died".*"signal":"SIGKILL"/);
  const answers = await Promise.all(
    sessions.map(async (session) => {
      const answer = await session.ask('Subject: x\r\n\r\nx\r\n.');
      session.socket.destroy();
      return answer?.slice(0, 3) ?? null;
    }),
  );
  assert.deepEqual([...answers].sort(), ['250', null]);
  await service.says(/("event":"worker-ready"[\s\S]*){3}/);
  assert.equal(new Set(workersOf(service)).size, 3);
  for (let n = 0; n < 4; n += 1) assert.match((await post(port, 'ann@example.net')) ?? '', /^250 /);
  const delivered = readdirSync(join(folder, 'mail/lists.example.org/gardeners/new')).length;
  assert.equal(delivered, 5, 'what had no 250 was not delivered');
  service.process.kill('SIGTERM');
  assert.equal(await service.ended, 0);
});

test('a worker is killed while the downstream holds the dot: the client hears no reply, and the others go on', async (t) => {
  const { port: downstream, dot } = await holdingServer(t);
  const port = await freePort();
  const text = `version: 1
listen: [ { lmtp: "127.0.0.1:${port}" } ]
downstreams: { slow: { lmtp: "127.0.0.1:${downstream}" } }
routes: [ { to: slow } ]
workers: 2
`;
  const service = start(t, folderWith(t, { 'postern.yaml': text }));
  await service.says(/"event":"listening"/);
  const sessions = [await beginMessage(port, 'ann@example.net'), await beginMessage(port, 'bob@example.net')];
  const answers = sessions.map((session) => session.ask(CONTENT));
  await dot(2);
  const [first = 0, second = 0] = workersOf(service);
  process.kill(first, 'SIGKILL');
  await service.says(/"event":"worker-died".*"signal":"SIGKILL"/);
  assert.equal(await Promise.race(answers), null, 'the connection is closed without a reply');
  process.kill(second, 'SIGKILL');
  assert.deepEqual(await Promise.all(answers), [null, null]);
  service.process.kill('SIGKILL');
});

/** An LMTP server that never answers the final dot; `dot` waits until so many messages have come to it. */
async function holdingServer(t: TestContext): Promise<{ readonly port: number; dot(count: number): Promise<void> }> {
  let held = 0;
  let wake: () => void = () => {};
  const server = createServer((socket) => {
    let pending = '';
    let inContent = false;
    socket.on('error', () => {});
    socket.write('220 slow.example\r\n');
    socket.on('data', (chunk: Buffer) => {
      pending += chunk.toString();
      for (let end = pending.indexOf('\r\n'); !inContent && end !== -1; end = pending.indexOf('\r\n')) {
        inContent = pending.startsWith('DATA');
        pending = pending.slice(end + 2);
        socket.write(inContent ? '354 Go on\r\n' : '250 Ok\r\n');
      }
      if (!inContent || !pending.endsWith('\r\n.\r\n')) return;
      held += 1;
      wake();
    });
  });
  t.after(() => server.close());
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  return {
    port: address !== null && typeof address === 'object' ? address.port : 0,
    async dot(count) {
      while (held < count)
        await new Promise<void>((done) => {
          wake = done;
        });
    },
  };
}

test('metrics and stats are those of all workers', async (t) => {
  const { folder, port, service } = await serveByTwo(t);
  for (let n = 0; n < 4; n += 1) await post(port, n % 2 === 0 ? 'ann@example.net' : 'eve@example.com');
  const stats = JSON.parse(postern(folder, 'stats', '--json').stdout) as Record<string, unknown>;
  assert.deepEqual([stats['processes'], stats['transactions'], stats['verdicts']], [2, 4, { relay: 2, reject: 2 }]);
  service.process.kill('SIGTERM');
  assert.equal(await service.ended, 0);
  assert.match(service.output(), /"event":"stopped"/);
});

test('a reload reaches all workers or none', async (t) => {
  const { folder, port, service, configure } = await serveByTwo(t);
  const replies = async (): Promise<readonly (string | undefined)[]> => {
    const [one, two] = [await post(port, 'ann@example.net'), await post(port, 'ann@example.net')];
    return [one?.slice(0, 3), two?.slice(0, 3)];
  };
  const closed =
    'version: 1\nbefore:\n  - name: closed\n    when: { subject: { is: x } }\n    then: { reject: Closed }\n';
  writeFileSync(join(folder, 'system.yaml'), closed.replace('reject', 'rejct'));
  service.process.kill('SIGHUP');
  await service.says(/"event":"reload-refused"/);
  assert.deepEqual(await replies(), ['250', '250']);

  // The rules load, but a listener cannot be had: found out by the workers, after they have prepared the rules.
  writeFileSync(join(folder, 'system.yaml'), closed);
  const text = readFileSync(join(folder, 'postern.yaml'), 'utf8');
  const missing = join(folder, 'nowhere', 'lmtp.sock');
  writeFileSync(join(folder, 'postern.yaml'), text.replace('listen: [', `listen: [ { lmtp: "unix:${missing}" },`));
  service.process.kill('SIGHUP');
  await service.says(/"event":"reload-refused"[\s\S]*"event":"reload-refused","reason":"cannot listen on lmtp:unix:/);
  assert.deepEqual(await replies(), ['250', '250']);

  configure('log: { level: debug }\n');
  service.process.kill('SIGHUP');
  await service.says(/"event":"reloaded"/);
  await service.says(/"event":"restart-needed","keys":\["log"\]/);
  assert.deepEqual(await replies(), ['550', '550']);
  service.process.kill('SIGTERM');
  assert.equal(await service.ended, 0);
});

test('SIGTERM lets a message under way finish, in whichever worker; a signal to the whole group does no harm', async (t) => {
  const { port, service } = await serveByTwo(t);
  const session = await beginMessage(port, 'ann@example.net');
  for (const pid of workersOf(service)) process.kill(pid, 'SIGTERM');
  service.process.kill('SIGTERM');
  await service.says(/"event":"draining"/);
  assert.match((await session.ask(CONTENT)) ?? '', /^250 /);
  assert.match((await session.reply()) ?? '', /^421 /);
  assert.equal(await service.ended, 0);
});

test('a second signal ends all at once', async (t) => {
  const { port, service } = await serveByTwo(t);
  const session = await beginMessage(port, 'ann@example.net');
  service.process.kill('SIGTERM');
  await service.says(/"event":"draining"/);
  service.process.kill('SIGTERM');
  assert.equal(await service.ended, 1);
  assert.equal(await session.reply(), null);
});

test('an address that cannot be had: one line, exit 1', async (t) => {
  const folder = folderWith(t, RULES);
  writeFileSync(join(folder, 'postern.yaml'), configuration(`unix:${join(folder, 'nowhere/x')}`, 'workers: 2\n'));
  const { status, stderr } = postern(folder, 'serve');
  assert.equal(status, 1);
  assert.match(
    stderr,
    /^postern: cannot listen on lmtp:unix:.*: ports below 1024 need privileges; the folder of a unix socket must exist .*\n$/,
  );
});

test('limits for all together are divided', () => {
  const { config } = parseConfig(
    '/x.yaml',
    configuration('127.0.0.1:1', 'limits: { memory: 100 MB, connections: 10, connections_per_peer: 8 }').replace(
      'inbox: {',
      'list: { lmtp: 127.0.0.1:2, connections: 9 }, other: { smtp: 127.0.0.1:3 }, run: { pipe: [/bin/x] }, inbox: {',
    ),
  );
  assert.ok(config !== null);
  assert.deepEqual(shareOf(config, 4).limits, {
    ...config.limits,
    memory: 25 * 1024 * 1024,
    connections: 2,
    connectionsPerPeer: 2,
  });
  assert.deepEqual(
    shareOf(config, 4).downstreams.map((one) => ('connections' in one ? one.connections : undefined)),
    [2, null, 1, undefined],
  );
  assert.equal(shareOf(config, 20).limits.connections, 1);
  assert.deepEqual(shareOf(config, 1), config);
});
