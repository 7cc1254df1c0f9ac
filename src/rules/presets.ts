/**
 * presets - the presets in a folder, one file each: what lists may extend.
 *
 * Synchronous: read at the start and at a reload, never on the way of a message. A preset that does not load keeps the
 * rulebook from opening, like the system's file: a list must not come to be without rules by a mistake in it.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Diagnostic } from '../core/diagnostic.ts';
import { readText } from '../yaml/file.ts';
import { wholeFile } from '../yaml/place.ts';
import { checkSetFiles } from './check-files.ts';
import { type LoadOptions, loadPreset } from './load.ts';
import { PRESET_ENDING, type Preset, type Presets } from './preset.ts';

export interface OpenedPresets {
  /** Those that load. */
  readonly presets: Presets;
  readonly diagnostics: readonly Diagnostic[];
  /** The text of each file that was read. */
  readonly sources: ReadonlyMap<string, string>;
}

export function openPresets(
  folder: string,
  shared: Pick<LoadOptions, 'downstreams' | 'patterns' | 'ledger' | 'now'>,
): OpenedPresets {
  const presets = new Map<string, Preset>();
  const diagnostics: Diagnostic[] = [];
  const sources = new Map<string, string>();
  const report = (code: 'E_FILE' | 'E_PLACE', file: string, message: string, hint: string): void => {
    diagnostics.push({ code, message, hint, place: wholeFile(file) });
  };
  for (const name of namesIn(folder, report)) {
    const file = join(folder, name);
    if (!name.endsWith(PRESET_ENDING)) {
      if (/\.ya?ml$/i.test(name))
        report('E_PLACE', file, 'nobody can name this preset', `rename it: *${PRESET_ENDING}`);
      continue;
    }
    const read = readText(file);
    diagnostics.push(...read.diagnostics);
    if (read.text === null) continue;
    sources.set(file, read.text);
    const { preset, ...loaded } = loadPreset({ ...shared, file, text: read.text });
    diagnostics.push(...loaded.diagnostics, ...checkSetFiles(loaded.setFiles));
    if (preset !== null) presets.set(preset.name, preset);
  }
  return { presets, diagnostics, sources };
}

function namesIn(
  folder: string,
  report: (code: 'E_FILE', file: string, message: string, hint: string) => void,
): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => !name.startsWith('.'))
      .sort();
  } catch {
    report('E_FILE', folder, 'there is no such folder', 'make it, or take `presets` out');
    return [];
  }
}
