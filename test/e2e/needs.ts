/**
 * needs - what a test cannot do without, so that it can say why it was skipped.
 */
import { existsSync } from 'node:fs';

/** Debian package -> the full path of a program of it. */
export type Packages = Readonly<Record<string, string>>;

/** Why a server of its own cannot be started here, to skip a test with; false where it can. */
export function whyNot(packages: Packages): string | false {
  if (process.getuid?.() !== 0) return 'not run as root: mail servers of our own cannot be started';
  const missing = Object.entries(packages).filter(([, program]) => !existsSync(program));
  if (missing.length === 0) return false;
  return `not installed: ${missing.map(([name, program]) => `${program} (Debian package ${name})`).join(', ')}`;
}
