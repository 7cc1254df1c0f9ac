/**
 * planned - words of the rule language that this version does not know yet.
 *
 * They are errors like other unknown words, but whoever read of them should hear that they are not merely mistyped.
 */
export const PLANNED: ReadonlySet<string> = new Set([
  // of a file, a set, a rule
  'extends',
  'with',
  'conditions',
  'tests',
  'skip',
  'overridable',
  'mode',
  'until',
  // conditions
  'role',
  'detail',
  'client_name',
  'helo',
  'tls',
  'authenticated',
  'declared_size',
  'recipients',
  'lists_addressed',
  'time',
  'poster',
  'addressed_to_list',
  'auth',
  'auto_submitted',
  'loop',
  'received_count',
  'spam_score',
  'date_skew',
  'score',
  'attachment',
  'text_parts',
  'body',
  'link_domain',
  // actions
  'hold',
  'quarantine',
  'redirect',
  'subject_prefix',
  'tag',
  'note',
  'copy',
]);
