/**
 * list-rulesets - the rulesets of lists, found, compiled and kept when mail comes for them.
 *
 * A file is looked at when it is asked for, at most every two seconds. One that does not load is set aside, told once in
 * the log, and the last good one stays in force; where there is none, the list is without rules that can be applied, which
 * is not the same as without a file. A hundred thousand files nobody writes to cost nothing.
 *
 * A reload makes rulesets anew, for the system's rules, presets and permissions around them may be others: where a file is
 * broken then, its last good text is compiled instead, and its cases are run; if it is not good any more, there is none.
 *
 * What is kept is bounded, and the oldest leaves. The last good version of a broken file leaves with it: the next mail for
 * that list finds the broken file alone and is deferred. That is the price of a bound, and it errs on the safe side: rules
 * that are not known are not guessed, and the client tries again. The same holds after a restart.
 */
import { readFile } from 'node:fs/promises';
import { type Diagnostic, isWarning } from '../core/diagnostic.ts';
import type { Log } from '../core/log.ts';
import { fileVersion } from '../store/file-version.ts';
import { BoundedCache } from '../store/memory.ts';
import { formatDiagnostic } from '../yaml/frame.ts';
import { LARGEST_FILE } from '../yaml/load.ts';
import type { LoadedRuleset } from './load.ts';
import type { Ruleset } from './ruleset.ts';

/** By file, the text of the version that was last in force. Outlives the rulesets made of it. */
export type LastGood = BoundedCache<string>;

export interface ListRulesetsOptions {
  /** `list`: the list whose file it is; null for the default of a domain. */
  readonly load: (file: string, text: string, list: string | null) => LoadedRuleset | Promise<LoadedRuleset>;
  readonly log: Log;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** The disk, where it is left out. */
  readonly files?: RulesFiles;
  /** Its own where it is left out. */
  readonly lastGood?: LastGood;
  /** Rulesets of small files that are kept. */
  readonly maxRulesets?: number;
  /** Told whenever a ruleset is kept no longer: who holds on to it, for how long ever, takes memory that others will get. */
  readonly left?: () => void;
}

/** Both null where there is no file. `unavailable`: why the file's rules cannot be applied. */
export interface FoundRuleset {
  readonly ruleset: Ruleset | null;
  readonly unavailable: string | null;
  /** When the file was looked at, in milliseconds since the epoch. */
  readonly lookedAt: number;
}

/** How the files are reached; tests count what is asked. */
export interface RulesFiles {
  /** A text that changes with the file. Rejects where there is none, or none that may be read. */
  version(file: string): Promise<string>;
  read(file: string): Promise<Buffer>;
}

const ON_DISK: RulesFiles = { version: (file) => fileVersion(file, LARGEST_FILE), read: readFile };

/** Milliseconds for which a file is taken to be unchanged. */
const TRUSTED_FOR = 2000;
/** Places for rulesets. A compiled one takes some fifteen times the memory of its text: with that 160 MB where all are taken. */
const MOST_RULESETS = 5000;
/** Octets of a file for each place that its ruleset takes. */
const PLACE = 2048;
const MOST_ABSENT = 100_000;
const NO_SUCH_FILE: ReadonlySet<unknown> = new Set(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG']);

interface Kept {
  readonly found: FoundRuleset;
  /** Empty where the file could not be read: then it is tried again. */
  readonly version: string;
  /** What was told in the log, so that it is told once; null while all is well. */
  readonly problem: string | null;
}

export function rememberLastGood(maxRulesets = MOST_RULESETS): LastGood {
  return new BoundedCache({ maxEntries: maxRulesets });
}

export class ListRulesets {
  readonly #options: ListRulesetsOptions;
  readonly #files: RulesFiles;
  readonly #kept: BoundedCache<Kept>;
  readonly #lastGood: LastGood;
  /** When a file was found missing; kept apart, so that mail to made-up addresses does not push rulesets out. */
  readonly #absent = new BoundedCache<number>({ maxEntries: MOST_ABSENT });
  readonly #looking = new Map<string, Promise<FoundRuleset>>();

  constructor(options: ListRulesetsOptions) {
    this.#options = options;
    this.#files = options.files ?? ON_DISK;
    const { maxRulesets = MOST_RULESETS, left = () => {} } = options;
    this.#kept = new BoundedCache({ maxEntries: maxRulesets, left });
    this.#lastGood = options.lastGood ?? rememberLastGood(options.maxRulesets);
  }

  /** Never rejects. */
  find(file: string, list: string | null): FoundRuleset | Promise<FoundRuleset> {
    const kept = this.#kept.get(file);
    if (kept !== undefined && this.isTrusted(kept.found.lookedAt)) return kept.found;
    const absentAt = kept === undefined ? this.#absent.get(file) : undefined;
    if (absentAt !== undefined && this.isTrusted(absentAt)) return absent(absentAt);
    const looking = this.#looking.get(file) ?? this.#look(file, list, kept).finally(() => this.#looking.delete(file));
    this.#looking.set(file, looking);
    return looking;
  }

  close(): void {
    this.#kept.close();
    this.#absent.close();
  }

  /** Whether what was found then still holds. */
  isTrusted(lookedAt: number): boolean {
    const age = this.#options.now() - lookedAt;
    return age >= 0 && age < TRUSTED_FOR;
  }

  async #look(file: string, list: string | null, kept: Kept | undefined): Promise<FoundRuleset> {
    const lookedAt = this.#options.now();
    const keep = (fresh: Kept, octets = 0): FoundRuleset => {
      const found = { ...fresh.found, lookedAt };
      this.#kept.set(file, { ...fresh, found }, placesOf(octets));
      return found;
    };
    const setAside = async (version: string, problem: string): Promise<FoundRuleset> => {
      // Where nothing is kept yet, there may be a text from before a reload.
      const text = kept === undefined ? (this.#lastGood.get(file) ?? null) : null;
      const lastGood = text === null ? (kept?.found.ruleset ?? null) : await this.#loadAgain(file, text, list);
      const inForce = lastGood === null ? 'none: mail is deferred' : 'the last good ones';
      if (problem !== kept?.problem || version !== kept.version) {
        this.#options.log.warn('list-rules-set-aside', { file, list, problem, inForce });
      }
      const found = { ruleset: lastGood, unavailable: lastGood === null ? problem : null, lookedAt };
      return keep({ version, problem, found }, text?.length);
    };
    try {
      const version = await this.#files.version(file);
      if (version === kept?.version) return keep(kept);
      const octets = await this.#files.read(file);
      const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(octets);
      const { ruleset, diagnostics } = await this.#options.load(file, text, list);
      if (ruleset === null) {
        const errors = diagnostics.filter((diagnostic) => !isWarning(diagnostic));
        return setAside(
          version,
          errors
            .map((diagnostic) => formatDiagnostic(diagnostic, diagnostic.place.file === file ? text : null))
            .join('\n'),
        );
      }
      logOverdue(diagnostics, this.#options.log);
      if (kept?.problem) this.#options.log.info('list-rules-in-force', { file, list });
      // Made anew, because it may take more places than the one before.
      this.#kept.delete(file);
      this.#lastGood.delete(file);
      this.#lastGood.set(file, text, placesOf(octets.length));
      return keep({ version, problem: null, found: { ruleset, unavailable: null, lookedAt } }, octets.length);
    } catch (error) {
      if (!isMissing(error)) return setAside('', error instanceof Error ? error.message : String(error));
      this.#kept.delete(file);
      this.#lastGood.delete(file);
      this.#absent.set(file, lookedAt);
      return absent(lookedAt);
    }
  }

  /** The ruleset of a text that was good once; null where it is not any more. Never rejects. */
  async #loadAgain(file: string, text: string, list: string | null): Promise<Ruleset | null> {
    try {
      return (await this.#options.load(file, text, list)).ruleset;
    } catch (error) {
      this.#options.log.error('last-good-list-rules', error, { file, list });
      return null;
    }
  }
}

function absent(lookedAt: number): FoundRuleset {
  return { ruleset: null, unavailable: null, lookedAt };
}

function placesOf(octets: number): number {
  return Math.max(1, Math.ceil(octets / PLACE));
}

/** Shadow rules past their day: told when a file is read, so that nobody forgets them. */
export function logOverdue(diagnostics: readonly Diagnostic[], log: Log): void {
  for (const { code, message, place, rule } of diagnostics) {
    if (code === 'W_OVERDUE') log.warn('shadow-rule-overdue', { file: place.file, rule, problem: message });
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && NO_SUCH_FILE.has(error.code);
}
