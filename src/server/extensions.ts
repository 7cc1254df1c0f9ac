/**
 * extensions - what a listener offers in reply to EHLO and LHLO (RFC 5321 section 4.1.1.1), and the commands it has not.
 */
import type { SessionClient } from './session-client.ts';
import type { Site } from './site.ts';
import { XCLIENT_ATTRIBUTES } from './xclient.ts';
import { XFORWARD_ATTRIBUTES } from './xforward.ts';

/** Whether the command, by which a peer names its client, is taken from this one. */
export function takes(command: 'xforward' | 'xclient', site: Site, client: SessionClient): boolean {
  return site.clientFrom === command && client.isTrusted(site);
}

/** Keywords with their arguments; `secure`: TLS is active. */
export function extensions(site: Site, client: SessionClient, secure: boolean): readonly string[] {
  const { size, smtputf8, dsn } = site.offers();
  const offered = ['PIPELINING', `SIZE ${size ?? site.limits.size}`, 'ENHANCEDSTATUSCODES', '8BITMIME'];
  if (smtputf8) offered.push('SMTPUTF8');
  if (dsn) offered.push('DSN');
  if (site.entrance.mixed === 'prdr') offered.push('PRDR');
  if (site.chunking) offered.push('CHUNKING');
  if (!secure && site.tls !== null) offered.push('STARTTLS');
  if (takes('xforward', site, client)) offered.push(`XFORWARD ${XFORWARD_ATTRIBUTES.join(' ')}`);
  if (takes('xclient', site, client)) offered.push(`XCLIENT ${XCLIENT_ATTRIBUTES.join(' ')}`);
  return offered;
}

/** Whether the configuration switches a command off: then it is no command at all. */
export function isSwitchedOff(command: string, { chunking, clientFrom, tls }: Site): boolean {
  if (command === 'BDAT') return !chunking;
  if (command === 'XCLIENT') return clientFrom !== 'xclient';
  return command === 'STARTTLS' && tls === null;
}
