/**
 * unpacked - Debian packages that cannot be installed beside Postfix, unpacked by `.ci/run` below build/packages/NAME.
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

/** The path of a file of the unpacked packages. */
export function unpacked(name: string, file: string): string {
  return resolve('build', 'packages', name, file);
}

/** Why that file cannot be used here, to skip a test with; false where it can. */
export function whyNotUnpacked(name: string, file: string): string | false {
  return existsSync(unpacked(name, file)) ? false : `the packages of ${name} are not unpacked (run .ci/run as root)`;
}
