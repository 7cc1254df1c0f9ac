/**
 * links - the hosts to which the links of a text lead.
 *
 * In plain text a link begins with `http://`, `https://`, `ftp://` or `www.`; in HTML it is what an element points to.
 * Hosts are read as browsers read them (WHATWG URL), so user information, odd slashes and encoded letters deceive nobody.
 */

const MOST_HOSTS = 1000;
const LONGEST_URL = 4096;
const IN_TEXT = /(?:\b(?:https?|ftp):[\\/]{2}|\bwww\.)[^\s<>"]+/gi;
/** Where relative links lead; not a host that can exist (RFC 6761 section 6.4). */
const NOWHERE = 'relative.invalid';
const WEB = new Set(['http:', 'https:', 'ftp:']);

/** Hosts in lower case, as A-labels, without a final dot, each once. */
export function hostsOf(text: string, links: readonly string[]): readonly string[] {
  const hosts = new Set<string>();
  const take = (link: string): boolean => {
    const host = hostOf(link);
    if (host !== null) hosts.add(host);
    return hosts.size < MOST_HOSTS;
  };
  if (!links.every(take)) return [...hosts];
  for (const [link] of text.matchAll(IN_TEXT)) {
    if (!take(/^www\./i.test(link) ? `http://${link}` : link.replace(/[)\].,;:!?'*]+$/, ''))) break;
  }
  return [...hosts];
}

function hostOf(link: string): string | null {
  if (link.length > LONGEST_URL) return null;
  try {
    const { protocol, hostname } = new URL(link, `http://${NOWHERE}/`);
    const host = hostname.endsWith('.') ? hostname.slice(0, -1) : hostname;
    return WEB.has(protocol) && host !== '' && host !== NOWHERE ? host : null;
  } catch {
    return null;
  }
}
