/**
 * Authentication-Results as MTAs write them, and as nobody should: RFC 8601 and the tests of two other parsers.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type MethodResult, parseAuthenticationResults } from '../../src/mail/authentication-results.ts';

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
