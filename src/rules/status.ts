/**
 * status - enhanced status codes that a rule may give (RFC 3463), and the reply code that goes with each.
 *
 * The pairs are those of the IANA registry of enhanced status codes (RFC 5248) where it names one, else what mail servers
 * commonly send.
 */
import type { z } from 'zod';
import type { EnhancedStatusCode } from '../core/reply.ts';
import { scalar } from '../yaml/scalar.ts';

const SHAPE = /^([245])\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})$/;

/** By code, else by its class and subject, else by its class. */
const REPLY_CODES: Readonly<Record<string, number>> = {
  '4': 451,
  '4.1': 450,
  '4.2': 450,
  '4.2.2': 452,
  '4.3.1': 452,
  '4.5.3': 452,
  '5': 550,
  '5.1.3': 553,
  '5.1.7': 553,
  '5.1.10': 556,
  '5.2.2': 552,
  '5.2.3': 552,
  '5.3': 554,
  '5.3.4': 552,
  '5.4': 554,
  '5.5': 554,
  '5.6': 554,
  '5.6.7': 553,
  '5.6.11': 550,
};

export function replyCode(status: EnhancedStatusCode): number {
  const [level = '5', subject = ''] = status.split('.');
  return REPLY_CODES[status] ?? REPLY_CODES[`${level}.${subject}`] ?? REPLY_CODES[level] ?? 550;
}

/** An enhanced status code of that class: 5 for a permanent failure, 4 for a transient one. */
export function statusOfClass(level: 4 | 5): z.ZodType<EnhancedStatusCode> {
  const usual = `${level}.7.1`;
  return scalar<EnhancedStatusCode>(
    'enhanced status code',
    [usual],
    (source) => {
      if (SHAPE.test(source) && source.startsWith(`${level}.`)) return { value: source as EnhancedStatusCode };
      const message = SHAPE.test(source)
        ? `${source} is not a code of class ${level}, which ${level === 5 ? 'reject' : 'defer'} needs`
        : `expected an enhanced status code like ${usual}, found "${source}"`;
      if (level === 5 && source.startsWith('4')) {
        const hint = 'to refuse for now write defer in place of reject; else a code that begins with 5, like 5.7.1';
        return { problem: { code: 'E_STATUS', message, hint } };
      }
      const hint = /^[245]\d\d$/.test(source)
        ? `write one like ${usual}; the reply code follows from it`
        : `write a code that begins with ${level}, like ${usual}`;
      return { problem: { code: 'E_STATUS', message, hint } };
    },
    `^${level}[.][0-9]+[.][0-9]+$`,
  );
}
