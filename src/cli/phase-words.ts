/**
 * phase-words - when a verdict was given, in words.
 */
import type { Phase } from '../core/facts.ts';

export const PHASE_WORDS: Readonly<Record<Phase, string>> = {
  envelope: 'at RCPT',
  header: 'at the end of the header section',
  content: 'after the final dot',
};
