/**
 * shown-path - a path as people want to read it: relative to the working folder where the file is below that, whole where
 * it is not.
 */
import { isAbsolute, relative } from 'node:path';

export function shownPath(file: string): string {
  const below = relative(process.cwd(), file);
  return below === '' || below.startsWith('..') || isAbsolute(below) ? file : below;
}
