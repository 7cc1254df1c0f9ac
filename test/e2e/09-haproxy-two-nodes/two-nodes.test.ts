/**
 * two-nodes - examples/haproxy-two-nodes with a real Postfix and a real HAProxy: queue -> HAProxy -> one of two Posterns ->
 * list manager. A node dies or is stopped under load, and comes back.
 */
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { Daemon } from '../daemon.ts';
import { Example } from '../example.ts';
import { submitLmtp } from '../lmtp-client.ts';
import { whyNot } from '../needs.ts';
import { oddMessage } from '../odd-message.ts';
import { Postern, putAway } from '../postern.ts';
import { Postfix } from '../postfix.ts';
import { RecordingServer } from '../recording-server.ts';
import { freeAddress, freePort, Sandbox, until } from '../sandbox.ts';
import { submit } from '../smtp-client.ts';
import { suite } from '../suite.ts';

const GARDENERS = 'gardeners@lists.example.org';
const STAFF = 'staff@lists.example.org';
const ANN = 'ann@example.net';
/** The nodes have an address of their own each, and the same ports. */
const NODES = { a: '127.0.0.11', b: '127.0.0.12' } as const;
type Node = keyof typeof NODES;
const INSIDE = '127.0.0.30';
const LOAD = 400;

suite('two Posterns behind HAProxy', whyNot({ postfix: '/usr/sbin/postfix', haproxy: '/usr/sbin/haproxy' }), () => {
  const sandbox = new Sandbox('two-nodes');
  const nodes = {} as Record<Node, Postern>;
  let front = '';
  let balancer = '';
  let postfix: Postfix;
  let listManager: RecordingServer;
  let startNode: (node: Node) => Promise<Postern>;

  before(async () => {
    front = await freeAddress();
    balancer = await freeAddress();
    const lmtp = await freeAddress();
    const port = await freePort();
    const adminPort = await freePort();

    startNode = async (node) => {
      const listener = `${NODES[node]}:${port}`;
      const admin = `${NODES[node]}:${adminPort}`;
      const example = new Example(sandbox, 'haproxy-two-nodes', `node-${node}`);
      example.replace('postern.yaml', {
        '0.0.0.0:10024': listener,
        '0.0.0.0:10028': admin,
        '192.0.2.10': '127.0.0.1',
        '192.0.2.20:8024': lmtp,
      });
      example.replace('rules/system.yaml', { '192.0.2.30': INSIDE });
      return Postern.start(sandbox, ['--config', example.path('postern.yaml')], [admin, listener]);
    };
    const example = new Example(sandbox, 'haproxy-two-nodes');
    listManager = await RecordingServer.start(sandbox, lmtp, { protocol: 'lmtp' });
    for (const node of ['a', 'b'] as const) nodes[node] = await startNode(node);
    const config = join(sandbox.folder, 'haproxy.cfg');
    const text = example.replace('haproxy/haproxy.cfg', {
      '192.0.2.10:10024': balancer,
      '192.0.2.11:10024': `${NODES.a}:${port}`,
      '192.0.2.12:10024': `${NODES.b}:${port}`,
      'port 10028': `port ${adminPort}`,
    });
    writeFileSync(config, `global\n${text}`);
    await Daemon.start(sandbox, { command: ['/usr/sbin/haproxy', '-db', '-f', config], listens: [balancer] });
    postfix = await Postfix.start(sandbox, {
      main: example.replace('postfix/main.cf', { '192.0.2.10:10024': balancer }),
      master: `${front} inet n - n - - smtpd\n`,
      listens: [front],
      elsewhere: await freeAddress(),
    });
  });

  after(() => putAway(sandbox, nodes.a, nodes.b));

  const post = (to: string, localAddress = '127.0.0.1') =>
    submitLmtp(balancer, {
      from: ANN,
      to: [to],
      content: oddMessage({ author: ANN, to, subject: 'hello' }),
      localAddress,
    });
  /** Messages are sent until that node has taken one. */
  const untilServedBy = async (node: Node): Promise<void> => {
    const served = nodes[node].transactions.length;
    await until(`HAProxy to choose node ${node}`, async () => {
      await post(GARDENERS);
      return nodes[node].transactions.length > served;
    });
  };
  /** Puts a load into Postfix's queue; `disturb` is called when a fourth of it is through. Gives back what arrived. */
  const load = async (subject: string, disturb: () => Promise<unknown>): Promise<readonly string[]> => {
    const ids = () =>
      listManager.messages
        .map((message) => message.content.toString('latin1'))
        .filter((content) => content.includes(`Subject: ${subject}\r\n`))
        .map((content) => /^Message-Id: (.*)\r$/m.exec(content)?.[1] ?? '');
    const options = { '-s': '10', '-m': String(LOAD), '-l': '4096', '-S': subject, '-f': ANN, '-t': GARDENERS };
    const sent = promisify(execFile)('/usr/sbin/smtp-source', [...Object.entries(options).flat(), front]);
    await until('a fourth of the load', () => ids().length >= LOAD / 4);
    assert.ok(ids().length < LOAD, 'the load is under way');
    await disturb();
    await sent;
    await postfix.emptied();
    return ids();
  };

  test('both serve, and rules see the server that connected to HAProxy', async (t) => {
    t.diagnostic(execFileSync('/usr/sbin/haproxy', ['-v'], { encoding: 'utf8' }).split('\n')[0] ?? '');
    t.diagnostic(postfix.version);
    await untilServedBy('a');
    await untilServedBy('b');
    assert.match((await post(STAFF, INSIDE)).final[0] ?? '', /^250 /);
    assert.match(
      (await post(STAFF, '127.0.0.31')).final[0] ?? '',
      /^550 5\.7\.1 staff@lists\.example\.org takes mail from inside only\./,
    );
    await until('both clients in the log', () => {
      const clients = [...nodes.a.transactions, ...nodes.b.transactions].map((record) => record.client);
      return clients.includes(INSIDE) && clients.includes('127.0.0.31');
    });
  });

  test('a node is killed under load: nothing is lost', async (t) => {
    const before = nodes.a.transactions.length;
    const arrived = await load('killed', () => nodes.a.kill());
    assert.ok(nodes.a.transactions.length > before, 'it had a part in the load');
    assert.equal(new Set(arrived).size, LOAD);
    // Between the list manager's 250 and ours the truth died with the node: Postfix sends that message again.
    t.diagnostic(`${arrived.length - LOAD} of ${LOAD} messages arrived twice`);
    assert.ok(arrived.length - LOAD <= 20, 'no more than Postfix has sessions');
  });

  test('it comes back and is used again', async () => {
    nodes.a = await startNode('a');
    await untilServedBy('a');
  });

  test('a node is stopped under load: nothing is lost, nothing arrives twice', async () => {
    const deferred = () => postfix.deliveries(GARDENERS).filter(({ status }) => status === 'deferred');
    const before = deferred().length;
    const arrived = await load('stopped', async () => assert.equal(await nodes.b.stop(), 0));
    // A client whose MAIL crossed the farewell comes again.
    for (const { reason } of deferred().slice(before)) assert.match(reason, /said: 421 4\.3\.2 Service shutting down/);
    assert.equal(new Set(arrived).size, LOAD);
    assert.equal(arrived.length, LOAD);
    nodes.b = await startNode('b');
    await untilServedBy('b');
  });

  test('both away: the mail waits in the queue and arrives once', async () => {
    await nodes.a.stop();
    await nodes.b.stop();
    const content = oddMessage({ author: ANN, to: GARDENERS, subject: 'patience' });
    await submit(front, { from: ANN, to: [GARDENERS], content });
    await until('the attempt to fail', () => postfix.deliveries(GARDENERS).at(-1)?.status === 'deferred');
    for (const node of ['a', 'b'] as const) nodes[node] = await startNode(node);
    const count = () =>
      listManager.messages.filter((message) => message.content.includes('subject:   patience')).length;
    await postfix.emptied();
    assert.equal(count(), 1);
  });
});
