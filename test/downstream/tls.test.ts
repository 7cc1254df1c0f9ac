/**
 * STARTTLS on the way to a server: what is sent with it and without it, and what is said where it cannot be had.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createSecureContext } from 'node:tls';
import type { Log } from '../../src/core/log.ts';
import { createTls } from '../../src/downstream/tls.ts';
import { type Bench, bench } from './bench.ts';
import { big } from './envelope.ts';
import { all, close, hang, raw, type Script, type ScriptedServerOptions } from './scripted-server.ts';

const FOLDER = join('test', 'support', 'certificate');
const pem = (file: string): string => readFileSync(join(FOLDER, file), 'utf8');
/** Good for postern.example.org, signed by itself. */
const SERVER = createSecureContext({ cert: pem('cert.pem'), key: pem('key.pem') });

/** The key of the certificate is none for these. */
const NOTHING_IN_COMMON = { maxVersion: 'TLSv1.2', ciphers: 'AES128-SHA256' } as const;

const required = createTls(true, pem('cert.pem'), 'postern.example.org');
const opportunistic = createTls(false, null, null);
const INSECURE =
  '451 4.7.5 The mail system behind this server cannot be reached securely; please try again later (id T1)';

interface Told {
  readonly events: string[];
  readonly log: Log;
}

function logged(): Told {
  const events: string[] = [];
  const log: Log = {
    transaction: () => {},
    info: () => {},
    warn: (event, detail) => events.push(`${event} ${detail?.['stage']} ${detail?.['failure']}: ${detail?.['detail']}`),
    error: (event) => events.push(event),
  };
  return { events, log };
}

type Given = Partial<ScriptedServerOptions> & { readonly script?: Script };

async function stage(t: TestContext, given: Given, tls = required): Promise<Bench & Pick<Told, 'events'>> {
  const { events, log } = logged();
  const timeouts = { connect: 2_000, reply: 300 };
  return { ...(await bench(t, { protocol: 'smtp', ...given }, { tls, log, timeouts })), events };
}

for (const protocol of ['smtp', 'lmtp'] as const) {
  test(`${protocol}: hello, STARTTLS, hello again, and the message over TLS; the connection is kept`, async (t) => {
    const { server, deliver, events } = await stage(t, { protocol, tls: SERVER });
    assert.deepEqual(await deliver(), ['250 2.0.0 Ok']);
    assert.deepEqual(await deliver({}, big(3_000_000)), ['250 2.0.0 Ok']);
    const [session] = server.sessions;
    const hello = `${protocol === 'smtp' ? 'EHLO' : 'LHLO'} postern.example`;
    assert.deepEqual(session?.commands.slice(0, 4), [
      hello,
      'STARTTLS',
      hello,
      'MAIL FROM:<author@example.net> SIZE=20',
    ]);
    assert.equal(session?.secure, true);
    assert.equal(server.sessions.length, 1);
    assert.deepEqual(events, []);
  });
}

test('what was offered before TLS counts no more', async (t) => {
  const { commands, deliver } = await stage(t, {
    tls: SERVER,
    script: { hello: ['250-scripted.example\n250-SIZE 1\n250-DSN\n250 STARTTLS', '250 scripted.example'] },
  });
  assert.deepEqual(await deliver(), ['250 2.0.0 Ok']);
  assert.ok(commands().includes('MAIL FROM:<author@example.net>'));
});

const untrusted = createTls(true, null, 'postern.example.org');
const others = createTls(true, pem('other-cert.pem'), 'postern.example.org');
const misnamed = createTls(true, pem('cert.pem'), 'mailman.example.org');
const addressed = createTls(true, pem('cert.pem'), null);

for (const [name, tls, given, event] of [
  ['STARTTLS is not offered', required, {}, 'the server does not offer STARTTLS'],
  ['EHLO is refused', required, { script: { hello: ['500 what?'] } }, 'the server does not offer STARTTLS'],
  [
    'STARTTLS is refused',
    required,
    { tls: SERVER, script: { starttls: '454 4.7.0 no TLS today' } },
    'STARTTLS: 454 no TLS today',
  ],
  ['a certificate that nobody we trust has signed', untrusted, { tls: SERVER }, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  ['a certificate signed by another', others, { tls: SERVER }, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  ['a certificate for another name', misnamed, { tls: SERVER }, 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ['a certificate that is not for the address', addressed, { tls: SERVER }, 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ['consent, and then no TLS', required, { tls: SERVER, script: { starttls: all('220 go', raw('')) } }, null],
  ['consent, and then the end', required, { tls: SERVER, script: { starttls: all('220 go', close) } }, 'ECONNRESET'],
] as const) {
  test(`required: ${name}: nothing is sent, 451, and the log says why`, async (t) => {
    const { server, deliver, events } = await stage(t, given, tls);
    const [reply] = await deliver();
    assert.match(reply ?? '', /^451 4\.(7\.5|4\.2) /);
    if (event !== null) {
      assert.equal(reply, INSECURE);
      assert.deepEqual(events, [`downstream-failed tls insecure: ${event}`]);
    }
    for (const { commands } of server.sessions) assert.ok(!commands.some((line) => /^(MAIL|RCPT|DATA)/.test(line)));
  });
}

test('words in plain text behind the consent are not taken for words said over TLS', async (t) => {
  const starttls = all(raw('220 go\r\n250 injected\r\n'), { kind: 'secure' });
  const { server, deliver, events } = await stage(t, { tls: SERVER, script: { starttls } });
  assert.match((await deliver())[0] ?? '', /^451 4\.5\.0 /);
  assert.deepEqual(events, ['downstream-failed tls misplaced: null']);
  assert.ok(!server.sessions[0]?.commands.some((line) => line.startsWith('MAIL')));
});

test('a handshake without an end is silence', async (t) => {
  const { deliver, events } = await stage(t, { tls: SERVER, script: { starttls: all('220 go', hang) } });
  assert.match((await deliver())[0] ?? '', /^451 4\.4\.2 .*in time/);
  assert.deepEqual(events, ['downstream-failed tls silent: null']);
});

test('421 to STARTTLS: the server is not available', async (t) => {
  const { deliver, events } = await stage(t, { tls: SERVER, script: { starttls: '421 4.3.2 later' } }, opportunistic);
  assert.match((await deliver())[0] ?? '', /^451 4\.3\.2 /);
  assert.deepEqual(events, ['downstream-failed tls refused: 421 later']);
});

test('opportunistic: over TLS whatever the certificate', async (t) => {
  const { server, deliver, events } = await stage(t, { tls: SERVER }, opportunistic);
  assert.deepEqual(await deliver(), ['250 2.0.0 Ok']);
  assert.equal(server.sessions[0]?.secure, true);
  assert.deepEqual(events, []);
});

for (const [name, given] of [
  ['is not offered', {}],
  ['is refused', { tls: SERVER, script: { starttls: '454 4.7.0 no TLS today' } }],
] as const) {
  test(`opportunistic: in plain text where TLS ${name}, on the same connection`, async (t) => {
    const { server, deliver, events } = await stage(t, given, opportunistic);
    assert.deepEqual(await deliver(), ['250 2.0.0 Ok']);
    assert.equal(server.sessions.length, 1);
    assert.deepEqual(events, []);
  });
}

test('opportunistic: in plain text on a fresh connection where the handshake fails, and the log says so', async (t) => {
  const tls = createSecureContext({ cert: pem('cert.pem'), key: pem('key.pem'), ...NOTHING_IN_COMMON });
  const { server, deliver, events } = await stage(t, { tls }, opportunistic);
  assert.deepEqual(await deliver(), ['250 2.0.0 Ok']);
  assert.equal(server.sessions.length, 2);
  assert.match(events[0] ?? '', /^downstream-plain-text tls insecure: ERR_SSL_/);
  assert.equal(events.length, 1);
});

test('without tls STARTTLS is not said, whoever offers it', async (t) => {
  const { server, deliver } = await bench(t, { protocol: 'smtp', tls: SERVER });
  assert.deepEqual(await deliver(), ['250 2.0.0 Ok']);
  assert.equal(server.sessions[0]?.secure, false);
});
