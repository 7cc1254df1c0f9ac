import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { z } from 'zod';
import type { DiagnosticCode } from '../../src/core/diagnostic.ts';
import { loadYaml } from '../../src/yaml/load.ts';
import { amount, count, duration, flag, frequency, listOf, text } from '../../src/yaml/scalar.ts';
import { validate } from '../../src/yaml/validate.ts';

function read<T>(schema: z.ZodType<T>, given: string) {
  const { document } = loadYaml('f.yaml', `a: ${given}\n`);
  assert.ok(document !== null);
  return validate(document, schema, ['a']);
}

const taken: readonly { schema: z.ZodType; given: string; expect: unknown }[] = [
  { schema: text, given: '5.10', expect: '5.10' },
  { schema: text, given: '" x "', expect: ' x ' },
  { schema: flag, given: 'true', expect: true },
  { schema: flag, given: '"false"', expect: false },
  { schema: count, given: '0', expect: 0 },
  { schema: count, given: '100', expect: 100 },
  { schema: amount(), given: '20 MB', expect: 20 * 1024 * 1024 },
  { schema: amount(), given: '20mb', expect: 20 * 1024 * 1024 },
  { schema: amount(), given: '1.5 KB', expect: 1536 },
  { schema: amount(), given: '2 GB', expect: 2 * 1024 ** 3 },
  { schema: amount(), given: '0 B', expect: 0 },
  { schema: duration, given: '5 minutes', expect: 300_000 },
  { schema: duration, given: '1 minute', expect: 60_000 },
  { schema: duration, given: '90 Seconds', expect: 90_000 },
  { schema: duration, given: '250 milliseconds', expect: 250 },
  { schema: duration, given: '2 hours', expect: 7_200_000 },
  { schema: duration, given: '1 week', expect: 604_800_000 },
  { schema: frequency, given: '20 per day', expect: { count: 20, period: 86_400_000 } },
  { schema: frequency, given: '0 per Hour', expect: { count: 0, period: 3_600_000 } },
  { schema: frequency, given: '5 per 10 minutes', expect: { count: 5, period: 600_000 } },
  { schema: listOf(count), given: '1', expect: [1] },
  { schema: listOf(count), given: '[1, 2]', expect: [1, 2] },
];

for (const { schema, given, expect } of taken) {
  test(`${given} is read`, () => assert.deepEqual(read(schema, given), { value: expect, diagnostics: [] }));
}

const refused: readonly { schema: z.ZodType; given: string; expect: readonly [DiagnosticCode, string | null][] }[] = [
  { schema: text, given: '[a]', expect: [['E_TYPE', 'write one text; if the brackets belong to it: "[a]"']] },
  { schema: flag, given: 'yes', expect: [['E_VALUE', 'write true']] },
  { schema: flag, given: 'Off', expect: [['E_VALUE', 'write false']] },
  { schema: flag, given: 'True', expect: [['E_VALUE', 'write true or false']] },
  { schema: count, given: '-1', expect: [['E_VALUE', 'write digits only, like 100']] },
  { schema: count, given: '1e3', expect: [['E_VALUE', 'write digits only, like 100']] },
  { schema: amount(), given: '20', expect: [['E_AMOUNT', 'add the unit: 20 MB']] },
  { schema: amount(), given: '20 M', expect: [['E_AMOUNT', 'write 20 MB']] },
  { schema: amount(), given: '20 kbytes', expect: [['E_AMOUNT', 'write 20 KB']] },
  { schema: amount(), given: '20 apples', expect: [['E_AMOUNT', 'add the unit: 20 MB']] },
  { schema: amount(), given: 'much', expect: [['E_AMOUNT', 'write a number and B, KB, MB or GB']] },
  { schema: amount(), given: '-1 MB', expect: [['E_AMOUNT', 'write a number and B, KB, MB or GB']] },
  { schema: duration, given: '300', expect: [['E_DURATION', 'add the unit: 300 seconds']] },
  { schema: duration, given: '5m', expect: [['E_DURATION', 'write 5 minutes']] },
  { schema: duration, given: '10 s', expect: [['E_DURATION', 'write 10 seconds']] },
  {
    schema: duration,
    given: '1.5 hours',
    expect: [['E_DURATION', 'write a number and seconds, minutes, hours or days']],
  },
  { schema: duration, given: '3 constructors', expect: [['E_DURATION', 'add the unit: 3 seconds']] },
  { schema: frequency, given: '20', expect: [['E_AMOUNT', 'add the period: 20 per day']] },
  { schema: frequency, given: '20/h', expect: [['E_AMOUNT', 'write 20 per hour']] },
  { schema: frequency, given: '20 a week', expect: [['E_AMOUNT', 'write 20 per week']] },
  {
    schema: frequency,
    given: '20 per fortnight',
    expect: [['E_AMOUNT', 'write 20 per second, minute, hour, day or week']],
  },
  { schema: frequency, given: '20 per 0 days', expect: [['E_AMOUNT', 'write a number and a period, like 20 per day']] },
  { schema: frequency, given: 'often', expect: [['E_AMOUNT', 'write a number and a period, like 20 per day']] },
  { schema: listOf(count), given: 'x', expect: [['E_VALUE', 'write digits only, like 100']] },
  {
    schema: listOf(count),
    given: '[1, x, y]',
    expect: [
      ['E_VALUE', 'write digits only, like 100'],
      ['E_VALUE', 'write digits only, like 100'],
    ],
  },
  { schema: listOf(count), given: '[]', expect: [['E_EMPTY', 'write at least 1 entry']] },
  { schema: listOf(count), given: '{ b: c }', expect: [['E_TYPE', null]] },
];

for (const { schema, given, expect } of refused) {
  test(`${given} is refused`, () => {
    const { value, diagnostics } = read(schema, given);
    assert.equal(value, null);
    assert.deepEqual(
      diagnostics.map(({ code, hint }) => [code, hint]),
      expect,
    );
  });
}
