/**
 * example - a folder of `examples/` brought into a sandbox, its ports and paths replaced by the test's own.
 *
 * What is tested are the very files that a reader copies: a text to be replaced that does not occur is an error.
 */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Sandbox } from './sandbox.ts';

/** Text in the example's file -> text of the test. */
export type Replacements = Readonly<Record<string, string>>;

export class Example {
  readonly folder: string;

  /** The copy is called like the example, or `copy` where a test needs several. */
  constructor(sandbox: Sandbox, name: string, copy: string = name) {
    this.folder = join(sandbox.folder, copy);
    cpSync(resolve('examples', name), this.folder, { recursive: true });
  }

  path(file: string): string {
    return join(this.folder, file);
  }

  /** Changes a file of the copy and gives back its new text. */
  replace(file: string, replacements: Replacements): string {
    let text = readFileSync(this.path(file), 'utf8');
    for (const [from, to] of Object.entries(replacements)) {
      if (!text.includes(from)) throw new Error(`${file} does not hold ${JSON.stringify(from)}`);
      text = text.replaceAll(from, to);
    }
    writeFileSync(this.path(file), text);
    return text;
  }
}
