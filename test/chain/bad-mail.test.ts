/**
 * Bad input to the rules, through the whole chain: what is too deep, too many, too long, broken or gone ends in a verdict,
 * in bounded work, and the next message is served.
 */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Chain, openChain } from '../support/chain.ts';
import { connectPeer } from '../support/peer.ts';
import { RecordingServer } from '../support/recording-server.ts';
import { zipOf } from '../support/zip.ts';

/** Rules that look at everything a message has. */
const SYSTEM = `version: 1
sets:
  members: { file: members.txt }
before:
  - { name: member, when: { author: { in: members } }, then: { tag: member } }
  - { name: stranger, when: { author: { not_in: members } }, then: { tag: stranger } }
  - { name: subject, when: { subject: { regex: "vi[a@]gra" } }, then: { reject: "subject" } }
  - { name: robot, when: { auto_submitted: "yes" }, then: { reject: "robot" } }
  - { name: broken, when: { malformed: true }, then: { reject: "malformed" } }
  - { name: program, when: { attachment: { name: { ends_with: .exe }, inside_archives: true } }, then: { reject: "program" } }
  - { name: file, when: { attachment: { size: { above: 1 KB } } }, then: { note: "file" } }
  - { name: text, when: { body: { regex: "(win|won) .{1,20} (lottery|prize)" } }, then: { reject: "text" } }
  - { name: link, when: { link_domain: { domain: evil.example } }, then: { reject: "link" } }
  - { name: html, when: { text_parts: { html: true, plain: false } }, then: { tag: html } }
`;

const BRACKETS = 256 * 1024;
const LISTS = {
  good: 'version: 1\nrules: []\n',
  'deep-open': '['.repeat(BRACKETS),
  'deep-list': '['.repeat(BRACKETS / 2) + ']'.repeat(BRACKETS / 2),
  'deep-mapping': `${'{a: '.repeat(BRACKETS / 5)}b${'}'.repeat(BRACKETS / 5)}`,
  'wide-flow': `rules: [${'{a: [b, {c: d}]}, '.repeat(BRACKETS / 18 - 10)}]`,
  'many-rules': rules(1000),
  'too-many-rules': rules(1001),
};

/** More than a list gets where nothing is said. */
const MAY = { rules: '2000', patterns: '100 KB' };

function rules(count: number): string {
  const lines = Array.from(
    { length: count },
    (_, index) =>
      `  - { name: r${index}, when: { subject: { regex: "x${index}y+$" } }, then: { reject: "r${index}" } }\n`,
  );
  return `version: 1\nrules:\n${lines.join('')}`;
}

let server: RecordingServer;
let port = 0;
let chain: Chain;

before(async () => {
  server = new RecordingServer();
  port = await server.listen();
  const files = { 'members.txt': 'ann@example.net\n' };
  chain = await openChain({ downstreamPort: port, system: SYSTEM, lists: LISTS, files, may: MAY });
});
after(async () => {
  await chain.close();
  server.close();
});

/** The tags of the message that came through last. */
function tags(): readonly string[] {
  const content = server.messages.at(-1)?.content.toString('latin1') ?? '';
  return [...content.matchAll(/^X-Postern-Tag: (.*)\r$/gm)].map(([, tag = '']) => tag);
}

/** What the client is told in the end. */
async function send(message: string, list = 'good', through = chain): Promise<string> {
  const client = await connectPeer(through.port, 60_000);
  await client.reply();
  await client.ask('LHLO client.example');
  await client.ask('MAIL FROM:<ann@example.net>');
  const admitted = (await client.ask(`RCPT TO:<${list}@lists.example.org>`)) ?? '';
  if (!admitted.startsWith('250')) return admitted;
  await client.ask('DATA');
  client.socket.write(message);
  const answer = (await client.ask('\r\n.')) ?? '';
  client.socket.destroy();
  return answer;
}

const GOOD = 'From: ann@example.net\r\nSubject: Tulips\r\n\r\nTulips.\r\n';

test('bad input: list files of 256 KiB of nested flow, wide or deep, closed or not', async () => {
  for (const list of ['deep-open', 'deep-list', 'deep-mapping', 'wide-flow']) {
    assert.match(await send(GOOD, list), /^451 4\./, list);
    assert.match(await send(GOOD), /^250 /, list);
  }
  for (const line of chain.log) assert.ok(line.length < 50_000, line.slice(0, 200));
});

test('bad input: 1,000 rules are asked one after the other, 1,001 are too many', async () => {
  assert.match(await send('From: ann@example.net\r\nSubject: x999yy\r\n\r\n', 'many-rules'), /^550 5\.7\.1 r999 /);
  assert.match(await send(GOOD, 'many-rules'), /^250 /);
  assert.match(await send(GOOD, 'too-many-rules'), /^451 4\./);
});

/** A chain of its own, which has not looked at the file yet. */
async function withRoster(lines: string | Buffer, act: (scene: Chain, replace: Replace) => Promise<void>) {
  const own = await openChain({ downstreamPort: port, system: SYSTEM, lists: LISTS, files: { 'members.txt': lines } });
  const file = join(own.folder, 'members.txt');
  const replace = (next: string | Buffer | null): void => {
    if (next === null) rmSync(file);
    else writeFileSync(file, next);
  };
  try {
    await act(own, replace);
  } finally {
    await own.close();
  }
}

type Replace = (lines: string | Buffer | null) => void;

/** Asks until the file is looked at again, which is to be within five seconds; `enough`: what else is waited for. */
async function until(pattern: RegExp, through: Chain, enough = () => true): Promise<void> {
  const end = Date.now() + 5000;
  for (let answer = await send(GOOD, 'good', through); !pattern.test(answer) || !enough(); ) {
    assert.ok(Date.now() < end, `still ${answer}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
    answer = await send(GOOD, 'good', through);
  }
}

test('bad input: a set of a million lines is a set', () =>
  withRoster(Array.from({ length: 1_000_000 }, (_, index) => `m${index}@a.de\n`).join(''), async (own) => {
    assert.match(await send('From: m999999@a.de\r\n\r\n', 'good', own), /^250 /);
    assert.deepEqual(tags(), ['member']);
    assert.match(await send('From: m1000000@a.de\r\n\r\n', 'good', own), /^250 /);
    assert.deepEqual(tags(), ['stranger']);
  }));

test('bad input: a roster that grows over 16 MiB, vanishes, or is Latin-1 defers until it is mended', () =>
  withRoster('ann@example.net\n', async (own, replace) => {
    assert.match(await send(GOOD, 'good', own), /^250 /);
    const broken: readonly (readonly [string | Buffer | null, RegExp])[] = [
      [Buffer.alloc(17 * 1024 * 1024, 'ann@example.net\n'), /larger than/],
      [null, /ENOENT/],
      [Buffer.from('ann@example.net\nmüller@example.net\n', 'latin1'), /members\.txt:2: not an address/],
    ];
    for (const [lines, told] of broken) {
      replace(lines);
      await until(/^451 4\./, own);
      await own.logged(told);
      replace('bob@example.net\n');
      await until(/^250 /, own);
      assert.deepEqual(tags(), ['stranger']);
    }
  }));

test('bad input: a roster in Latin-1 serves where only names and comments are not ASCII', () =>
  withRoster(Buffer.from('# Grün\nMüller <ann@example.net>\n', 'latin1'), async (own) => {
    assert.match(await send(GOOD, 'good', own), /^250 /);
    assert.deepEqual(tags(), ['member']);
  }));

test('bad input: a roster in Latin-1 with an address that cannot be read is an error at the start', () =>
  assert.rejects(
    withRoster(Buffer.from('ann@example.net\nmüller@example.net\n', 'latin1'), async () => {}),
    /members\.txt:2:1 {2}E_ADDRESS/,
  ));

test("bad input: a list's file that changes, breaks, vanishes and comes back while serving", async () => {
  const rejecting = (text: string): string =>
    `version: 1\nrules:\n  - { name: all, when: { always: true }, then: { reject: ${text} } }\n`;
  const own = await openChain({ downstreamPort: port, lists: { good: rejecting('one') } });
  const file = join(own.folder, 'lists', 'lists.example.org', 'good.yaml');
  try {
    await until(/^550 5\.7\.1 one /, own);
    writeFileSync(file, rejecting('two'));
    await until(/^550 5\.7\.1 two /, own);
    // Broken, the last good one stays in force; what stands in the log is why.
    writeFileSync(file, 'version: 1\nrules: [');
    const told = own.logged(/list-rules-set-aside.*E_YAML/);
    await until(/^550 5\.7\.1 two /, own, () => own.log.some((line) => line.includes('list-rules-set-aside')));
    await told;
    rmSync(file);
    await until(/^250 /, own);
    writeFileSync(file, rejecting('three'));
    await until(/^550 5\.7\.1 three /, own);
  } finally {
    await own.close();
  }
});

function withAttachment(octets: Buffer, name: string): string {
  const lines = octets.toString('base64').replace(/.{76}/g, '$&\r\n');
  const type = `Content-Type: application/octet-stream; name=${name}\r\nContent-Transfer-Encoding: base64`;
  const head =
    'From: ann@example.net\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nTulips.\r\n--b\r\n';
  return `${head}${type}\r\n\r\n${lines}\r\n--b--\r\n`;
}

test('bad input: a zip bomb in an attachment is left, and is a fact', async () => {
  const bomb = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), Buffer.alloc(100_000_000)]);
  assert.match(
    await send(withAttachment(zipOf([{ name: 'bomb.zip', content: bomb }]), 'a.zip')),
    /^550 5\.7\.1 malformed /,
  );
  const names = Array.from({ length: 30_000 }, (_, index) => ({ name: `${index}.txt` }));
  assert.match(
    await send(withAttachment(zipOf([...names, { name: 'setup.exe' }]), 'a.zip')),
    /^550 5\.7\.1 malformed /,
  );
  let nested = zipOf([{ name: 'setup.exe' }]);
  for (let level = 0; level < 20; level += 1) nested = zipOf([{ name: 'a.zip', content: nested }]);
  assert.match(await send(withAttachment(nested, 'a.zip')), /^550 5\.7\.1 malformed /);
  assert.match(await send(withAttachment(zipOf([{ name: 'setup.exe' }]), 'a.zip')), /^550 5\.7\.1 program /);
  assert.match(await send(withAttachment(zipOf([{ name: 'tulips.txt' }]), 'a.zip')), /^250 /);
});

test('bad input: 10,000 MIME parts are looked at, one more is a fact', async () => {
  const parts = (count: number): string =>
    `From: ann@example.net\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n${'--b\r\n\r\nx\r\n'.repeat(count)}--b--\r\n`;
  assert.match(await send(parts(9_999)), /^250 /);
  assert.match(await send(parts(10_000)), /^550 5\.7\.1 malformed /);
});

test('bad input: 2,000 nested multiparts are a fact', async () => {
  const type = (level: number): string => `Content-Type: multipart/mixed; boundary=b${level}\r\n\r\n`;
  const levels = Array.from({ length: 2000 }, (_, level) => `--b${level}\r\n${type(level + 1)}`);
  assert.match(await send(`From: ann@example.net\r\n${type(0)}${levels.join('')}`), /^550 5\.7\.1 malformed /);
});

test('bad input: a header field of 1 MB is a fact, whichever it is', async () => {
  const long = 'x@y, '.repeat(210_000);
  const folded = `${'x '.repeat(400)}\r\n `.repeat(1350);
  for (const name of ['From', 'To', 'Subject', 'Content-Type', 'Auto-Submitted', 'Authentication-Results', 'X-Long']) {
    for (const value of [long, folded]) {
      const answer = await send(`From: ann@example.net\r\n${name}: ${value}\r\n\r\n`);
      // What a machine says it sent is one of those rules.
      assert.match(answer, name === 'Auto-Submitted' ? /^550 5\.7\.1 robot / : /^550 5\.7\.1 malformed /, name);
    }
  }
});

test('bad input: encoded words that decode to control characters hide nothing and break nothing', async () => {
  for (const subject of ['=?utf-8?q?vi=00a=1Bg=7Fra?=', '=?utf-8?b?dmkAYWdyYQ==?=', '=?iso-2022-jp?b?dmkbAGFncmE=?=']) {
    const answer = await send(`From: ann@example.net\r\nSubject: ${subject}\r\n\r\n`);
    assert.match(answer, /^550 5\.7\.1 subject |^250 /, subject);
    assert.equal(answer.startsWith('550'), !subject.includes('2022'), subject);
  }
  assert.match(await send('From: ann@example.net\r\nSubject: =?utf-8?q?a=0D=0AX-Postern-Tag:_b?=\r\n\r\n'), /^250 /);
  assert.deepEqual(tags(), ['member']);
});

test('bad input: From with 500 mailboxes, with none, twice, or not at all', async () => {
  const many = (count: number) => Array.from({ length: count }, (_, index) => `a${index}@example.net`).join(', ');
  const froms: readonly (readonly [string, string])[] = [
    [`From: ann@example.net, ${many(499)}\r\n`, 'stranger'],
    [`From: ${'ann@example.net, '.repeat(500)}\r\n`, 'member'],
    ['From: undisclosed:;\r\n', 'stranger'],
    ['From:\r\n', 'stranger'],
    ['From: ann@example.net\r\nFrom: eve@example.com\r\n', 'stranger'],
    ['From: ann@example.net\r\nfrom : ANN@example.net\r\n', 'member'],
    ['', 'stranger'],
  ];
  for (const [from, tag] of froms) {
    assert.match(await send(`${from}Subject: Tulips\r\n\r\nTulips.\r\n`), /^250 /, from);
    assert.deepEqual(tags(), [tag], from.slice(0, 80));
  }
});
