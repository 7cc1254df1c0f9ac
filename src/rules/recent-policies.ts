/**
 * recent-policies - the policies of the addresses that mail came for last: an address is not taken apart, nor its rules looked
 * for, anew for each recipient.
 *
 * Whoever keeps a policy here lets it go when its rules leave the memory, and asks whether it still holds. Bounded; only
 * addresses of the form that lists have are kept, so that bounces and cookies, each of an address of its own, push nobody out.
 */
import type { Mailbox } from '../core/mailbox.ts';
import type { Policy } from './policy.ts';

export interface RecentPolicy {
  readonly policy: Policy;
  /** When the files that its rules are from were looked at; null where no file can make it another one. */
  readonly lookedAt: number | null;
}

/** Then all are forgotten: some 3 MB. */
const MOST = 5000;
const LOCAL_PART = /^[A-Za-z\d._-]{1,64}$/;
const DOMAIN = /^[a-z\d.-]{1,255}$/;

export class RecentPolicies {
  /** By domain, then by local-part: to make one key of both takes longer than to look twice. */
  readonly #known = new Map<string, Map<string, RecentPolicy>>();
  #size = 0;

  get({ localPart, domain }: Mailbox): RecentPolicy | undefined {
    return this.#known.get(domain)?.get(localPart);
  }

  /** `mailbox` is one of `keepable`. */
  set({ localPart, domain }: Mailbox, recent: RecentPolicy): void {
    if (this.#size >= MOST) this.clear();
    const ofDomain = this.#known.get(domain) ?? new Map<string, RecentPolicy>();
    this.#known.set(domain, ofDomain);
    if (!ofDomain.has(localPart)) this.#size += 1;
    ofDomain.set(localPart, recent);
  }

  clear(): void {
    this.#known.clear();
    this.#size = 0;
  }
}

/** The mailbox as it may be kept; null where it is not. A part of a text keeps all of the text, so it is a copy. */
export function keepable({ localPart, domain }: Mailbox): Mailbox | null {
  if (!LOCAL_PART.test(localPart) || !DOMAIN.test(domain)) return null;
  return { localPart: copyOf(localPart), domain: copyOf(domain) };
}

function copyOf(ascii: string): string {
  return Buffer.from(ascii, 'latin1').toString('latin1');
}
