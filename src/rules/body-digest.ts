/**
 * body-digest - tells bodies apart without keeping them: octets behind the header section, as they travel.
 *
 * Read slice by slice, once for each message however many rules ask.
 */
import { createHash } from 'node:crypto';
import type { Content, Message } from '../core/message.ts';

const known = new WeakMap<Content, Promise<string | null>>();

/** Null for a body of white space alone, which says nothing about the message. */
export function bodyDigest({ header, content }: Message): Promise<string | null> {
  const started = known.get(content) ?? digest(content, header.size);
  known.set(content, started);
  return started;
}

async function digest(content: Content, start: number): Promise<string | null> {
  const hash = createHash('sha256');
  let skip = start;
  let blank = true;
  for await (const slice of content.slices()) {
    const octets = slice.subarray(Math.min(skip, slice.length));
    skip -= slice.length - octets.length;
    hash.update(octets);
    blank &&= octets.every(isBlank);
  }
  return blank ? null : hash.digest('base64url');
}

function isBlank(octet: number): boolean {
  return octet === 0x20 || (octet >= 0x09 && octet <= 0x0d);
}
