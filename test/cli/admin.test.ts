/**
 * The admin address: its four pages, and that nobody who may connect can hold anything.
 */
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Admin } from '../../src/cli/admin.ts';
import { addUp, Tally } from '../../src/cli/tally.ts';
import { configuration, folderWith, freePort, post, postern, RULES, start } from './running.ts';

async function openAdmin(t: TestContext, notReady: () => string | null = () => null): Promise<number> {
  const admin = new Admin({
    notReady,
    metrics: async () => 'postern_sessions 0\n',
    stats: async () =>
      addUp([
        new Tally(() => 0).stats({ sessions: 0, connections: 0, contentInMemory: 0, slowest: [], shadows: [] }, []),
      ]),
  });
  await admin.open({ host: '127.0.0.1', port: 0 });
  t.after(() => admin.close());
  return admin.port ?? 0;
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: NodeJS.Dict<string | string[]>;
}

function ask(port: number, path: string, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, method, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text, headers: response.headers }));
    });
    asked.on('error', reject);
    asked.end();
  });
}

/** Everything that is answered to these octets until the connection is closed. */
function send(port: number, octets: string): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(octets));
    socket.setEncoding('latin1').on('data', (piece: string) => {
      text += piece;
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(text));
  });
}

test('pages, and what is no page', async (t) => {
  let reason: string | null = 'draining';
  const port = await openAdmin(t, () => reason);
  const cases = [
    { path: '/healthz', status: 200, text: /^ok\n$/ },
    { path: '/readyz', status: 503, text: /^draining\n$/ },
    { path: '/metrics', status: 200, text: /^postern_sessions 0\n$/ },
    { path: '/metrics?x=1', status: 200, text: /^postern_sessions 0\n$/ },
    { path: '/stats', status: 200, text: /^\{"since":0,/ },
    { path: '/', status: 404, text: /\/metrics/ },
    { path: '/../etc/passwd', status: 404, text: /\/metrics/ },
    { path: '/metrics', method: 'HEAD', status: 200, text: /^$/ },
    { path: '/metrics', method: 'POST', status: 405, text: /GET/ },
    { path: '/healthz', method: 'DELETE', status: 405, text: /GET/ },
  ];
  for (const { path, method, status, text } of cases) {
    const answer = await ask(port, path, method);
    assert.equal(answer.status, status, path);
    assert.match(answer.text, text, path);
    assert.equal(answer.headers['connection'], 'close', path);
    if (status === 405) assert.equal(answer.headers['allow'], 'GET, HEAD');
  }
  assert.match(String((await ask(port, '/metrics')).headers['content-type']), /^text\/plain; version=0\.0\.4/);
  reason = null;
  assert.equal((await ask(port, '/readyz')).status, 200);
});

test('one small request a connection', async (t) => {
  const port = await openAdmin(t);
  const twice = await send(port, 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
  assert.equal(twice.match(/HTTP\/1\.1 200/g)?.length, 1);
  assert.match(await send(port, `GET /${'x'.repeat(10_000)} HTTP/1.1\r\nHost: x\r\n\r\n`), /^HTTP\/1\.1 431 /);
  assert.match(
    await send(port, 'POST /stats HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\nx'),
    /^HTTP\/1\.1 405 /,
  );
  assert.match(await send(port, '\x16\x03\x01 no http\r\n\r\n'), /^HTTP\/1\.1 400 /);
});

test('serve tells what it did: /metrics, /readyz, postern stats', async (t) => {
  const [lmtp, admin] = [await freePort(), await freePort()];
  const config = configuration(`127.0.0.1:${lmtp}`, `admin: 127.0.0.1:${admin}\n`);
  const folder = folderWith(t, { ...RULES, 'postern.yaml': config });
  const service = start(t, folder);
  await service.says(/"event":"listening"/);
  assert.match((await post(lmtp, 'ann@example.net')) ?? '', /^250 /);
  assert.match((await post(lmtp, 'eve@example.com')) ?? '', /^550 /);
  assert.equal((await ask(admin, '/readyz')).status, 200);
  const { text } = await ask(admin, '/metrics');
  assert.match(text, /^postern_recipients_total\{.*verdict="reject",phase="header",reply="5yz"\} 1$/m);
  assert.match(text, /^postern_deliveries_total\{downstream="inbox",reply="2yz"\} 1$/m);
  assert.match(text, /^postern_downstream_up\{downstream="inbox"\} 1$/m);

  const table = postern(folder, 'stats');
  assert.equal(table.status, 0, table.stderr);
  assert.match(table.stdout, /^last minute: 2 transactions, 2 recipients, 1 of them refused$/m);
  assert.match(table.stdout, /^gardeners@lists\.example\.org +2$/m);
  assert.match(table.stdout, /: subscribers-only +1$/m);
  const data = JSON.parse(postern(folder, 'stats', '--json').stdout) as { transactions: number };
  assert.equal(data.transactions, 2);

  service.process.kill('SIGTERM');
  assert.equal(await service.ended, 0);
  const gone = postern(folder, 'stats');
  assert.equal(gone.status, 1);
  assert.match(gone.stderr, /^postern stats: 127\.0\.0\.1:\d+: nobody answers; is Postern running/);
});

test('an admin address that cannot be had, and one that is not configured', async (t) => {
  const port = await openAdmin(t);
  const folder = folderWith(t, {
    ...RULES,
    'postern.yaml': configuration('127.0.0.1:0', `admin: 127.0.0.1:${port}\n`),
  });
  const taken = postern(folder, 'serve');
  assert.equal(taken.status, 1);
  assert.match(taken.stderr, /^postern: cannot listen on admin:127\.0\.0\.1:\d+: another program listens there/);
  const bare = folderWith(t, { ...RULES, 'postern.yaml': configuration('127.0.0.1:0') });
  const unasked = postern(bare, 'stats', '--config', join(bare, 'postern.yaml'));
  assert.equal(unasked.status, 1);
  assert.match(unasked.stderr, /names no address to ask at; add admin:/);
});
