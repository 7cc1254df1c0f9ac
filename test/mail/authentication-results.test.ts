/**
 * Authentication-Results as MTAs write them, and as nobody should: RFC 8601 and the tests of two other parsers.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type AuthenticationResults,
  type MethodResult,
  parseAuthenticationResults,
} from '../../src/mail/authentication-results.ts';

/** One result on a line: `dkim=pass reason="x" header.d=example.net (comment)`. */
function print({ method, result, reason, properties, comments }: MethodResult): string {
  return [
    `${method}=${result}`,
    ...(reason === null ? [] : [`reason=${JSON.stringify(reason)}`]),
    ...properties.map(({ type, name, value }) => `${type}.${name}=${value}`),
    ...comments.map((comment) => `(${comment})`),
  ].join(' ');
}

const cases: readonly { given: string; expect: readonly string[] | null }[] = [
  { given: 'mx.example.org; none', expect: ['mx.example.org'] },
  { given: 'MX.example.org 1; SPF=Pass SMTP.MailFrom=Ann', expect: ['mx.example.org', 'spf=pass smtp.mailfrom=Ann'] },
  { given: 'mx.example.org 2; spf=pass', expect: ['mx.example.org'] },
  { given: '"mx example"; spf/1 = pass', expect: ['mx example', 'spf=pass'] },
  { given: 'mx; spf/2=pass; dkim=pass', expect: ['mx', 'dkim=pass'] },
  {
    given: '(a (b) c) mx (d) ; (e) dmarc (f) = (g) fail (p=reject) header.from=x',
    expect: ['mx', 'dmarc=fail header.from=x (p=reject)'],
  },
  {
    given: 'mx; dkim=fail reason="a; \\"b\\"" header.b=Qgi/FoC0=',
    expect: ['mx', 'dkim=fail reason="a; \\"b\\"" header.b=Qgi/FoC0='],
  },
  { given: 'mx; spf=pass smtp.mailfrom="a b"@example.net', expect: ['mx', 'spf=pass smtp.mailfrom=a b@example.net'] },
  { given: 'mx; spf=pass (a; dkim=pass', expect: ['mx', 'spf=pass (a; dkim=pass)'] },
  { given: 'mx; =pass; spf; dkim=pass; arc=', expect: ['mx', 'dkim=pass'] },
  { given: 'mx; spf=pass "; dkim=pass', expect: ['mx', 'spf=pass'] },
  { given: 'mx', expect: ['mx'] },
  { given: '', expect: null },
  { given: '; spf=pass', expect: null },
  { given: 'mx foo; spf=pass', expect: ['mx'] },
  { given: 'spf=pass smtp.mailfrom=x; mx; dkim=pass', expect: ['spf'] },
];

for (const { given, expect } of cases) {
  test(`parseAuthenticationResults: ${given}`, () => {
    const parsed = parseAuthenticationResults(given);
    assert.deepEqual(parsed && [parsed.authservId, ...parsed.results.map(print)], expect);
  });
}

test('property: nothing throws, and only words come out', () => {
  const piece = fc.constantFrom(
    'mx',
    ';',
    '=',
    'spf',
    'pass',
    ' ',
    '(',
    ')',
    '"',
    '\\',
    '/',
    '1',
    '.',
    'a.b=c',
    '\t',
    'é',
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(piece, { maxLength: 20 }).map((some) => some.join('')),
      ),
      (given) => {
        for (const { method, result } of parseAuthenticationResults(given)?.results ?? [])
          assert.match(`${method}=${result}`, /^[a-z0-9-]+=[a-z0-9-]+$|"/);
      },
    ),
    { numRuns: 500, seed: 1 },
  );
});

const FOLDER = resolve('..', 'shared', 'corpus', 'tables', 'authres');
const read = (name: string): readonly string[] => readFileSync(join(FOLDER, name), 'utf8').trim().split('\n');
const bodyOf = (header: string): string =>
  header
    .replace(/^Authentication-Results:/, '')
    .replace(/\s+/g, ' ')
    .trim();

/** What `key` of the vectors names; null for what is only another form of it. */
function part({ authservId, results }: AuthenticationResults, key: string): string | undefined | null {
  if (key === 'authserv_id') return authservId;
  const [, index = '', path = ''] = /^results\[(\d)\]\.(.+)$/.exec(key) ?? [];
  const result = results[Number(index)];
  if (path === 'method' || path === 'result') return result?.[path];
  if (path === 'reason') return result?.reason ?? 'None';
  const [, position = '', name = ''] = /^properties\[(\d)\]\.(type|name|value)$/.exec(path) ?? [];
  const property = result?.properties[Number(position)];
  return name === '' ? null : name === 'type' ? property?.type : name === 'name' ? property?.name : property?.value;
}

test('the examples of the Python package authres', (t) => {
  if (!existsSync(FOLDER)) return t.skip(`no corpus at ${FOLDER}`);
  let compared = 0;
  for (const line of read('authres-python.jsonl')) {
    const { header, expect } = JSON.parse(line) as { header: string; expect: readonly (readonly [string, string])[] };
    const parsed = parseAuthenticationResults(bodyOf(header));
    assert.ok(parsed !== null, header);
    const seen = new Set<string>();
    for (const [key, value] of expect) {
      // What is said twice is said of another header of the same document.
      if (seen.has(key)) break;
      seen.add(key);
      const ours = part(parsed, key);
      if (ours === null) continue;
      compared += 1;
      assert.equal(ours, value, `${key} of ${header}`);
    }
  }
  assert.ok(compared > 80, `${compared} compared`);
});

/** What Mail::AuthenticationResults reads and RFC 8601 section 2.2 does not: no authserv-id, or no `;` behind it. */
const NOT_CONFORMANT = /^spf=pass|^mta4011\.mail\.gq1\.yahoo\.com +from=/;

test('the examples of Mail::AuthenticationResults', (t) => {
  if (!existsSync(FOLDER)) return t.skip(`no corpus at ${FOLDER}`);
  let compared = 0;
  for (const line of read('mail-authenticationresults.jsonl')) {
    const vector = JSON.parse(line) as {
      readonly header: string;
      readonly parses?: boolean;
      readonly authserv_id?: string;
      readonly has?: readonly (readonly [string, string])[];
    };
    const value = bodyOf(vector.header);
    const parsed = parseAuthenticationResults(value);
    if (vector.parses !== undefined) {
      compared += 1;
      assert.deepEqual(parsed?.results ?? [], [], value);
    } else if (NOT_CONFORMANT.test(value)) {
      compared += 1;
      assert.deepEqual(parsed?.results, [], value);
    } else if (vector.authserv_id !== undefined) {
      compared += 1;
      const told = parsed?.results.flatMap(({ method, result, properties }) => [
        `${method} ${result}`,
        ...properties.map(({ type, name, value: text }) => `${type}.${name} ${text}`),
      ]);
      assert.equal(parsed?.authservId, vector.authserv_id, value);
      for (const [key, text] of vector.has ?? [])
        assert.ok(told?.includes(`${key} ${text}`), `${key} ${text} of ${value}`);
    }
  }
  assert.ok(compared >= 20, `${compared} compared`);
});
