/**
 * Dates as mail programs write them.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDate } from '../../src/mail/date.ts';

const cases: readonly { given: string; expect: string | null }[] = [
  { given: 'Fri, 21 Nov 1997 09:55:06 -0600', expect: '1997-11-21T15:55:06Z' },
  { given: '21 Nov 97 09:55:06 GMT', expect: '1997-11-21T09:55:06Z' },
  { given: 'Fri, 21 Nov 1997 09(comment):   55  :  06 -0600', expect: '1997-11-21T15:55:06Z' },
  { given: 'Thu, 13 Feb 1969 23:32 -0330', expect: '1969-02-14T03:02:00Z' },
  { given: 'Mon, 1 Jan 2024 00:00:00 +0530 (IST)', expect: '2023-12-31T18:30:00Z' },
  { given: 'Tuesday, 5 March 2024 7:08:09 EST', expect: '2024-03-05T12:08:09Z' },
  { given: '1 Jan 124 00:00:00 Z', expect: '2024-01-01T00:00:00Z' },
  { given: '29 Feb 2024 00:00:00 XYZ', expect: '2024-02-29T00:00:00Z' },
  { given: '31 Dec 2016 23:59:60 +0000', expect: '2017-01-01T00:00:00Z' },
  { given: '1 Jan 2024 (a (b) \\) c) 00:00:00 +0000', expect: '2024-01-01T00:00:00Z' },
  { given: '29 Feb 2023 00:00:00 +0000', expect: null },
  { given: '1 Foo 2024 00:00:00 +0000', expect: null },
  { given: '1 Jan 2024 24:00:00 +0000', expect: null },
  { given: '2024-01-01T00:00:00Z', expect: null },
  { given: 'yesterday', expect: null },
  { given: '', expect: null },
];

for (const { given, expect } of cases) {
  test(`parseDate: ${given}`, () => {
    assert.equal(parseDate(given), expect === null ? null : Date.parse(expect));
  });
}
