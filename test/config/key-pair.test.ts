import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { keyPairReader } from '../../src/config/key-pair.ts';
import { parseConfig } from '../../src/config/load.ts';

const FOLDER = join('test', 'support', 'certificate');
const at = (name: string): string => join(FOLDER, name);

const problems: readonly { name: string; cert: string; key: string; expect: readonly string[] }[] = [
  { name: 'both are missing', cert: 'no.pem', key: 'nor.pem', expect: ['cert: no such file', 'key: no such file'] },
  { name: 'a folder', cert: '.', key: 'key.pem', expect: ['cert: a folder'] },
  {
    name: 'the two exchanged',
    cert: 'key.pem',
    key: 'cert.pem',
    expect: ['cert: no certificate', 'key: no private key'],
  },
  { name: "another's key", cert: 'cert.pem', key: 'other-key.pem', expect: ['key: does not belong'] },
  { name: 'a passphrase', cert: 'cert.pem', key: 'locked-key.pem', expect: ['key: passphrase'] },
];

for (const { name, cert, key, expect } of problems) {
  test(`a key pair that cannot be used: ${name}`, () => {
    const read = keyPairReader()(at(cert), at(key));
    assert.ok(!('certificate' in read));
    assert.equal(read.length, expect.length);
    for (const [index, wanted] of expect.entries()) {
      const [of = '', words = ''] = wanted.split(': ');
      assert.equal(read[index]?.of, of);
      assert.ok(read[index]?.message.includes(words), read[index]?.message);
    }
  });
}

test('a key pair is read with the configuration that names it', () => {
  const text = `
version: 1
listen: [{ smtp: 127.0.0.1:10025, tls: { cert: cert.pem, key: key.pem } }]
downstreams: { test: { lmtp: 127.0.0.1:8024 } }
routes: [{ to: test }]
`;
  const { config, diagnostics } = parseConfig(join(FOLDER, 'postern.yaml'), text);
  assert.deepEqual(diagnostics, []);
  const tls = config?.listen[0]?.tls;
  assert.match(tls?.certificate ?? '', /^-----BEGIN CERTIFICATE-----/);
  assert.match(tls?.privateKey ?? '', /^-----BEGIN PRIVATE KEY-----/);
});
