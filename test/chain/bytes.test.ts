/**
 * Bytes that no rule asked to change are not changed: every message of the corpus through the whole chain, octet for octet.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { freeBlocks } from '../../src/core/blocks.ts';
import { openChain } from '../support/chain.ts';
import { connectPeer, type Peer } from '../support/peer.ts';
import { RecordingServer } from '../support/recording-server.ts';

const MESSAGES = '../shared/corpus/messages';
const PATHS = '../shared/corpus/tables/smtp/paths.jsonl';

/** The message as it would come over the wire: line ends CRLF, no mbox line before it, a line end at its end. */
function onTheWire(octets: Buffer): string {
  const text = octets
    .toString('latin1')
    .replace(/^>?From .*\r?\n/, '')
    .replace(/\r?\n/g, '\r\n');
  return text.endsWith('\r\n') ? text : `${text}\r\n`;
}

function stuff(text: string): string {
  return text.replace(/(^|\r\n)\./g, '$1..');
}

async function transact(client: Peer, mail: string, recipients: readonly string[], content: string): Promise<string[]> {
  const envelope = [mail, ...recipients, 'DATA'].map((line) => `${line}\r\n`).join('');
  client.socket.write(Buffer.from(envelope, 'utf8'));
  const answers: string[] = [];
  for (let n = 0; n < recipients.length + 2; n++) answers.push((await client.reply()) ?? '');
  if (!answers.at(-1)?.startsWith('354')) return answers;
  client.socket.write(`${stuff(content)}.\r\n`, 'latin1');
  for (const answer of answers.slice(1, -1)) if (answer.startsWith('250')) answers.push((await client.reply()) ?? '');
  return answers;
}

test('every message of the corpus goes through unchanged', async (t) => {
  if (!existsSync(MESSAGES)) {
    t.skip(`${MESSAGES} is missing: no real messages were sent through`);
    return;
  }
  const server = new RecordingServer();
  const chain = await openChain({ downstreamPort: await server.listen() });
  const client = await connectPeer(chain.port);
  await client.reply();
  await client.ask('LHLO client.example');
  const files = readdirSync(MESSAGES, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.eml'));
  let refused = 0;
  for (const file of files) {
    const content = onTheWire(readFileSync(join(MESSAGES, file)));
    server.messages.length = 0;
    const answers = await transact(client, 'MAIL FROM:<ann@example.net>', ['RCPT TO:<a@lists.example.org>'], content);
    if (/\0|\r(?!\n)/.test(content)) {
      refused += 1;
      assert.match(answers.at(-1) ?? '', /^550 5\.6\.11 /, file);
      assert.equal(server.messages.length, 0, file);
    } else {
      assert.equal(answers.at(-1), '250 2.0.0 taken', file);
      assert.equal(server.messages[0]?.content.compare(Buffer.from(content, 'latin1')), 0, file);
    }
  }
  t.diagnostic(`${files.length} messages, ${refused} of them refused for a bare CR or a NUL`);
  assert.ok(files.length > 700 && refused > 0 && refused < files.length / 10);
  client.socket.destroy();
  await chain.close();
  server.close();
});

test('a message larger than memory allows goes through a temporary file, unchanged', async () => {
  const server = new RecordingServer();
  const chain = await openChain({ downstreamPort: await server.listen(), limits: { memory: '64 KB' } });
  const client = await connectPeer(chain.port, 20_000);
  await client.reply();
  await client.ask('LHLO client.example');
  const lines = Array.from({ length: 60_000 }, (_, n) => `${n % 7 === 0 ? '.' : ''}line ${n} ${'x'.repeat(n % 60)}`);
  const content = `Subject: large\r\n\r\n${lines.join('\r\n')}\r\n`;
  const answers = await transact(client, 'MAIL FROM:<>', ['RCPT TO:<a@lists.example.org>'], content);
  assert.equal(answers.at(-1), '250 2.0.0 taken');
  assert.equal(server.messages[0]?.content.compare(Buffer.from(content, 'latin1')), 0);
  client.socket.destroy();
  await chain.close();
  server.close();
});

test('octets of one message never turn up in another, though their memory is used again', async () => {
  const server = new RecordingServer();
  const faulty = new RecordingServer({ breaksAfter: 200_000 });
  const chain = await openChain({
    downstreamPort: await server.listen(),
    downstreams: { faulty: `{ lmtp: "127.0.0.1:${await faulty.listen()}" }` },
    routes: '{ recipients: "faulty@lists.example.org", to: faulty }',
    limits: { memory: '6 MB' },
  });
  const large = (name: string, lines: number): string =>
    `Subject: ${name}\r\n\r\n${`${name} ${'x'.repeat(name.length * 7)}\r\n`.repeat(lines)}`;
  const session = async (name: string): Promise<void> => {
    for (let n = 0; n < 8; n += 1) {
      const client = await connectPeer(chain.port, 60_000);
      await client.reply();
      await client.ask('LHLO client.example');
      // Some leave in the middle, some have a server that does: what they held is free, and perhaps still being read.
      const content = large(`${name}.${n}`, 8_000 + 1_000 * n);
      if (n % 4 === 1) {
        client.socket.write('MAIL FROM:<>\r\nRCPT TO:<a@lists.example.org>\r\nDATA\r\n');
        client.socket.write(content, 'latin1', () => client.socket.destroy());
        continue;
      }
      const to = n % 4 === 2 ? 'faulty' : 'a';
      const answers = await transact(client, 'MAIL FROM:<>', [`RCPT TO:<${to}@lists.example.org>`], content);
      assert.match(answers.at(-1) ?? '', to === 'a' ? /^250 2\.0\.0 taken$/ : /^451 4\.4\.2 /);
      client.socket.destroy();
    }
  };
  await Promise.all(['one', 'two', 'three', 'four'].map(session));
  for (const { content } of server.messages) {
    const text = content.toString('latin1');
    const name = /^Subject: (.*)\r\n/.exec(text)?.[1] ?? '';
    const expected = large(name, 8_000 + 1_000 * Number(name.split('.')[1]));
    assert.equal(text === expected, true, `${name} is not what was sent`);
  }
  assert.equal(server.messages.length, 16);
  assert.ok(freeBlocks() > 0);
  await chain.close();
  server.close();
  faulty.close();
});

/** Without brackets and source route. */
function bareOf(path: string): string {
  return path.replace(/^<|>$/g, '').replace(/^@[^:]*:/, '');
}

/** Vectors that stricter parsers refuse and we take, as Postfix does. */
const TAKEN_ALL_THE_SAME = ['<user@example.com.>', 'asdf'];

test('the paths of the corpus arrive downstream as they were written', async (t) => {
  if (!existsSync(PATHS)) {
    t.skip(`${PATHS} is missing: no real paths were sent through`);
    return;
  }
  const server = new RecordingServer();
  const chain = await openChain({ downstreamPort: await server.listen() });
  const client = await connectPeer(chain.port);
  await client.reply();
  await client.ask('LHLO client.example');
  for (const line of readFileSync(PATHS, 'utf8').trim().split('\n')) {
    const { input, valid, rest } = JSON.parse(line) as { input: string; valid: boolean; rest?: string };
    const path = rest === undefined || rest === '' ? input : input.slice(0, input.length - rest.length);
    const utf8 = /[^\0-\x7f]/.test(path) ? ' SMTPUTF8' : '';
    server.commands.length = 0;
    const answers = await transact(client, `MAIL FROM:${path}${utf8}`, ['RCPT TO:<a@lists.example.org>'], 'x: y\r\n');
    if (valid || TAKEN_ALL_THE_SAME.includes(input)) {
      assert.equal(answers.at(-1), '250 2.0.0 taken', `${input}: ${answers.join(' / ')}`);
      const got = Buffer.from(server.commands.find((command) => command.startsWith('MAIL')) ?? '', 'latin1');
      assert.ok(got.toString('utf8').startsWith(`MAIL FROM:<${bareOf(path)}>`), `${input} arrived as ${got}`);
    } else {
      assert.match(answers[0] ?? '', /^501 5\.1\.7 /, input);
    }
    await client.ask('RSET');

    server.commands.length = 0;
    await client.ask(`MAIL FROM:<>${utf8}`);
    client.socket.write(Buffer.from(`RCPT TO:${path}\r\n`, 'utf8'));
    const taken = (await client.reply()) ?? '';
    const isTaken = (valid || TAKEN_ALL_THE_SAME.includes(input)) && path !== '<>';
    assert.match(taken, isTaken ? /^250 2\.1\.5 / : /^501 5\.1\.3 /, input);
    if (isTaken) {
      await client.ask('DATA');
      assert.equal(await client.ask('x: y\r\n\r\n.'), '250 2.0.0 taken', input);
      const got = Buffer.from(server.commands.find((command) => command.startsWith('RCPT')) ?? '', 'latin1');
      assert.ok(got.toString('utf8').startsWith(`RCPT TO:<${bareOf(path)}>`), `${input} arrived as ${got}`);
    }
    await client.ask('RSET');
  }
  client.socket.destroy();
  await chain.close();
  server.close();
});
