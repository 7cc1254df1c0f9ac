/**
 * time - asks the day of the week and the hour at which the transaction began, by the clock of a named time zone.
 */
import { z } from 'zod';
import { listOf } from '../../yaml/scalar.ts';
import { defineCondition } from '../condition.ts';
import { askNothing } from '../match.ts';
import { hours, isWithin, weekday, zone } from '../time-span.ts';

const WEDNESDAY_NOON = { now: '2026-03-04T12:00:00Z' };

export const time = defineCondition({
  name: 'time',
  summary: 'Asks the day of the week and the time of day; a span that ends before it begins goes over midnight.',
  reference: null,
  phase: 'envelope',
  argument: z
    .strictObject({
      weekday: listOf(weekday)
        .optional()
        .meta({ description: 'The days on which it holds.', examples: ['[saturday, sunday]'] }),
      hours: listOf(hours)
        .optional()
        .meta({
          description: 'The hours in which it holds; the last minute belongs to it no more.',
          examples: ['"22:00-06:00"'],
        }),
      zone: zone.describe('The name of the time zone, such as Europe/Berlin.'),
    })
    .refine((words) => words.weekday !== undefined || words.hours !== undefined, askNothing('hours: "22:00-06:00"')),
  examples: [
    { argument: '{ weekday: [wed, thursday], zone: UTC }', given: WEDNESDAY_NOON, expect: true },
    { argument: '{ weekday: [saturday, sunday], zone: UTC }', given: WEDNESDAY_NOON, expect: false },
    { argument: '{ hours: "12:00-13:00", zone: UTC }', given: WEDNESDAY_NOON, expect: true },
    { argument: '{ hours: "11:00-12:00", zone: UTC }', given: WEDNESDAY_NOON, expect: false },
    { argument: '{ hours: "21:00-02:00", zone: Asia/Tokyo }', given: WEDNESDAY_NOON, expect: true },
    { argument: '{ hours: "14:00-15:00", zone: Europe/Berlin }', given: { now: '2026-07-01T12:30:00Z' }, expect: true },
    {
      argument: '{ weekday: thursday, hours: "00:00-06:00", zone: Asia/Tokyo }',
      given: { now: '2026-03-04T20:00:00Z' },
      expect: true,
    },
  ],
  compile({ weekday: days, hours: spans, zone: { clock } }) {
    return ({ now }) => {
      const { day, minute } = clock(now);
      if (days !== undefined && !days.includes(day)) return false;
      return spans === undefined || spans.some((span) => isWithin(span, minute));
    };
  },
  saw({ now }, { zone: { clock } }) {
    const { day, minute } = clock(now);
    const two = (n: number): string => String(n).padStart(2, '0');
    return `${day} ${two(Math.floor(minute / 60))}:${two(minute % 60)}`;
  },
});
