/**
 * diagnostic - an operator's mistake: where it is, what was expected, how to mend it.
 *
 * Returned, never thrown; all problems of a file at once. `yaml/frame.ts` prints them.
 */

/** Lines and columns count from 1; `length` is in columns, at least 1. `line` 0 stands for the file as a whole. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly length: number;
}

/** Stable: people search for them. */
export type DiagnosticCode =
  | 'E_FILE'
  | 'E_FILE_TOO_LARGE'
  | 'E_YAML'
  | 'E_YAML_ALIAS'
  | 'E_YAML_TAG'
  | 'E_YAML_DOCUMENTS'
  | 'E_YAML_DEPTH'
  | 'E_YAML_DUPLICATE_KEY'
  | 'E_CUT_SHORT'
  | 'E_CONTROL_CHARACTER'
  | 'E_EMPTY'
  | 'E_MISSING_KEY'
  | 'E_UNKNOWN_KEY'
  | 'E_TYPE'
  | 'E_VALUE'
  | 'E_AMOUNT'
  | 'E_DURATION'
  | 'E_ADDRESS'
  | 'E_PATTERN'
  | 'E_REFERENCE'
  | 'E_DUPLICATE_NAME'
  | 'E_PLACEHOLDER'
  | 'E_STATUS'
  | 'E_ACTION_ORDER'
  | 'E_NOT_ALLOWED'
  | 'E_PLACE'
  | 'E_TOO_MANY'
  | 'E_LISTEN'
  | 'E_TEST'
  | 'W_UNREACHABLE'
  | 'W_UNUSED'
  | 'W_LOOSE_PATTERN'
  | 'W_LOOSE_ANY'
  | 'W_MARKS'
  | 'W_NEVER'
  | 'W_OVERDUE'
  | 'W_UNTRUSTED'
  | 'W_NEVER_KNOWN';

export interface Diagnostic {
  readonly code: DiagnosticCode;
  /** One sentence: what is wrong. */
  readonly message: string;
  /** What to do, where we know it. */
  readonly hint: string | null;
  readonly place: Place;
  /** The name of the rule it is in. */
  readonly rule?: string;
}

/** Warnings are told and do not keep a file from loading. */
export function isWarning(diagnostic: Diagnostic): boolean {
  return diagnostic.code.startsWith('W_');
}
