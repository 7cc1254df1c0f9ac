/**
 * Hours and days by the clock of a time zone, over midnight and over the change to summer time.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hours, isWithin, weekday, zone } from '../../src/rules/time-span.ts';

const clocks: readonly { zone: string; now: string; expect: string }[] = [
  { zone: 'UTC', now: '2026-03-04T00:00:00Z', expect: 'wednesday 0' },
  { zone: 'UTC', now: '2026-03-04T23:59:59.999Z', expect: 'wednesday 1439' },
  { zone: 'Europe/Berlin', now: '2026-03-29T00:59:00Z', expect: 'sunday 119' },
  { zone: 'Europe/Berlin', now: '2026-03-29T01:00:00Z', expect: 'sunday 180' },
  { zone: 'America/New_York', now: '2026-03-02T02:30:00Z', expect: 'sunday 1290' },
  { zone: 'Asia/Kathmandu', now: '2026-03-07T18:15:00Z', expect: 'sunday 0' },
];

for (const { zone: name, now, expect } of clocks) {
  test(`${now} in ${name}`, () => {
    const { day, minute } = zone.parse(name).clock(Date.parse(now));
    assert.equal(`${day} ${minute}`, expect);
  });
}

const spans: readonly { span: string; inside: readonly number[]; outside: readonly number[] }[] = [
  { span: '08:00-17:30', inside: [480, 1049], outside: [479, 1050] },
  { span: '22:00-06:00', inside: [1320, 1439, 0, 359], outside: [1319, 360] },
  { span: '18:00-24:00', inside: [1080, 1439], outside: [1079, 0] },
  { span: '9:00 - 9:01', inside: [540], outside: [539, 541] },
];

for (const { span, inside, outside } of spans) {
  test(`hours ${span}`, () => {
    const parsed = hours.parse(span);
    for (const minute of inside) assert.ok(isWithin(parsed, minute), String(minute));
    for (const minute of outside) assert.ok(!isWithin(parsed, minute), String(minute));
  });
}

test('what is no span of hours, no day, no zone', () => {
  for (const text of ['24:00-08:00', '08:00-08:00', '08:60-09:00', '08:00-25:00', '8-17', ''])
    assert.ok(!hours.safeParse(text).success, text);
  for (const text of ['mo', 'mond', 'weekend', '']) assert.ok(!weekday.safeParse(text).success, text);
  for (const text of ['+01:00', 'Berlin', '']) assert.ok(!zone.safeParse(text).success, text);
  assert.equal(weekday.parse('Mon'), 'monday');
});
