/**
 * Whose Authentication-Results count, and how many of them.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { factsOf } from './facts.ts';
import { rulesetOf } from './load.ts';

const SPF = 'Authentication-Results: mx.example.org; spf=pass smtp.mailfrom=a.example';
const DMARC = 'Authentication-Results: MX.example.org; dmarc=fail (p=reject)';
const DKIM = 'Authentication-Results: mx.example.org; dkim=pass header.d=a.example; dmarc=pass';
const OTHER = 'Authentication-Results: other.example.org; arc=pass';
const FIELDS = [SPF, 'Received: from a by b', DMARC, OTHER, DKIM].join('\n');

const cases: readonly {
  readonly trust: string;
  readonly holds: readonly string[];
  readonly not: readonly string[];
  readonly saw: string;
}[] = [
  {
    trust: 'mx.example.org',
    holds: ['spf: pass'],
    not: ['dkim: pass', 'dmarc: fail', 'dmarc: pass', 'arc: pass'],
    saw: 'mx.example.org: spf=pass; mx.example.org: dmarc=fail (does not count); other.example.org: arc=pass (does not count); mx.example.org: dkim=pass dmarc=pass (does not count)',
  },
  {
    trust: '{ name: MX.example.org, several: true }',
    holds: ['spf: pass', 'dmarc: fail', 'dmarc_policy: reject', 'dkim: pass'],
    not: ['dmarc: pass', 'arc: pass'],
    saw: 'mx.example.org: spf=pass; mx.example.org: dmarc=fail; other.example.org: arc=pass (does not count); mx.example.org: dkim=pass dmarc=pass',
  },
  {
    trust: '[{ name: mx.example.org, several: false }, other.example.org]',
    holds: ['spf: pass', 'arc: pass'],
    not: ['dkim: pass'],
    saw: 'mx.example.org: spf=pass; mx.example.org: dmarc=fail (does not count); other.example.org: arc=pass; mx.example.org: dkim=pass dmarc=pass (does not count)',
  },
];

for (const { trust, holds, not, saw } of cases) {
  test(`trust_results_from: ${trust}`, async () => {
    const { header } = factsOf({ header: FIELDS });
    for (const [asked, expect] of [...holds.map((one) => [one, true]), ...not.map((one) => [one, false])]) {
      const rule = `{ name: a, when: { auth: { ${asked} } }, then: relay }`;
      const [first] = rulesetOf('system', `version: 1\ntrust_results_from: ${trust}\nbefore: [ ${rule} ]\n`).layers
        .before;
      assert.equal(await first?.clause.test(header), expect, `${asked}`);
      assert.equal(first?.clause.children[0]?.saw(header), saw);
    }
  });
}
