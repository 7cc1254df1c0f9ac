/**
 * malformed - asks whether a message is beyond what is looked at: its header section, fields, nesting, parts or archives.
 *
 * Such a message is no error. What is behind a limit was not seen by the other conditions.
 */
import { andThen } from '../../core/eventual.ts';
import { archivesOf, isMalformed, structureOf } from '../../mail/body.ts';
import { flag } from '../../yaml/scalar.ts';
import { defineCondition } from '../condition.ts';

const NESTED = Array.from({ length: 70 }, (_, depth) => depth);
const DEEP = NESTED.map((depth) => `--b${depth}\nContent-Type: multipart/mixed; boundary=b${depth + 1}\n\n`).join('');

export const malformed = defineCondition({
  name: 'malformed',
  summary:
    'Asks whether the header section is over 1 MB or 10,000 fields, the parts are over 64 deep or 10,000 in number, or there are names in zip archives that could not be read.',
  reference: null,
  phase: 'content',
  argument: flag,
  examples: [
    { argument: 'true', given: { header: 'Content-Type: multipart/mixed; boundary=b0', body: DEEP }, expect: true },
    { argument: 'true', given: { body: 'tulips' }, expect: false },
    { argument: 'false', given: { body: 'tulips' }, expect: true },
  ],
  compile:
    (wanted) =>
    ({ message }) =>
      andThen(structureOf(message), (structure) =>
        isMalformed(message, structure) ? wanted : andThen(archivesOf(message), ({ unread }) => unread === wanted),
      ),
  saw({ message }) {
    const structure = structureOf(message);
    return structure instanceof Promise ? 'not read' : `${structure.parts.length} parts`;
  },
});
