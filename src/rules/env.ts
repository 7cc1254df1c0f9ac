/**
 * env - what a condition or an action may use while it is compiled: the sets and patterns of its file, and a way to report
 * what is wrong with its argument.
 */
import type { DiagnosticCode } from '../core/diagnostic.ts';
import type { Canonical } from '../store/address.ts';
import type { Ledger } from '../store/ledger.ts';
import type { Store } from '../store/store.ts';
import type { YamlPath } from '../yaml/tree.ts';
import type { FilePatterns } from './pattern.ts';
import type { PatternFile } from './pattern-file.ts';

/** Whose file: the system's, which may do everything, or a list's, which may only tighten for its own list. */
export type Scope = 'system' | 'list';

/** What the members of a set are: addresses of people, or IP addresses. */
export type SetKind = 'mailboxes' | 'networks';

/** A server whose Authentication-Results are believed. */
export interface TrustedServer {
  /** Its authserv-id, in lower case. */
  readonly name: string;
  /** Whether all its fields count, and not the topmost alone. */
  readonly several: boolean;
}

export interface NamedSet {
  readonly kind: SetKind;
  readonly store: Store;
  /** Applied to a key before it is looked up. */
  readonly canonical: Canonical;
}

/** What the match words use. */
export interface MatchEnv {
  readonly scope: Scope;
  /** Whether each list counts for itself: in its file, and in the presets that it extends. */
  readonly perList: boolean;
  /** The name of the rule, for `{rule}` and for what it counts. */
  readonly rule: string;
  /** The names that `relay: NAME` may say. */
  readonly downstreams: readonly string[];
  /** Those of them that `quarantine: NAME` may say. */
  readonly maildirs: readonly string[];
  /** Whose Authentication-Results count. */
  readonly trustResultsFrom: readonly TrustedServer[];
  readonly patterns: FilePatterns;
  /** What is remembered between transactions. */
  readonly ledger: Ledger;
  readonly setNames: readonly string[];
  /** The set of that name, which counts as used from now on. */
  set(name: string): NamedSet | undefined;
  /** Reports a problem of the argument; `at` is the path within it. The file does not load then. */
  report(code: DiagnosticCode, message: string, hint: string | null, at?: YamlPath): void;
}

export interface CompileEnv extends MatchEnv {
  /** The file of patterns at `path`, relative to the file that names it; `at` is the path of that within the argument. */
  patternFile(path: string, at?: YamlPath): PatternFile;
}
