/**
 * routes - which downstream a recipient goes to where no rule names one: first match wins.
 *
 * Patterns are matched against the whole address without regard to case: `*` stands for any characters, `?` for one.
 */
import type { Mailbox } from '../core/mailbox.ts';

export interface Route {
  /** Patterns in lower case; null takes every recipient. */
  readonly recipients: readonly string[] | null;
  /** The name of a downstream. */
  readonly to: string;
}

/** The name of the downstream for `mailbox`. The last route takes every recipient: the configuration sees to that. */
export function routeOf(routes: readonly Route[], mailbox: Mailbox): string {
  let address: string | null = null;
  for (const { recipients, to } of routes) {
    if (recipients === null) return to;
    address ??= `${mailbox.localPart}@${mailbox.domain}`.toLowerCase();
    for (const pattern of recipients) if (matches(pattern, address)) return to;
  }
  throw new Error('no route takes every recipient');
}

/**
 * Whether the whole of `text` is like `pattern`. After a mismatch only the last `*` takes one more character: what stood
 * before it need not be tried again, so the work is at most the product of both lengths.
 */
export function matches(pattern: string, text: string): boolean {
  let [p, t] = [0, 0];
  let star = -1;
  let resume = 0;
  while (t < text.length) {
    const wanted = pattern[p];
    if (wanted === '*') {
      star = p;
      resume = t;
      p += 1;
    } else if (wanted === '?' || (wanted !== undefined && wanted === text[t])) {
      t += wanted === '?' && (text.codePointAt(t) ?? 0) > 0xffff ? 2 : 1;
      p += 1;
    } else if (star >= 0) {
      resume += 1;
      t = resume;
      p = star + 1;
    } else {
      return false;
    }
  }
  return /^\**$/.test(pattern.slice(p));
}
