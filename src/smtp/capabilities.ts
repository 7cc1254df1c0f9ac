/**
 * capabilities - what a server offers: its reply to EHLO or LHLO (RFC 5321 section 4.1.1.1).
 *
 * The first line holds the server's name; each further line a keyword, without case, and its parameters. A reply to
 * HELO has one line and so offers nothing.
 */
import type { Reply } from '../core/reply.ts';

export interface Capabilities {
  /** Whether the keyword, in upper case, is offered. */
  has(keyword: string): boolean;
  /** What stands behind the keyword; null where it is not offered or nothing stands there. */
  argument(keyword: string): string | null;
}

/** Of a server that has not been asked yet. */
export const NO_CAPABILITIES: Capabilities = { has: () => false, argument: () => null };

export function parseCapabilities(reply: Reply): Capabilities {
  const offered = new Map<string, string>();
  for (const line of reply.text.split('\n').slice(1)) {
    const [, keyword = '', argument = ''] = /^\s*(\S*)\s*(.*?)\s*$/.exec(line) ?? [];
    if (keyword !== '') offered.set(keyword.toUpperCase(), argument);
  }
  return {
    has: (keyword) => offered.has(keyword),
    argument: (keyword) => offered.get(keyword) || null,
  };
}
