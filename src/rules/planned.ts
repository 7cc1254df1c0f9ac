/**
 * planned - words of the rule language that this version does not know yet.
 *
 * They are errors like other unknown words, but whoever read of them should hear that they are not merely mistyped.
 */
export const PLANNED: ReadonlySet<string> = new Set([
  // actions
  'quarantine',
  'redirect',
  'copy',
]);
