/**
 * canonical - one form for addresses that reach the same person, as far as the author of a set says so.
 *
 * `detail` cuts the local-part at its first `+`, `dots` takes the dots out of it. What a domain does with them is for that
 * domain to say, and nothing is guessed: dots fall only for domains that are named.
 */
export const CANONICAL_STEPS = ['detail', 'dots'] as const;
export type CanonicalStep = (typeof CANONICAL_STEPS)[number];

export interface CanonicalProfile {
  /** By the key of the domain (`domainKey`). */
  readonly domains: ReadonlyMap<string, readonly CanonicalStep[]>;
  /** For all other domains. */
  readonly others: readonly CanonicalStep[];
}

/** The canonical form of a key that `addressKey` made; itself where nothing applies. */
export function canonicalKey({ domains, others }: CanonicalProfile, key: string): string {
  const at = key.lastIndexOf('@');
  const steps = domains.get(key.slice(at + 1)) ?? others;
  if (steps.length === 0) return key;
  let localPart = key.slice(0, at);
  if (steps.includes('detail')) localPart = withoutDetail(localPart);
  if (steps.includes('dots')) localPart = localPart.replaceAll('.', '') || localPart;
  return localPart + key.slice(at);
}

function withoutDetail(localPart: string): string {
  const plus = localPart.indexOf('+', 1);
  return plus === -1 ? localPart : localPart.slice(0, plus);
}
