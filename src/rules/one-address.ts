/**
 * one-address - one mailbox as people write it in YAML: `gardeners@lists.example.org`, without a name and without brackets.
 */
import type { z } from 'zod';
import type { Mailbox } from '../core/mailbox.ts';
import { parseAddressList } from '../mail/address-list.ts';
import { scalar } from '../yaml/scalar.ts';
import type { CompileEnv } from './env.ts';
import { ADDRESS_HINT } from './members.ts';

/** Octets of the longest path, without its brackets (RFC 5321 section 4.5.3.1.3). */
const LONGEST = 254;

/** One address as it would stand in RCPT, without brackets; null if it is none. */
export function readMailbox(source: string): Mailbox | null {
  const [mailbox, ...more] = parseAddressList(source);
  const one = mailbox !== undefined && more.length === 0 && mailbox.localPart !== '' && mailbox.domain !== '';
  return one && !/[\s<>\p{Cc}]/u.test(source) && Buffer.byteLength(source) <= LONGEST ? mailbox : null;
}

export const oneAddress: z.ZodType<Mailbox> = scalar('address', ['gardeners@lists.example.org'], (source) => {
  const value = readMailbox(source);
  if (value !== null) return { value };
  const hint = source.includes('{') ? 'an address is taken as it stands: write it out' : ADDRESS_HINT;
  return { problem: { code: 'E_ADDRESS', message: `"${source}" is not an address`, hint } };
});

/** Reports an address that means to depend on the message: whoever writes a message must not say where it goes. */
export function reportPlaceholder({ localPart, domain }: Mailbox, env: CompileEnv, action: string): void {
  if (!/\{[a-z_]+\}/i.test(`${localPart}@${domain}`)) return;
  const message = 'an address is taken as it stands: it knows no {names}';
  env.report('E_PLACEHOLDER', message, 'write the address out, in a rule for each list', [action]);
}
