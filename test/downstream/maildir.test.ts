import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { type Layout, PLAIN } from '../../src/core/layout.ts';
import type { Content } from '../../src/core/message.ts';
import type { DeliverOptions, Downstream } from '../../src/downstream/downstream.ts';
import { createMaildirDownstream } from '../../src/downstream/maildir.ts';
import { content, envelope, type Given, recipient, show, warnings } from './envelope.ts';

interface Bench {
  readonly folder: string;
  readonly downstream: Downstream;
  /** What was logged. */
  readonly lines: readonly string[];
  deliver(given?: Given, message?: Content, options?: Partial<DeliverOptions>): Promise<string[]>;
  /** Files in a part of a Maildir, `a@lists.example` by default. */
  list(part: 'tmp' | 'new' | 'cur', path?: string): string[];
  /** The messages in `new`. */
  read(path?: string): string[];
}

function bench(t: TestContext, layout: Layout = PLAIN): Bench {
  const folder = mkdtempSync(join(tmpdir(), 'postern-maildir-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const log = warnings();
  const downstream = createMaildirDownstream({ name: 'mail', folder, layout, hostname: 'mx.lists.example', log });
  const list = (part: string, path = 'lists.example/a'): string[] => readdirSync(join(folder, path, part));
  return {
    folder,
    downstream,
    lines: log.lines,
    async deliver(given = {}, message = content('Subject: x\r\n\r\nbody\r\n'), options = {}) {
      const signal = new AbortController().signal;
      const deadline = Date.now() + 60_000;
      const replies = await downstream.deliver(envelope(given), message, { signal, deadline, ...options });
      return replies.map(show);
    },
    list,
    read: (path = 'lists.example/a') =>
      list('new', path).map((file) => readFileSync(join(folder, path, 'new', file), 'latin1')),
  };
}

test('maildir: a message is in new, with trace fields and LF line ends, and only its owner can read it', async (t) => {
  const { folder, deliver, list, read } = bench(t);
  assert.deepEqual(await deliver(), ['250 2.0.0 Ok']);
  const [file = ''] = list('new');
  assert.match(file, /^\d+\.M\d+P\d+Q\d+R[0-9a-f]{16}\.mx\.lists\.example$/);
  const [message = ''] = read();
  const expect = [
    'Return-Path: <author@example\\.net>',
    'Delivered-To: a@lists\\.example',
    'Received: from client\\.example\\.net \\(mx\\.example\\.net \\[192\\.0\\.2\\.7\\]\\)',
    '\tby mx\\.lists\\.example with ESMTP id T1',
    '\tfor <a@lists\\.example>; (Mon|Tue|Wed|Thu|Fri|Sat|Sun), \\d\\d \\w{3} \\d{4} \\d\\d:\\d\\d:\\d\\d \\+0000',
    'Subject: x\n\nbody\n$',
  ];
  assert.match(message, new RegExp(`^${expect.join('\n')}`));
  assert.deepEqual([list('tmp'), list('cur')], [[], []]);
  const mode = (...names: string[]): number => statSync(join(folder, ...names)).mode & 0o777;
  assert.equal(mode('lists.example', 'a', 'new', file), 0o600);
  for (const part of ['', 'tmp', 'new', 'cur']) assert.equal(mode('lists.example', 'a', part), 0o700);
});

test('maildir: the null reverse-path, IPv6, and a client of whom little is known', async (t) => {
  const { deliver, read } = bench(t);
  const client = { address: '2001:db8::1', name: null, port: null, helo: '', tls: false, protocol: 'LMTP' } as const;
  await deliver({ from: '', client });
  const [message = ''] = read();
  assert.match(message, /^Return-Path: <>\n/);
  assert.match(message, /^Received: from unknown \(unknown \[IPv6:2001:db8::1\]\)$/m);
});

test('maildir: nothing from the network breaks out of a trace field', async (t) => {
  const { deliver, read } = bench(t);
  const client = {
    address: null,
    name: 'a)\r\nX: 1',
    port: null,
    helo: 'b\n(\\ü',
    tls: false,
    protocol: 'SMTP',
  } as const;
  await deliver({ from: 'c\r\nX: 2@example.net', client });
  const [message = ''] = read();
  assert.doesNotMatch(message, /^X:/m);
  assert.match(message, /^Received: from b\?\?\?\? \(a\?\?\?X:\?1 \[unknown\]\)$/m);
});

const contents: { name: string; given: string; expect: string }[] = [
  { name: 'lines', given: 'a\r\nb\r\n\r\n', expect: 'a\nb\n\n' },
  { name: 'a bare CR stays', given: 'a\rb\r\r\n', expect: 'a\rb\r\n' },
  { name: 'no line end', given: 'a\r\nb', expect: 'a\nb' },
  { name: 'a CR at the end', given: 'a\r', expect: 'a\r' },
  { name: 'eight-bit octets', given: '\xff\xfe\r\n\0', expect: '\xff\xfe\n\0' },
  { name: 'nothing', given: '', expect: '' },
];
for (const { name, given, expect } of contents) {
  test(`maildir: line ends, wherever slices are cut: ${name}`, async (t) => {
    const { deliver, read } = bench(t);
    for (let step = 1; step <= given.length + 1; step += 1) {
      const slices = Array.from({ length: Math.ceil(given.length / step) }, (_, n) =>
        given.slice(n * step, (n + 1) * step),
      );
      assert.deepEqual(await deliver({ to: [`step${step}@x`] }, content(...slices)), ['250 2.0.0 Ok']);
      const [message = ''] = read(`x/step${step}`);
      assert.equal(message.slice(message.indexOf('+0000\n') + 6), expect);
    }
  });
}

test('maildir: every recipient gets a copy of its own, also of content that is read piece by piece', async (t) => {
  const { deliver, read } = bench(t);
  const text = `Subject: x\r\n\r\n${'body\r\n'.repeat(50_000)}`;
  async function* pieces(): AsyncGenerator<Buffer> {
    for (let at = 0; at < text.length; at += 65_536) yield Buffer.from(text.slice(at, at + 65_536));
  }
  const told: string[] = [];
  const onReply: DeliverOptions['onReply'] = (position, reply) => told.push(`${position} ${reply.code}`);
  const to = ['a@lists.example', 'b@lists.example', 'a@other.example'];
  const replies = await deliver({ to }, { size: text.length, slices: pieces }, { onReply });
  assert.deepEqual(replies, ['250 2.0.0 Ok', '250 2.0.0 Ok', '250 2.0.0 Ok']);
  assert.deepEqual(told, ['0 250', '1 250', '2 250']);
  for (const address of to) {
    const [local = '', domain = ''] = address.split('@');
    const [message = ''] = read(join(domain, local));
    assert.match(message, new RegExp(`^Delivered-To: ${address}$`, 'm'));
    assert.ok(message.endsWith(text.replaceAll('\r\n', '\n')));
  }
});

test('maildir: deliveries at the same time get different names', async (t) => {
  const { deliver, list } = bench(t);
  await Promise.all(Array.from({ length: 20 }, () => deliver()));
  assert.equal(list('new').length, 20);
  assert.deepEqual(list('tmp'), []);
});

test('maildir: a local-part is one folder, whatever its case', async (t) => {
  const { deliver, read } = bench(t);
  await deliver({ to: ['Ann@lists.example', 'ann@lists.example'] });
  assert.equal(read('lists.example/ann').length, 2);
});

test('maildir: in another layout the Maildir lies in folders of its name', async (t) => {
  const { deliver, read } = bench(t, { scheme: 'md5', depth: 2 });
  await deliver({ to: ['User@lists.example', 'x@lists.example'] });
  assert.equal(read('lists.example/7/h/user').length, 1);
  assert.equal(read('lists.example/n/d/x').length, 1);
});

const names: { name: string; localPart: string; domain: string; taken: boolean }[] = [
  { name: 'plain', localPart: 'gardeners', domain: 'lists.example', taken: true },
  { name: 'with detail', localPart: 'gardeners-bounces+ann=x', domain: 'lists.example', taken: true },
  { name: 'with blanks and quotes', localPart: 'a "b"', domain: 'lists.example', taken: true },
  { name: 'UTF-8', localPart: 'grüße', domain: 'xn--bcher-kva.example', taken: true },
  { name: 'an address literal', localPart: 'a', domain: '[192.0.2.1]', taken: true },
  { name: '200 octets', localPart: 'a'.repeat(200), domain: 'x', taken: true },
  { name: '201 octets', localPart: 'a'.repeat(201), domain: 'x', taken: false },
  { name: '202 octets of UTF-8', localPart: 'ü'.repeat(101), domain: 'x', taken: false },
  { name: 'no local-part', localPart: '', domain: 'x', taken: false },
  { name: 'no domain', localPart: 'postmaster', domain: '', taken: false },
  { name: 'the folder itself', localPart: '.', domain: 'x', taken: false },
  { name: 'the folder above', localPart: '..', domain: 'x', taken: false },
  { name: 'the folder above, as a domain', localPart: 'x', domain: '..', taken: false },
  { name: 'a path', localPart: '../../etc/passwd', domain: 'x', taken: false },
  { name: 'an absolute path', localPart: '/etc/passwd', domain: 'x', taken: false },
  { name: 'a slash in a domain', localPart: 'a', domain: 'x/y', taken: false },
  { name: 'a hidden name', localPart: '.ssh', domain: 'x', taken: false },
  { name: 'an option', localPart: '-rf', domain: 'x', taken: false },
  { name: 'NUL', localPart: 'a\0b', domain: 'x', taken: false },
  { name: 'a line end', localPart: 'a\nb', domain: 'x', taken: false },
  { name: 'DEL', localPart: 'a\x7fb', domain: 'x', taken: false },
];
test('maildir: names from the network are folders or refused, each for itself', async (t) => {
  const { folder, deliver, lines } = bench(t);
  const to = names.map(({ localPart, domain }) => ({
    ...recipient('raw@raw.example'),
    forwardPath: { localPart, domain },
  }));
  const replies = await deliver({ to });
  for (const [position, { name, taken }] of names.entries()) {
    assert.match(replies[position] ?? '', taken ? /^250 2\.0\.0 / : /^550 5\.1\.3 /, name);
  }
  const taken = names.filter((name) => name.taken);
  assert.deepEqual(readdirSync(folder).sort(), [...new Set(taken.map(({ domain }) => domain))].sort());
  for (const { localPart, domain } of taken) assert.ok(existsSync(join(folder, domain, localPart, 'new')));
  assert.deepEqual(lines, []);
});

test('maildir: no recipient gets a folder at another place, whatever its octets', async (t) => {
  for (const layout of [PLAIN, { scheme: 'user', depth: 2 }, { scheme: 'md5', depth: 2 }] as const) {
    const { folder, deliver, lines } = bench(t, layout);
    const odd = fc.constantFrom('..', '.', '/', '\\', '\0', '-', '~', '%2f', 'a', 'Ä', 'new', 'tmp', '\n', '\u2215');
    const name = fc.oneof(
      fc.array(odd, { maxLength: 6 }).map((parts) => parts.join('')),
      fc.uint8Array({ maxLength: 1000 }).map((octets) => Buffer.from(octets).toString('latin1')),
    );
    const mailboxes = fc.sample(fc.record({ localPart: name, domain: name }), { numRuns: 100, seed: 1 });
    const to = mailboxes.map((forwardPath) => ({ ...recipient('raw@raw.example'), forwardPath }));
    const replies = await deliver({ to });
    const taken = mailboxes.filter((_, position) => replies[position]?.startsWith('250'));
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    assert.ok(taken.length > 0 && taken.length < mailboxes.length);
    assert.equal(files.length, taken.length);
    for (const { parentPath } of files) {
      const steps = relative(folder, parentPath).split('/');
      assert.deepEqual([steps.length, steps.at(-1)], [3 + layout.depth, 'new']);
    }
    assert.deepEqual(lines, []);
  }
});

/** Content that calls `step` before each of its slices. */
function stepwise(step: (n: number) => void | Promise<void>, slices = 3): Content {
  async function* read(): AsyncGenerator<Buffer> {
    for (let n = 0; n < slices; n += 1) {
      await step(n);
      yield Buffer.from('line\r\n');
    }
    await step(slices);
  }
  return { size: 6 * slices, slices: read };
}

test('maildir: a client that leaves before the link gets nothing delivered', async (t) => {
  for (const leavesAt of [0, 1, 3]) {
    const { deliver, list, lines } = bench(t);
    const controller = new AbortController();
    const message = stepwise((n) => {
      if (n === leavesAt) controller.abort();
    });
    const replies = await deliver({ to: ['a@lists.example', 'b@lists.example'] }, message, {
      signal: controller.signal,
    });
    for (const reply of replies) assert.match(reply, /^451 4\.4\.2 /);
    for (const path of ['lists.example/a', 'lists.example/b']) {
      assert.deepEqual([list('new', path), list('tmp', path)], [[], []]);
    }
    assert.deepEqual(lines, []);
  }
});

test('maildir: whoever has no reply at the deadline gets 451, and nothing is delivered later', async (t) => {
  const { downstream, deliver, list } = bench(t);
  let goOn: () => void = () => undefined;
  const message = stepwise((n) => (n === 0 ? undefined : new Promise<void>((resolve) => (goOn = resolve))));
  const replies = await deliver({ to: ['a@lists.example', 'b@lists.example'] }, message, { deadline: Date.now() + 50 });
  for (const reply of replies) assert.match(reply, /^451 4\.3\.0 /);
  goOn();
  await downstream.close();
  assert.deepEqual([list('new'), list('tmp')], [[], []]);
});

test('maildir: close waits for what is under way', async (t) => {
  const { downstream, deliver, list } = bench(t);
  const delivering = deliver(
    {},
    stepwise(() => undefined),
  );
  await downstream.close();
  assert.equal(list('new').length, 1);
  assert.deepEqual(await delivering, ['250 2.0.0 Ok']);
});

const troubles: { name: string; code: string; expect: RegExp; logged: boolean }[] = [
  { name: 'disk full', code: 'ENOSPC', expect: /^452 4\.3\.1 /, logged: false },
  { name: 'over quota', code: 'EDQUOT', expect: /^452 4\.2\.2 /, logged: false },
  { name: 'anything else', code: 'EIO', expect: /^451 4\.3\.0 /, logged: true },
];
for (const { name, code, expect, logged } of troubles) {
  test(`maildir: trouble while writing: ${name}`, async (t) => {
    const { deliver, list, lines } = bench(t);
    const message = stepwise((n) => {
      if (n === 2) throw Object.assign(new Error(name), { code });
    });
    const [reply = ''] = await deliver({}, message);
    assert.match(reply, expect);
    assert.deepEqual([list('new'), list('tmp')], [[], []]);
    assert.equal(lines.length, logged ? 1 : 0);
  });
}

test('maildir: a folder that cannot be used is 451 for its recipient alone', async (t) => {
  const { folder, deliver, list, lines } = bench(t);
  mkdirSync(join(folder, 'lists.example', 'a', 'tmp'), { recursive: true });
  writeFileSync(join(folder, 'lists.example', 'a', 'new'), 'no folder');
  writeFileSync(join(folder, 'lists.example', 'b'), 'no folder');
  const replies = await deliver({ to: ['a@lists.example', 'b@lists.example', 'c@lists.example'] });
  assert.deepEqual(
    replies.map((reply) => reply.slice(0, 9)),
    ['451 4.3.0', '451 4.3.0', '250 2.0.0'],
  );
  assert.deepEqual(list('tmp'), []);
  assert.equal(lines.length, 2);
});
