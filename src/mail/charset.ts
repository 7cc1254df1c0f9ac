/**
 * charset - octets of a named charset as text. libmime knows the charsets; its tables take 13 MB, so they are loaded with
 * the first message that needs them: most are UTF-8. A charset that nobody knows is taken for UTF-8.
 */
import { createRequire } from 'node:module';

const load = createRequire(import.meta.url);
let library: Pick<typeof import('libmime/lib/charset.js'), 'decode'> | null = null;

/** What it decodes as UTF-8 without its tables. */
const UTF8 = /^utf-?8$/i;

export function decodeCharset(octets: Buffer, charset: string): string {
  if (UTF8.test(charset)) return octets.toString('utf8');
  library ??= load('libmime/lib/charset.js') as Pick<typeof import('libmime/lib/charset.js'), 'decode'>;
  return library.decode(octets, charset);
}
